package io.agentmemory.consolidation.it.dao;

import static io.agentmemory.consolidation.it.dao.Samples.direction;
import static io.agentmemory.consolidation.it.dao.Samples.memory;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.agentmemory.consolidation.dao.AbstractionLevel;
import io.agentmemory.consolidation.dao.BatchQuery;
import io.agentmemory.consolidation.dao.ConsolidatedMemory;
import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.ConsolidationJob;
import io.agentmemory.consolidation.dao.DuplicateIdException;
import io.agentmemory.consolidation.dao.FusedQuery;
import io.agentmemory.consolidation.dao.InvalidInputException;
import io.agentmemory.consolidation.dao.InvalidSourcesException;
import io.agentmemory.consolidation.dao.JobLease;
import io.agentmemory.consolidation.dao.JobStatus;
import io.agentmemory.consolidation.dao.LeaseLostException;
import io.agentmemory.consolidation.dao.LineageStep;
import io.agentmemory.consolidation.dao.LoadOptions;
import io.agentmemory.consolidation.dao.MemoryFilter;
import io.agentmemory.consolidation.dao.MemoryUpdate;
import io.agentmemory.consolidation.dao.Neighbour;
import io.agentmemory.consolidation.dao.NewJob;
import io.agentmemory.consolidation.dao.OnConflict;
import io.agentmemory.consolidation.dao.OnLineage;
import io.agentmemory.consolidation.dao.PageRequest;
import io.agentmemory.consolidation.dao.PairQuery;
import io.agentmemory.consolidation.dao.Sources;
import io.agentmemory.consolidation.dao.TextQuery;
import io.agentmemory.consolidation.dao.TriggerType;
import io.agentmemory.consolidation.dao.VectorQuery;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every public method that goes to the database, with rows of another project in its way: project
 * {@code theirs} has what {@code mine} has, and it is always the better match.
 */
class ProjectIsolationTest {
  private static final PageRequest ALL = PageRequest.first(100);
  private static final VectorQuery EAST = VectorQuery.of(direction(3, 0), 100);
  private static final TextQuery APPLES = TextQuery.of("apples", 100);

  @RegisterExtension final TestDatabase database = TestDatabase.withDimensions(3);

  interface Case {
    void run(Consolidation consolidation) throws SQLException;
  }

  static final Map<String, Case> CASES = new HashMap<>();

  private static void of(String method, Case run) {
    CASES.put(method, run);
  }

