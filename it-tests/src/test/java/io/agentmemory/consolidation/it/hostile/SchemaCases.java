package io.agentmemory.consolidation.it.hostile;

import io.agentmemory.consolidation.ddl.ColumnType;
import io.agentmemory.consolidation.ddl.Hazard;
import io.agentmemory.consolidation.it.hostile.Verdict.CallbackFailure;
import io.agentmemory.consolidation.schema.BulkLoad;
import io.agentmemory.consolidation.schema.ProgressListener;
import io.agentmemory.consolidation.schema.Schema;
import io.agentmemory.consolidation.schema.SchemaOptions;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.Executable;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Set;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** What calls of the schema need beyond simple values, and what must hold around them. */
final class SchemaCases implements HostileCalls.Around {
  private static final Set<String> WRITE =
      Set.of(
          "upgrade",
          "upgradeTo",
          "adopt",
          "convertEmbeddings",
          "bulkLoad",
          "downgrade",
          "downgradeTo",
          "downgradeToNothing");

  /** What is interrupted goes on with the next upgrade. */
  private static final Set<String> WRITE_IN_STEPS = Set.of("convertEmbeddings", "bulkLoad");

  private final Schemas schemas;
  private final Values values;
  private Watch.State state = new Watch.State("", "");
  private long uses;

  SchemaCases(Schemas schemas, Values values) {
    this.schemas = schemas;
    this.values = values;
  }

  /** Says how the arguments are made that no constructor or factory of the library gives. */
  void teach(Arguments arguments) {
    arguments.by(DataSource.class, (all, depth) -> schemas.pool());
    arguments.by(Connection.class, (all, depth) -> schemas.joined());
    arguments.by(PrintStream.class, (all, depth) -> nowhere());
    arguments.by(Throwable.class, (all, depth) -> new CallbackFailure(values.text("cause")));
    arguments.by(ProgressListener.class, (all, depth) -> listener());
    arguments.by(BulkLoad.class, (all, depth) -> load());
    arguments.by(SchemaOptions.class, this::options);
    arguments.by(Schema.class, this::schema);
    arguments.by(ColumnType.class, (all, depth) -> column(all, depth));
  }

  private static PrintStream nowhere() {
    return new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
  }

  private ProgressListener listener() {
    boolean fails = values.hostile();
    return progress -> {
      if (fails) {
        throw new CallbackFailure("listener");
      }
    };
  }

  private BulkLoad<RuntimeException> load() {
    boolean fails = values.hostile();
    return () -> {
      if (fails) {
        throw new CallbackFailure("load");
      }
    };
  }

  private @Nullable Object options(Arguments all, int depth) {
    return values.chance(0.5) ? Schemas.OPTIONS : all.anew(SchemaOptions.class, depth);
  }

  private @Nullable Object schema(Arguments all, int depth) {
    Object options = options(all, depth);
    if (options == null) {
      return null;
    }
    Schema schema = Schema.on(schemas.pool(), (SchemaOptions) options);
    Schema hurried = schema.withDeadline(Duration.ofSeconds(2));
    return values.chance(0.7) ? hurried.allowing(Hazard.values()) : hurried;
  }

  private @Nullable Object column(Arguments all, int depth) {
    return values.chance(0.5) ? ColumnType.text() : all.anew(ColumnType.class, depth);
  }

  @Override
  public void reset() throws SQLException {
    schemas.reset();
    state = new Watch.State("", "");
  }

  @Override
  public void before() throws SQLException {
    state = uses == schemas.sql().uses() && !state.all().isEmpty() ? state : schemas.state();
    uses = schemas.sql().uses();
  }

  @Override
  public @Nullable String after(Executable entry, @Nullable Object result, boolean done)
      throws SQLException {
    if (!schemas.joined().getAutoCommit()) {
      schemas.joined().rollback();
    }
    if (uses == schemas.sql().uses()) {
      return null;
    }
    Watch.State now = schemas.state();
    boolean changed = !now.all().equals(state.all());
    state = now;
    uses = schemas.sql().uses();
    if (!schemas.theirsIsUntouched(now)) {
      return "another schema was touched";
    }
    boolean mayHaveWritten =
        done ? WRITE.contains(entry.getName()) : WRITE_IN_STEPS.contains(entry.getName());
    return changed && !mayHaveWritten ? "something was left written" : null;
  }

  @Override
  public boolean often(Executable entry) {
    return entry.getDeclaringClass().equals(Schema.class);
  }

  @Override
  public boolean seldom(Executable entry) {
    return false;
  }
}
