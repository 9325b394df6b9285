package io.agentmemory.consolidation.it.dao;

import static io.agentmemory.consolidation.it.dao.Samples.direction;
import static io.agentmemory.consolidation.it.dao.Samples.memory;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.agentmemory.consolidation.dao.ConsolidatedMemory;
import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.ConsolidationFlow;
import io.agentmemory.consolidation.dao.ConsolidationJob;
import io.agentmemory.consolidation.dao.ConsolidationJobDao;
import io.agentmemory.consolidation.dao.DuplicateIdException;
import io.agentmemory.consolidation.dao.InvalidInputException;
import io.agentmemory.consolidation.dao.JobLease;
import io.agentmemory.consolidation.dao.JobRun;
import io.agentmemory.consolidation.dao.JobStatus;
import io.agentmemory.consolidation.dao.JobWorker;
import io.agentmemory.consolidation.dao.JobWorkerOptions;
import io.agentmemory.consolidation.dao.LoadOptions;
import io.agentmemory.consolidation.dao.LoadResult;
import io.agentmemory.consolidation.dao.NewJob;
import io.agentmemory.consolidation.dao.NewMemory;
import io.agentmemory.consolidation.dao.OnConflict;
import io.agentmemory.consolidation.dao.PairQuery;
import io.agentmemory.consolidation.dao.PartialLoadException;
import io.agentmemory.consolidation.dao.RecallProbe;
import io.agentmemory.consolidation.dao.TextQuery;
import io.agentmemory.consolidation.dao.TriggerType;
import io.agentmemory.consolidation.dao.VectorQuery;
import io.agentmemory.consolidation.it.postgres.PgBouncer;
import io.agentmemory.consolidation.schema.Finding;
import io.agentmemory.consolidation.schema.Schema;
import io.agentmemory.consolidation.schema.SchemaOptions;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * Row-level security by project, for roles that are neither superuser nor exempt from it. The rows
 * are those of {@link ProjectIsolationTest}: projects {@code mine} and {@code theirs}.
 */
class RowLevelSecurityTest {
  private static final SchemaOptions OPTIONS =
      SchemaOptions.builder().dimensions(3).rowLevelSecurity(true).build();
  private static final String PROJECT = "select current_setting('consolidation.project', true)";
  private static final String COUNTS =
      """
      select (select count(*) from consolidated_memories)
        || ' ' || (select count(*) from consolidation_jobs)""";

  @RegisterExtension final TestDatabase database = TestDatabase.with(OPTIONS);

  private String role;
  private String worker;
  private DataSource asRole;

  @BeforeEach
  void createTheRolesAndFill() throws SQLException {
    String name = database.value("select current_database()");
    role = name + "_app";
    worker = name + "_worker";
    for (String each : List.of(role, worker)) {
      database.execute("create role " + each + " login password 'secret'");
    }
    database.execute(Schema.grantsScript(OPTIONS, role));
    database.execute(Schema.workerGrantsScript(OPTIONS, worker));
    asRole = source(role);
    ProjectIsolationTest.fill(database);
  }

  private DataSource source(String user) {
    PGSimpleDataSource source = database.source("ApplicationName=role");
    source.setUser(user);
    source.setPassword("secret");
    return source;
  }

  @AfterEach
  void dropTheRoles() throws SQLException {
    for (String each : List.of(role, worker)) {
      database.execute("reassign owned by " + each + " to current_user");
      database.execute("drop owned by " + each);
      database.execute("drop role " + each);
    }
  }