  static {
    of(
        "ConsolidatedMemoryDao.insert(NewMemory)",
        c ->
            assertThatThrownBy(() -> c.memories().insert(memory("mine", "x").id("theirs1").build()))
                .isInstanceOf(DuplicateIdException.class)
                .hasMessageNotContaining("project"));
    of(
        "ConsolidatedMemoryDao.insertAll(Collection)",
        c ->
            assertThatThrownBy(
                    () ->
                        c.memories().insertAll(List.of(memory("mine", "x").id("theirs1").build())))
                .isInstanceOf(DuplicateIdException.class)
                .hasMessageNotContaining("project"));
    of(
        "ConsolidatedMemoryDao.load(Iterator,LoadOptions)",
        c -> {
          for (OnConflict onConflict : OnConflict.values()) {
            assertThatThrownBy(
                    () ->
                        c.memories()
                            .load(
                                List.of(memory("mine", "x").id("theirs1").build()).iterator(),
                                LoadOptions.defaults().on(onConflict)))
                .isInstanceOf(DuplicateIdException.class)
                .hasMessageNotContaining("project");
          }
        });
    of(
        "ConsolidatedMemoryDao.export(String,Function)",
        c -> mine(c.memories().export("mine", Stream::toList), 3));
    of(
        "ConsolidatedMemoryDao.find(String,String)",
        c -> {
          assertThat(c.memories().find("mine", "theirs1")).isEmpty();
          assertThat(c.memories().withEmbeddings().find("mine", "theirs1")).isEmpty();
        });
    of(
        "ConsolidatedMemoryDao.findAll(String,Collection)",
        c -> mine(c.memories().findAll("mine", List.of("theirs1", "mine1", "theirs2")), 1));
    of(
        "ConsolidatedMemoryDao.list(String,MemoryFilter,PageRequest)",
        c -> {
          mine(c.memories().list("mine", MemoryFilter.none(), ALL).items(), 3);
          mine(
              c.memories().list("mine", MemoryFilter.none().anyTag(List.of("fruit")), ALL).items(),
              3);
        });
    of(
        "ConsolidatedMemoryDao.update(String,String,MemoryUpdate,Instant)",
        c ->
            assertThat(
                    c.memories()
                        .update(
                            "mine",
                            "theirs1",
                            MemoryUpdate.builder().confidence(0.1).build(),
                            c.memories().find("theirs", "theirs1").orElseThrow().updatedAt()))
                .isEmpty());
    of(
        "ConsolidatedMemoryDao.countReuse(String,Collection)",
        c -> assertThat(c.memories().countReuse("mine", List.of("theirs1", "mine1"))).isEqualTo(1));
    of(
        "ConsolidatedMemoryDao.countReuse(String,Map)",
        c ->
            assertThat(c.memories().countReuse("mine", Map.of("theirs1", 2, "mine1", 3)))
                .isEqualTo(1));
    of(
        "ConsolidatedMemoryDao.delete(String,String,OnLineage)",
        c -> {
          assertThat(c.memories().delete("mine", "theirs1", OnLineage.DETACH)).isFalse();
          assertThat(c.memories().delete("mine", "theirs1", OnLineage.REFUSE)).isFalse();
          assertThat(c.memories().delete("mine", "mine1", OnLineage.DETACH)).isTrue();
        });
    of(
        "ConsolidatedMemoryDao.deleteProject(String,int)",
        c -> assertThat(c.memories().deleteProject("mine", 2)).isEqualTo(3));
    of(
        "ConsolidatedMemoryDao.searchByVector(String,VectorQuery)",
        c -> mine(c.memories().searchByVector("mine", EAST).hits(), hit -> hit.memory(), 3));
    of(
        "ConsolidatedMemoryDao.searchByText(String,TextQuery)",
        c -> mine(c.memories().searchByText("mine", APPLES).hits(), hit -> hit.memory(), 3));
    of(
        "ConsolidatedMemoryDao.searchFused(String,FusedQuery)",
        c ->
            mine(
                c.memories()
                    .searchFused("mine", FusedQuery.of("apples", EAST.embedding(), 50))
                    .hits(),
                hit -> hit.memory(),
                3));
    of(
        "ConsolidatedMemoryDao.searchByVectors(String,List,BatchQuery)",
        c ->
            mine(
                c.memories()
                    .searchByVectors("mine", List.of(EAST.embedding()), BatchQuery.of(100))
                    .get(0)
                    .hits(),
                hit -> hit.memory(),
                3));
    of(
        "ConsolidatedMemoryDao.neighbours(String,Collection,BatchQuery)",
        c -> {
          var found =
              c.memories().neighbours("mine", List.of("theirs1", "mine1"), BatchQuery.of(100));
          assertThat(found.keySet()).containsExactly("mine1");
          assertThat(found.get("mine1").hits())
              .extracting(Neighbour::id)
              .containsExactly("mine2", "mine3");
        });
    of(
        "ConsolidatedMemoryDao.similarPairs(String,PairQuery,PageRequest)",
        c -> {
          for (PairQuery query : List.of(PairQuery.of(0.1), PairQuery.of(0.1).exactly())) {
            assertThat(c.memories().similarPairs("mine", query, ALL).pairs())
                .hasSize(3)
                .allMatch(p -> p.leftId().startsWith("mine") && p.rightId().startsWith("mine"));
          }
          assertThat(
                  c.memories()
                      .similarPairs("mine", PairQuery.of(0.1).amongUnconsolidated(), ALL)
                      .pairs())
              .hasSize(1);
        });
    of(
        "ConsolidatedMemoryDao.sourcesOf(String,String,int)",
        c -> {
          assertThat(c.memories().sourcesOf("mine", "theirs3", 9).steps()).isEmpty();
          assertThat(c.memories().sourcesOf("mine", "mine3", 9).steps())
              .containsExactly(
                  new LineageStep("mine1", 1, AbstractionLevel.CONCRETE),
                  new LineageStep("theirs1", 1, null));
        });
    of(
        "ConsolidatedMemoryDao.descendantsOf(String,String,int)",
        c ->
            assertThat(c.memories().descendantsOf("mine", "theirs1", 9).steps())
                .containsExactly(new LineageStep("mine3", 1, AbstractionLevel.CONCRETE)));
    of(
        "Consolidation.consolidate(NewMemory,Sources)",
        c -> {
          for (Sources sources :
              List.of(Sources.ofTaskMemories("theirs_t1"), Sources.ofMemories("theirs1"))) {
            assertThatThrownBy(() -> c.consolidate(memory("mine", "x").build(), sources))
                .isInstanceOf(InvalidSourcesException.class);
          }
        });
    of(
        "Consolidation.undo(String,String)",
        c -> {
          assertThat(c.undo("mine", "theirs3")).isEmpty();
          assertThat(c.undo("mine", "mine3").orElseThrow().sourceMemoryIds())
              .containsExactly("mine1", "theirs1");
        });
    of(
        "TaskMemoryDao.unconsolidated(String,PageRequest)",
        c ->
            assertThat(c.taskMemories().unconsolidated("mine", ALL).items())
                .hasSize(1)
                .allMatch(task -> task.id().equals("mine_t1")));
    of(
        "ConsolidationJobDao.enqueue(NewJob)",
        c -> {
          assertThatThrownBy(
                  () ->
                      c.jobs()
                          .enqueue(
                              NewJob.builder("mine", TriggerType.MANUAL)
                                  .id("theirs_running")
                                  .build()))
              .isInstanceOf(DuplicateIdException.class);
          assertThat(c.jobs().enqueue(NewJob.builder("mine", TriggerType.MANUAL).build()))
              .matches(job -> job.projectId().equals("mine"));
        });
    of(
        "ConsolidationJobDao.claim(String)",
        c -> assertThat(c.jobs().claim("mine").orElseThrow().id()).isEqualTo("mine_pending"));
    of(
        "ConsolidationJobDao.claim(String,int)",
        c ->
            assertThat(c.jobs().claim("mine", 10))
                .extracting(ConsolidationJob::id)
                .containsExactly("mine_pending"));
    of(
        "ConsolidationJobDao.recordPhase(JobLease,String,String)",
        c -> leaseLost(() -> c.jobs().recordPhase(stolen(c), "phase", "{}")));
    of(
        "ConsolidationJobDao.complete(JobLease,String)",
        c -> leaseLost(() -> c.jobs().complete(stolen(c), "{}")));
    of(
        "ConsolidationJobDao.completeAll(String,Map)",
        c -> {
          JobLease stolen = stolen(c);
          assertThat(lost(c, stolen)).containsExactly(stolen);
          JobLease theirs = new JobLease("theirs", stolen.jobId(), stolen.startedAt());
          assertThatThrownBy(() -> c.jobs().completeAll("mine", Map.of(theirs, "{}")))
              .isInstanceOf(InvalidInputException.class);
        });
    of(
        "ConsolidationJobDao.fail(JobLease,String)",
        c -> leaseLost(() -> c.jobs().fail(stolen(c), "broken")));
    of(
        "ConsolidationJobDao.enqueueUnlessActive(NewJob)",
        c ->
            assertThat(
                    c.jobs()
                        .enqueueUnlessActive(NewJob.builder("mine", TriggerType.MANUAL).build()))
                .matches(job -> job.id().equals("mine_running")));
    of(
        "ConsolidationJobDao.claimJob(String,String)",
        c -> assertThat(c.jobs().claimJob("mine", "theirs_pending")).isEmpty());
    of(
        "ConsolidationJobDao.heartbeat(JobLease)",
        c -> leaseLost(() -> c.jobs().heartbeat(stolen(c))));
    of(
        "ConsolidationJobDao.beginPhase(JobLease,String,String)",
        c -> leaseLost(() -> c.jobs().beginPhase(stolen(c), "phase", "{}")));
    of(
        "ConsolidationJobDao.fail(JobLease,String,Duration)",
        c -> leaseLost(() -> c.jobs().fail(stolen(c), "broken", Duration.ofSeconds(1))));
    of(
        "ConsolidationJobDao.failForGood(JobLease,String)",
        c -> leaseLost(() -> c.jobs().failForGood(stolen(c), "broken")));
    of("ConsolidationJobDao.release(JobLease)", c -> leaseLost(() -> c.jobs().release(stolen(c))));
    of(
        "ConsolidationJobDao.rescue(String,Duration,int)",
        c -> jobs(c.jobs().rescue("mine", Duration.ofNanos(1_000), 10), 1));
    of(
        "ConsolidationJobDao.statistics(String)",
        c -> {
          assertThat(c.jobs().statistics("mine").pending()).isEqualTo(1);
          assertThat(c.jobs().statistics("mine").running()).isEqualTo(1);
        });
    of(
        "ConsolidationJobDao.prune(String,Duration,int)",
        c -> {
          c.jobs().cancel("mine", "mine_pending");
          assertThat(c.jobs().prune("mine", Duration.ZERO, 1)).isEqualTo(1);
        });
    of(
        "ConsolidationJobDao.cancel(String,String)",
        c -> assertThat(c.jobs().cancel("mine", "theirs_pending")).isEmpty());
    of(
        "ConsolidationJobDao.find(String,String)",
        c -> assertThat(c.jobs().find("mine", "theirs_pending")).isEmpty());
    of(
        "ConsolidationJobDao.list(String,PageRequest)",
        c -> jobs(c.jobs().list("mine", ALL).items(), 2));
    of(
        "ConsolidationJobDao.list(String,JobStatus,PageRequest)",
        c -> jobs(c.jobs().list("mine", JobStatus.PENDING, ALL).items(), 1));
  }

