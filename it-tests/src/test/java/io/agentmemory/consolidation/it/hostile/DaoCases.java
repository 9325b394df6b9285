package io.agentmemory.consolidation.it.hostile;

import io.agentmemory.consolidation.dao.ConsolidatedMemoryDao;
import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.ConsolidationFlow;
import io.agentmemory.consolidation.dao.ConsolidationJobDao;
import io.agentmemory.consolidation.dao.ConsolidationObserver;
import io.agentmemory.consolidation.dao.Consolidator;
import io.agentmemory.consolidation.dao.JobHandler;
import io.agentmemory.consolidation.dao.JobLease;
import io.agentmemory.consolidation.dao.JobRun;
import io.agentmemory.consolidation.dao.JobWorker;
import io.agentmemory.consolidation.dao.LoadListener;
import io.agentmemory.consolidation.dao.NewMemory;
import io.agentmemory.consolidation.dao.ObservedCall;
import io.agentmemory.consolidation.dao.PhaseWrite;
import io.agentmemory.consolidation.dao.RecallProbe;
import io.agentmemory.consolidation.dao.TaskMemoryDao;
import io.agentmemory.consolidation.it.hostile.Verdict.CallbackFailure;
import io.agentmemory.consolidation.schema.SchemaOptions;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.lang.reflect.Executable;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jspecify.annotations.Nullable;

/** What calls of the data access need beyond simple values, and what must hold around them. */
final class DaoCases implements HostileCalls.Around {
  private static final Set<Class<?>> GO_TO_THE_DATABASE =
      Set.of(
          ConsolidatedMemoryDao.class,
          ConsolidationJobDao.class,
          TaskMemoryDao.class,
          Consolidation.class,
          ConsolidationFlow.class,
          RecallProbe.class,
          JobRun.class);

  private static final Set<Class<?>> TAKE_LONG =
      Set.of(ConsolidationFlow.class, RecallProbe.class, JobWorker.class);

  private final Tenants tenants;
  private final Values values;
  private final List<JobLease> leases = new ArrayList<>();
  private final Queue<JobRun> runs = new ConcurrentLinkedQueue<>();
  private final Queue<ObservedCall> observed = new ConcurrentLinkedQueue<>();
  private final Queue<JobWorker> workers = new ConcurrentLinkedQueue<>();
  private Watch.State state = new Watch.State("", "");
  private long uses;

  DaoCases(Tenants tenants, Values values) {
    this.tenants = tenants;
    this.values = values;
  }

  /** Says how the arguments are made that no constructor or factory of the library gives. */
  void teach(Arguments arguments) {
    arguments.by(Consolidation.class, (all, depth) -> consolidation());
    arguments.by(ConsolidatedMemoryDao.class, (all, depth) -> memories());
    arguments.by(ConsolidationJobDao.class, (all, depth) -> consolidation().jobs());
    arguments.by(TaskMemoryDao.class, (all, depth) -> consolidation().taskMemories());
    arguments.by(Connection.class, (all, depth) -> tenants.joined());
    arguments.by(Handle.class, (all, depth) -> Jdbi.create(tenants.joined()).open());
    arguments.by(DataSource.class, (all, depth) -> tenants.pool());
    arguments.by(SchemaOptions.class, (all, depth) -> options());
    arguments.by(JobWorker.class, (all, depth) -> workers.peek());
    arguments.by(JobRun.class, (all, depth) -> runs.peek());
    arguments.by(JobLease.class, this::lease);
    arguments.by(ObservedCall.class, (all, depth) -> observed.peek());
    arguments.by(ConsolidationObserver.class, (all, depth) -> observer());
    arguments.by(MeterRegistry.class, (all, depth) -> new SimpleMeterRegistry());
    arguments.by(Throwable.class, (all, depth) -> new CallbackFailure(values.text("cause")));
    arguments.by(Executor.class, (all, depth) -> executor());
    arguments.by(LoadListener.class, (all, depth) -> listener());
    arguments.by(Function.class, (all, depth) -> reader());
    arguments.by(Callable.class, (all, depth) -> (Callable<Object>) () -> failOr("thought"));
    arguments.by(PhaseWrite.class, (all, depth) -> write(all));
    arguments.by(Consolidator.class, (all, depth) -> consolidator(all));
    arguments.by(JobHandler.class, (all, depth) -> handler(all));
  }

  private Consolidation consolidation() {
    Consolidation all = tenants.consolidation();
    if (values.chance(0.1)) {
      all = all.observedBy(observer());
    }
    if (values.chance(0.1)) {
      return all.joining(tenants.joined());
    }
    return values.chance(0.1) ? all.withTimeout(Duration.ofMillis(1L + values.below(20))) : all;
  }

  private ConsolidationObserver observer() {
    boolean fails = values.hostile();
    return new ConsolidationObserver() {
      @Override
      public void called(ObservedCall call) {
        observed.clear();
        observed.add(call);
        if (fails) {
          throw new CallbackFailure("observer");
        }
      }
    };
  }