  static Set<String> cases() {
    return ProjectIsolationTest.cases();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void every_public_method_does_what_it_does_without_it_joined_or_not(String method)
      throws SQLException {
    String before = ProjectIsolationTest.theirs(database);
    Consolidation consolidation = Consolidation.on(asRole, OPTIONS);
    try (Connection connection = asRole.getConnection()) {
      connection.setAutoCommit(false);
      name(connection, "callers");
      ProjectIsolationTest.CASES.get(method).run(consolidation.joining(connection));
      assertThat(query(connection, PROJECT)).isEqualTo("callers");
      connection.rollback();
    }
    ProjectIsolationTest.CASES.get(method).run(consolidation);
    assertThat(ProjectIsolationTest.theirs(database)).isEqualTo(before);
  }

  @Test
  void a_query_by_hand_has_no_rows_or_those_of_the_project_that_it_names() throws SQLException {
    try (Connection connection = asRole.getConnection()) {
      connection.setAutoCommit(false);
      assertThat(query(connection, COUNTS)).isEqualTo("0 0");
      name(connection, "");
      assertThat(query(connection, COUNTS)).isEqualTo("0 0");
      name(connection, "mine");
      assertThat(query(connection, COUNTS)).isEqualTo("3 2");
      assertThat(
              query(
                  connection,
                  "select string_agg(distinct project_id, ',') from consolidated_memories"))
          .isEqualTo("mine");
      name(connection, "absent");
      assertThat(query(connection, COUNTS)).isEqualTo("0 0");
      connection.commit();
      assertThat(query(connection, COUNTS)).isEqualTo("0 0");
    }
  }

  @Test
  void statements_by_hand_neither_change_nor_make_rows_of_another_project() throws SQLException {
    String before = ProjectIsolationTest.theirs(database);
    try (Connection connection = asRole.getConnection();
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      name(connection, "mine");
      for (String table : List.of("consolidated_memories", "consolidation_jobs")) {
        assertThat(statement.executeUpdate("delete from " + table + " where id like 'theirs%'"))
            .isZero();
        assertThat(
                statement.executeUpdate(
                    "update " + table + " set created_at = now() where project_id = 'theirs'"))
            .isZero();
        assertRefused(
            connection, "update " + table + " set project_id = 'theirs' where project_id = 'mine'");
      }
      assertRefused(
          connection,
          """
          insert into consolidation_jobs (id, project_id, status, trigger_type, created_at)
          values ('j', 'theirs', 'pending', 'manual', now())""");
      assertThatThrownBy(() -> statement.execute("copy consolidated_memories (id) from stdin"))
          .hasMessageContaining("row-level security");
      connection.rollback();
      for (String forbidden :
          List.of(
              "alter table consolidated_memories disable row level security",
              "drop policy consolidation_project on consolidated_memories",
              "truncate consolidated_memories")) {
        assertRefused(connection, forbidden);
      }
    }
    assertThat(ProjectIsolationTest.theirs(database)).isEqualTo(before);
  }

  private static void assertRefused(Connection connection, String sql) throws SQLException {
    Savepoint before = connection.setSavepoint();
    try (Statement statement = connection.createStatement()) {
      assertThatThrownBy(() -> statement.execute(sql))
          .as(sql)
          .isInstanceOfSatisfying(
              SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("42501"));
    }
    connection.rollback(before);
  }

  @Test
  void it_holds_for_the_owner_as_well_and_not_for_the_hosts_table() throws SQLException {
    for (String table : List.of("consolidated_memories", "consolidation_jobs", "task_memories")) {
      database.execute("alter table " + table + " owner to " + role);
    }
    try (Connection connection = asRole.getConnection()) {
      assertThat(query(connection, COUNTS)).isEqualTo("0 0");
      assertThat(query(connection, "select count(*) from task_memories")).isEqualTo("4");
    }
    Consolidation consolidation = Consolidation.on(asRole, OPTIONS);
    assertThat(consolidation.memories().find("mine", "mine1")).isPresent();
    assertThat(consolidation.memories().find("mine", "theirs1")).isEmpty();
  }

  @Test
  void a_check_up_tells_a_role_that_is_exempt_and_one_that_cannot_load() throws SQLException {
    assertThat(policyFindings(database.pool()))
        .hasSize(2)
        .allMatch(finding -> finding.severity() == Finding.Severity.ERROR)
        .allMatch(finding -> finding.remedy().contains("Schema.grantsScript(options, role)"))
        .extracting(Finding::what)
        .anyMatch(what -> what.contains("\"consolidated_memories\""))
        .anyMatch(what -> what.contains("\"consolidation_jobs\""));
    assertThat(policyFindings(asRole)).isEmpty();
    assertThat(policyFindings(source(worker))).isEmpty();

    database.execute("alter role " + role + " bypassrls");
    assertThat(policyFindings(asRole)).hasSize(2);
    database.execute("alter role " + role + " nobypassrls");

    String name = database.value("select quote_ident(current_database())");
    database.execute("revoke temporary on database " + name + " from public");
    List<Finding> found = policyFindings(asRole);
    assertThat(found).hasSize(1);
    assertThat(found.get(0).what()).contains("lacks TEMPORARY").contains("load");
    database.execute(found.get(0).remedy());
    assertThat(policyFindings(asRole)).isEmpty();
  }

  private static List<Finding> policyFindings(DataSource source) {
    return Schema.on(source, OPTIONS).checkUp().stream()
        .filter(finding -> finding.what().contains("row-level security"))
        .toList();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void a_connection_goes_back_to_its_pool_without_a_project(boolean autoCommit)
      throws SQLException {
    HikariConfig config = new HikariConfig();
    config.setDataSource(asRole);
    config.setMaximumPoolSize(1);
    config.setAutoCommit(autoCommit);
    try (HikariDataSource pool = new HikariDataSource(config)) {
      Consolidation consolidation = Consolidation.on(pool, OPTIONS);
      List<Runnable> calls =
          List.of(
              () -> consolidation.memories().find("mine", "mine1"),
              () -> consolidation.memories().insert(memory("mine", "x").build()),
              () -> consolidation.memories().export("mine", all -> all.count()),
              () ->
                  assertThatThrownBy(
                          () ->
                              consolidation
                                  .memories()
                                  .insert(memory("mine", "x").id("mine1").build()))
                      .isInstanceOf(DuplicateIdException.class),
              () ->
                  consolidation
                      .memories()
                      .searchByVector("mine", VectorQuery.of(direction(3, 0), 5)));
      for (Runnable call : calls) {
        call.run();
        try (Connection connection = pool.getConnection()) {
          assertThat(query(connection, PROJECT)).isNullOrEmpty();
          assertThat(query(connection, COUNTS)).isEqualTo("0 0");
          assertThat(query(connection, "show enable_sort")).isEqualTo("on");
        }
      }
    }
  }

  @Test
  void what_a_joined_transaction_rolls_back_is_undone_and_its_project_put_back()
      throws SQLException {
    Consolidation consolidation = Consolidation.on(asRole, OPTIONS);
    try (Connection connection = asRole.getConnection()) {
      connection.setAutoCommit(false);
      Consolidation joined = consolidation.joining(connection);
      joined.memories().insert(memory("mine", "x").id("new").build());
      assertThat(query(connection, PROJECT)).isEmpty();
      name(connection, "theirs");
      assertThatThrownBy(
              () ->
                  joined
                      .memories()
                      .insertAll(
                          List.of(
                              memory("mine", "x").build(),
                              memory("mine", "x").id("theirs1").build())))
          .isInstanceOf(DuplicateIdException.class);
      assertThat(query(connection, PROJECT)).isEqualTo("theirs");
      assertThat(query(connection, COUNTS)).isEqualTo("3 2");
      assertThat(joined.memories().find("mine", "new")).isPresent();
      connection.rollback();
    }
    assertThat(consolidation.memories().find("mine", "new")).isEmpty();
  }

  @Test
  void a_joined_connection_must_be_in_a_transaction() throws SQLException {
    try (Connection connection = asRole.getConnection()) {
      Consolidation joined = Consolidation.on(asRole, OPTIONS).joining(connection);
      assertThatThrownBy(() -> joined.memories().find("mine", "mine1"))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("begin one first");
    }
  }

  @ParameterizedTest
  @EnumSource
  void a_load_goes_by_way_of_inserts_with_the_same_choices(OnConflict onConflict) {
    var memories = Consolidation.on(asRole, OPTIONS).memories();
    List<NewMemory> many = new ArrayList<>();
    for (int i = 0; i < 2_500; i++) {
      many.add(memory("mine", "pears " + i).id("load" + i).embedding(direction(3, i)).build());
    }
    LoadOptions options = LoadOptions.defaults().on(onConflict).commitEvery(1_000);
    LoadResult loaded = memories.load(many.iterator(), options);
    assertThat(loaded.inserted()).isEqualTo(2_500);
    assertThat(memories.searchByText("mine", TextQuery.of("pears 1700", 1)).hits()).hasSize(1);
    NewMemory again = memory("mine", "plums").id("load7").build();
    switch (onConflict) {
      case FAIL ->
          assertThatThrownBy(() -> memories.load(List.of(again).iterator(), options))
              .isInstanceOf(DuplicateIdException.class);
      case SKIP -> {
        assertThat(memories.load(List.of(again).iterator(), options).skipped()).isEqualTo(1);
        assertThat(memories.find("mine", "load7").orElseThrow().content()).isEqualTo("pears 7");
      }
      default -> {
        assertThat(memories.load(List.of(again).iterator(), options).replaced()).isEqualTo(1);
        assertThat(memories.find("mine", "load7").orElseThrow().content()).isEqualTo("plums");
      }
    }
    assertThatThrownBy(
            () ->
                memories.load(
                    List.of(
                            memory("mine", "x").id("new").build(),
                            memory("mine", "x").id("theirs2").build())
                        .iterator(),
                    LoadOptions.defaults().on(onConflict)))
        .isInstanceOf(DuplicateIdException.class)
        .hasMessageContaining("memory number 2");
    assertThat(memories.find("mine", "new")).isEmpty();
  }

  @Test
  void memories_of_several_projects_need_a_call_for_each() {
    var memories = Consolidation.on(asRole, OPTIONS).memories();
    List<NewMemory> two = List.of(memory("mine", "x").build(), memory("theirs", "y").build());
    assertThatThrownBy(() -> memories.insertAll(two))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("of one project");
    assertThatThrownBy(() -> memories.load(two.iterator(), LoadOptions.defaults()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("memory number 2: ");
    assertThatThrownBy(() -> memories.load(two.iterator(), LoadOptions.defaults().commitEvery(1)))
        .isInstanceOf(PartialLoadException.class);
    assertThatThrownBy(() -> RecallProbe.ofAllProjects(Consolidation.on(asRole, OPTIONS)))
        .isInstanceOf(InvalidInputException.class);
    assertThat(RecallProbe.ofProjects(Consolidation.on(asRole, OPTIONS), "mine").run().rows())
        .isNotEmpty();
  }

  @Test
  void only_the_workers_role_claims_jobs_of_all_projects_and_it_sees_no_more_memories()
      throws Exception {
    assertThat(Consolidation.on(asRole, OPTIONS).jobs().claimOfAllProjects(10)).isEmpty();
    assertThat(
            Consolidation.on(asRole, OPTIONS)
                .jobs()
                .rescueOfAllProjects(Duration.ofNanos(1_000), 10))
        .isEmpty();
    DataSource asWorker = source(worker);
    try (Connection connection = asWorker.getConnection()) {
      assertThat(query(connection, COUNTS)).isEqualTo("0 4");
    }
    Consolidation consolidation = Consolidation.on(asWorker, OPTIONS);
    CountDownLatch done = new CountDownLatch(2);
    try (JobWorker running =
        JobWorker.start(
            consolidation,
            run -> {
              run.phase(
                  "count",
                  () -> "",
                  (joined, connection, nothing) -> {
                    assertThat(query(connection, PROJECT)).isEqualTo(run.job().projectId());
                    assertThat(query(connection, "select count(*) from consolidated_memories"))
                        .isEqualTo("3");
                    return "{}";
                  });
              done.countDown();
            })) {
      assertThat(done.await(30, TimeUnit.SECONDS)).isTrue();
      assertThat(running.stop(Duration.ofSeconds(30))).isTrue();
    }
    for (String project : List.of("mine", "theirs")) {
      assertThat(consolidation.jobs().find(project, project + "_pending"))
          .map(ConsolidationJob::status)
          .contains(JobStatus.COMPLETED);
    }
    ConsolidationJobDao jobs = Consolidation.on(asRole, OPTIONS).jobs();
    for (String project : List.of("mine", "theirs")) {
      jobs.enqueue(NewJob.builder(project, TriggerType.MANUAL).build());
    }
    JobLease mine = jobs.claim("mine").orElseThrow().lease();
    JobLease theirs = jobs.claim("theirs").orElseThrow().lease();
    assertThat(jobs.completeOfAllProjects(Map.of(mine, "{}"))).containsExactly(mine);
    assertThat(jobs.completeAll("mine", Map.of(mine, "{}"))).isEmpty();
    assertThat(consolidation.jobs().completeOfAllProjects(Map.of(theirs, "{}"))).isEmpty();
    database.execute(Schema.workerGrantsScript(OPTIONS, worker));
    assertThat(Schema.on(database.pool(), OPTIONS).verify()).isEmpty();
  }

  @Test
  @Timeout(120)
  void a_flow_as_the_job_of_a_worker_of_all_projects_goes_through_each_on_its_own()
      throws Exception {
    Consolidation consolidation = Consolidation.on(source(worker), OPTIONS);
    ConsolidationFlow flow =
        ConsolidationFlow.of(
            PairQuery.of(0.99),
            cluster -> Optional.of(memory(cluster.projectId(), "made of them").build()));
    try (JobWorker running = JobWorker.start(consolidation, flow)) {
      for (String project : List.of("mine", "theirs")) {
        while (consolidation
            .jobs()
            .find(project, project + "_pending")
            .filter(job -> job.status() == JobStatus.COMPLETED)
            .isEmpty()) {
          Thread.sleep(10);
        }
      }
      assertThat(running.stop(Duration.ofSeconds(30))).isTrue();
    }
    assertThat(
            database.rows(
                """
                select project_id, array_to_string(source_memory_ids, ' ')
                from consolidated_memories where content = 'made of them' order by 1"""))
        .containsExactly("mine|mine2 mine3", "theirs|theirs2 theirs3");
  }

  @ParameterizedTest
  @Timeout(120)
  @ValueSource(booleans = {true, false})
  void a_workers_heartbeat_reaches_jobs_that_it_sees_in_their_own_project_only(boolean ofAll)
      throws Exception {
    Map<String, JobRun> runs = new ConcurrentHashMap<>();
    CountDownLatch begun = new CountDownLatch(ofAll ? 2 : 1);
    CountDownLatch end = new CountDownLatch(1);
    JobWorkerOptions options =
        JobWorkerOptions.defaults()
            .withProject(ofAll ? null : "mine")
            .withLeaseTime(Duration.ofSeconds(4));
    JobWorker running =
        JobWorker.start(
            Consolidation.on(ofAll ? source(worker) : asRole, OPTIONS),
            run -> {
              runs.put(run.job().id(), run);
              begun.countDown();
              end.await();
            },
            options,
            null);
    assertThat(begun.await(30, TimeUnit.SECONDS)).isTrue();
    awaitHeartbeats(runs.keySet());
    if (ofAll) {
      database.execute("drop policy consolidation_all_projects on consolidation_jobs");
      awaitHeartbeats(runs.keySet());
      Consolidation.on(asRole, OPTIONS).jobs().cancel("theirs", "theirs_pending");
      JobRun cancelled = runs.remove("theirs_pending");
      while (!cancelled.isLost()) {
        Thread.sleep(10);
      }
      awaitHeartbeats(runs.keySet());
    }
    assertThat(runs).hasSize(1);
    assertThat(runs.values()).noneMatch(JobRun::isLost);
    end.countDown();
    assertThat(running.stop(Duration.ofSeconds(30))).isTrue();
    assertThat(Consolidation.on(asRole, OPTIONS).jobs().find("mine", "mine_pending"))
        .map(ConsolidationJob::status)
        .contains(JobStatus.COMPLETED);
  }

  private void awaitHeartbeats(Set<String> jobs) throws Exception {
    String now = database.value("select clock_timestamp()");
    String beaten =
        "select count(*) from consolidation_jobs where id = any ('{%s}') and heartbeat_at > '%s'"
            .formatted(String.join(",", jobs), now);
    while (Integer.parseInt(database.value(beaten)) < jobs.size()) {
      Thread.sleep(10);
    }
  }

  @Test
  void through_a_pooler_nobody_has_the_project_of_another() throws Exception {
    assumeTrue(
        PgBouncer.program().isPresent(),
        "no pgbouncer on this machine (Debian and Ubuntu: the package pgbouncer)");
    int clients = 8;
    ExecutorService threads = Executors.newFixedThreadPool(clients);
    try (PgBouncer bouncer = PgBouncer.start(database.scratch(), role, "secret")) {
      DataSource pooled = bouncer.dataSource();
      Consolidation consolidation = Consolidation.on(pooled, OPTIONS);
      List<Future<?>> ends = new ArrayList<>();
      for (int i = 0; i < clients; i++) {
        String project = "p" + i;
        ends.add(
            threads.submit(
                () -> {
                  for (int n = 0; n < 25; n++) {
                    ConsolidatedMemory made =
                        consolidation.memories().insert(memory(project, "apples " + n).build());
                    assertThat(consolidation.memories().find(project, made.id())).isPresent();
                    consolidation
                        .jobs()
                        .enqueue(NewJob.builder(project, TriggerType.MANUAL).build());
                    try (Connection connection = pooled.getConnection()) {
                      assertThat(query(connection, COUNTS)).isEqualTo("0 0");
                    }
                  }
                  return consolidation.memories().export(project, all -> all.count());
                }));
      }
      for (Future<?> end : ends) {
        assertThat(end.get(60, TimeUnit.SECONDS)).isEqualTo(25L);
      }
    } finally {
      threads.shutdownNow();
    }
  }

  private static void name(Connection connection, String project) throws SQLException {
    query(connection, "select set_config('consolidation.project', '%s', true)".formatted(project));
  }

  private static String query(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      row.next();
      return row.getString(1);
    }
  }
}