  private static void mine(List<ConsolidatedMemory> found, int count) {
    mine(found, Function.identity(), count);
  }

  private static <H> void mine(List<H> found, Function<H, ConsolidatedMemory> memory, int count) {
    assertThat(found)
        .hasSize(count)
        .extracting(memory)
        .allMatch(m -> m.projectId().equals("mine") && m.id().startsWith("mine"));
  }

  private static void jobs(List<ConsolidationJob> found, int count) {
    assertThat(found).hasSize(count).allMatch(job -> job.id().startsWith("mine"));
  }

  /** A lease as good as theirs, but for the project. */
  private static JobLease stolen(Consolidation consolidation) {
    ConsolidationJob job = consolidation.jobs().find("theirs", "theirs_running").orElseThrow();
    return new JobLease("mine", job.id(), job.startedAt());
  }

  /** The lease if completing finds it lost; where a transaction is joined, that is thrown. */
  private static Set<JobLease> lost(Consolidation consolidation, JobLease lease) {
    try {
      return consolidation.jobs().completeAll("mine", Map.of(lease, "{}"));
    } catch (LeaseLostException lost) {
      return Set.of(lease);
    }
  }

  private static void leaseLost(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOf(LeaseLostException.class);
  }

  @BeforeEach
  void fill() throws SQLException {
    fill(database);
  }