  private ConsolidatedMemoryDao memories() {
    ConsolidatedMemoryDao memories = consolidation().memories();
    return values.chance(0.3) ? memories.withEmbeddings() : memories;
  }

  private SchemaOptions options() {
    return values.hostile() ? SchemaOptions.builder().dimensions(4).build() : Tenants.OPTIONS;
  }

  private JobLease lease(Arguments all, int depth) {
    if (!leases.isEmpty() && values.chance(0.8)) {
      return values.one(leases);
    }
    return new JobLease(Values.MINE, values.one(List.of(Values.MARKER + "j1", "x")), Instant.now());
  }

  private Executor executor() {
    return values.chance(0.2)
        ? task -> {
          throw new RejectedExecutionException();
        }
        : Runnable::run;
  }

  private LoadListener listener() {
    boolean fails = values.hostile();
    return (rows, elapsed) -> {
      if (fails) {
        throw new CallbackFailure("listener");
      }
    };
  }

  private Function<Stream<Object>, @Nullable Object> reader() {
    return switch (values.below(5)) {
      case 0 -> stream -> null;
      case 1 -> stream -> failOr("read");
      case 2 -> stream -> stream.limit(2).toList();
      case 3 -> stream -> stream;
      default -> Stream::toList;
    };
  }

  private String failOr(String result) {
    if (values.hostile()) {
      throw new CallbackFailure(values.text("failure"));
    }
    return result;
  }

  private PhaseWrite<Object> write(Arguments all) {
    String metrics = values.text("metrics");
    NewMemory memory = values.chance(0.3) ? (NewMemory) all.one(NewMemory.class) : null;
    boolean fails = values.hostile();
    return (consolidation, connection, thought) -> {
      if (memory != null) {
        consolidation.memories().insert(memory);
      }
      if (fails) {
        throw new CallbackFailure("write");
      }
      return metrics;
    };
  }

  private Consolidator consolidator(Arguments all) {
    Optional<NewMemory> memory =
        Optional.ofNullable(values.chance(0.8) ? (NewMemory) all.one(NewMemory.class) : null);
    boolean fails = values.hostile();
    return cluster -> {
      if (fails) {
        throw new CallbackFailure("consolidator");
      }
      return memory;
    };
  }

  private JobHandler handler(Arguments all) {
    String phase = values.text("phase");
    PhaseWrite<Object> write = write(all);
    CallbackFailure failure =
        values.chance(0.5) ? new CallbackFailure(values.text("failure")) : null;
    return run -> {
      runs.add(run);
      if (failure != null) {
        throw failure;
      }
      run.phase(phase, () -> "thought", write);
    };
  }

  @Override
  public void reset() throws SQLException {
    leases.clear();
    leases.addAll(tenants.reset());
    state = new Watch.State("", "");
  }

  @Override
  public void before() throws SQLException {
    tenants.joined().setAutoCommit(values.chance(0.3));
    state = uses == tenants.sql().uses() && !state.all().isEmpty() ? state : tenants.state();
    uses = tenants.sql().uses();
  }

  @Override
  public @Nullable String after(Executable entry, @Nullable Object result, boolean mayHaveWritten)
      throws SQLException {
    if (result instanceof JobWorker worker) {
      stop(worker);
    }
    if (!tenants.joined().getAutoCommit()) {
      tenants.joined().rollback();
    }
    if (uses == tenants.sql().uses()) {
      return null;
    }
    Watch.State now = tenants.state();
    boolean changed = !now.all().equals(state.all());
    state = now;
    uses = tenants.sql().uses();
    if (!tenants.theirsIsUntouched(now)) {
      return "another project was touched";
    }
    return changed && !mayHaveWritten && !writesInSteps(entry)
        ? "something was left written"
        : null;
  }

  /** Stops it when it has begun a job, or there is none. The first is kept, to be called upon. */
  private void stop(JobWorker worker) {
    int before = runs.size();
    for (int i = 0; i < 20 && runs.size() == before; i++) {
      LockSupport.parkNanos(5_000_000);
    }
    if (!worker.stop(Duration.ofMinutes(1))) {
      throw new IllegalStateException("a worker does not stop");
    }
    if (workers.isEmpty()) {
      workers.add(worker);
    }
  }

  /** Each cluster of a flow is a transaction, and each batch of what is deleted in batches. */
  private static boolean writesInSteps(Executable entry) {
    return entry.getDeclaringClass().equals(ConsolidationFlow.class)
        || Set.of("deleteProject", "prune", "pruneOfAllProjects").contains(entry.getName());
  }

  @Override
  public boolean often(Executable entry) {
    return GO_TO_THE_DATABASE.contains(entry.getDeclaringClass());
  }

  @Override
  public boolean seldom(Executable entry) {
    return TAKE_LONG.contains(entry.getDeclaringClass()) && entry.getName().matches("run|start");
  }
}