  static void fill(TestDatabase database) throws SQLException {
    for (String project : List.of("mine", "theirs")) {
      for (int i = 1; i <= 3; i++) {
        database
            .memories()
            .insert(
                memory(project, "apples ".repeat(project.equals("mine") ? 1 : 5))
                    .id(project + i)
                    .embedding(direction(3, project.equals("mine") ? 40 + i : i))
                    .tags("fruit")
                    .sourceMemoryIds(i == 3 ? List.of("mine1", "theirs1") : List.of())
                    .build());
      }
      database.execute(
          """
          insert into task_memories (id, project_id, task_id, execution_summary, success,
            is_consolidated, consolidated_into_id)
          values ('P_t1', 'P', 't', 's', true, false, null),
            ('P_t2', 'P', 't', 's', true, true, 'mine1')"""
              .replace("P", project));
      for (String job : List.of("_running", "_pending")) {
        database
            .consolidation()
            .jobs()
            .enqueue(NewJob.builder(project, TriggerType.MANUAL).id(project + job).build());
        if (job.equals("_running")) {
          database.consolidation().jobs().claim(project);
        }
      }
    }
  }

  static Set<String> cases() {
    return new TreeSet<>(CASES.keySet());
  }

  @ParameterizedTest
  @MethodSource("cases")
  void another_projects_rows_are_neither_seen_nor_touched(String method) throws SQLException {
    String before = theirs(database);
    CASES.get(method).run(database.consolidation());
    assertThat(theirs(database)).isEqualTo(before);
  }

  static String theirs(TestDatabase database) throws SQLException {
    StringBuilder rows = new StringBuilder();
    for (String table : List.of("consolidated_memories", "consolidation_jobs", "task_memories")) {
      database
          .column(
              "select t::text from %s as t where project_id = 'theirs' order by id"
                  .formatted(table))
          .forEach(row -> rows.append(row).append('\n'));
    }
    return rows.toString();
  }

  @Test
  void every_public_method_has_a_case() {
    Set<String> methods =
        new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .importPackages("io.agentmemory.consolidation.dao")
                .stream()
                .map(JavaClass::reflect)
                .filter(type -> Modifier.isPublic(type.getModifiers()))
                .filter(
                    type ->
                        type.getSimpleName().endsWith("Dao") || type.equals(Consolidation.class))
                .flatMap(type -> Stream.of(type.getDeclaredMethods()))
                .filter(ProjectIsolationTest::goesToTheDatabase)
                .map(ProjectIsolationTest::describe)
                .collect(Collectors.toCollection(TreeSet::new));
    assertThat(methods).contains("ConsolidatedMemoryDao.find(String,String)");
    assertThat(CASES.keySet())
        .as("methods with a case where rows of another project are in the way")
        .containsExactlyInAnyOrderElementsOf(methods);
  }

  /** Not what opens, closes, gives a view, or says in its name that it is about all projects. */
  private static boolean goesToTheDatabase(Method method) {
    return Modifier.isPublic(method.getModifiers())
        && !Modifier.isStatic(method.getModifiers())
        && !method.isSynthetic()
        && !method.getReturnType().equals(Consolidation.class)
        && !method.getReturnType().getSimpleName().endsWith("Dao")
        && !method.getName().endsWith("OfAllProjects")
        && !method.getName().equals("close");
  }

  private static String describe(Method method) {
    return Arrays.stream(method.getParameterTypes())
        .map(Class::getSimpleName)
        .collect(
            Collectors.joining(
                ",",
                method.getDeclaringClass().getSimpleName() + "." + method.getName() + "(",
                ")"));
  }
}
