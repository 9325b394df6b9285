package io.agentmemory.consolidation.it.dao;

import static io.agentmemory.consolidation.it.dao.Samples.direction;
import static io.agentmemory.consolidation.it.dao.Samples.memory;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.agentmemory.consolidation.dao.ConsolidatedMemory;
import io.agentmemory.consolidation.dao.ConsolidatedMemoryDao;
import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.ConsolidationJob;
import io.agentmemory.consolidation.dao.DatabaseException;
import io.agentmemory.consolidation.dao.FusedQuery;
import io.agentmemory.consolidation.dao.LoadOptions;
import io.agentmemory.consolidation.dao.MemoryFilter;
import io.agentmemory.consolidation.dao.MemoryUpdate;
import io.agentmemory.consolidation.dao.NewJob;
import io.agentmemory.consolidation.dao.NewMemory;
import io.agentmemory.consolidation.dao.OnConflict;
import io.agentmemory.consolidation.dao.OnLineage;
import io.agentmemory.consolidation.dao.Outcome;
import io.agentmemory.consolidation.dao.PageRequest;
import io.agentmemory.consolidation.dao.Sources;
import io.agentmemory.consolidation.dao.TextQuery;
import io.agentmemory.consolidation.dao.TriggerType;
import io.agentmemory.consolidation.dao.VectorQuery;
import io.agentmemory.consolidation.schema.Finding;
import io.agentmemory.consolidation.schema.HostTable;
import io.agentmemory.consolidation.schema.Schema;
import io.agentmemory.consolidation.schema.SchemaException;
import io.agentmemory.consolidation.schema.SchemaOptions;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Iterator;
import java.util.List;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * A role that owns nothing, creates nothing and has what the grants script gives it; the extension
 * and the tables are in schemas of their own, and tables of the same names are first in its path.
 */
class ApplicationRoleTest {
  private static final String SCHEMA = "Our \"own\"";
  private static final SchemaOptions OPTIONS =
      SchemaOptions.builder()
          .schema(SCHEMA)
          .dimensions(3)
          .hostTable(HostTable.created(SCHEMA))
          .build();

  @RegisterExtension
  final TestDatabase database =
      TestDatabase.with(OPTIONS)
          .after(
              """
              create schema ext;
              create extension vector schema ext;
              revoke all on schema public from public;
              create schema hostile;
              create table hostile.task_memories (id int);
              create table hostile.consolidated_memories (id int);
              create table hostile.consolidation_jobs (id int);
              create table hostile.consolidation_history (id int);
              create domain hostile.vector as int;
              """);

  private String role;
  private DataSource dataSource;

  @BeforeEach
  void createTheRole() throws SQLException {
    String name = database.value("select current_database()");
    role = name + " \"app\"";
    database.execute("create role " + quoted() + " login password 'secret'");
    database.execute("alter role " + quoted() + " set search_path = hostile, public");
    database.execute("grant usage on schema hostile to " + quoted());
    database.execute("grant all on all tables in schema hostile to " + quoted());
    PGSimpleDataSource source = database.source("ApplicationName=role");
    source.setUser(role);
    source.setPassword("secret");
    dataSource = source;
  }

  private String quoted() {
    return '"' + role.replace("\"", "\"\"") + '"';
  }

  @AfterEach
  void dropTheRole() throws SQLException {
    database.execute("drop owned by " + quoted());
    database.execute("drop role " + quoted());
  }

  private List<Finding> findings() {
    return Schema.on(dataSource, OPTIONS).checkUp().stream()
        .filter(finding -> finding.severity() == Finding.Severity.ERROR)
        .toList();
  }

  private static void useEverything(Consolidation c) {
    ConsolidatedMemoryDao memories = c.memories().withEmbeddings();
    memories.insert(memory("p", "green apples").id("a").embedding(direction(3, 1)).build());
    memories.insertAll(
        List.of(
            memory("p", "red apples").id("b").embedding(direction(3, 40)).build(),
            memory("p", "pears").id("c").sourceMemoryIds(List.of("a")).build()));
    assertThat(memories.findAll("p", List.of("a", "b"))).hasSize(2);
    assertThat(memories.list("p", MemoryFilter.none(), PageRequest.first(9)).items()).hasSize(3);
    assertThat(memories.searchByVector("p", VectorQuery.of(direction(3, 2), 1)).hits()).hasSize(1);
    assertThat(memories.searchByText("p", TextQuery.of("apples", 9)).hits()).hasSize(2);
    assertThat(memories.searchFused("p", FusedQuery.of("red apples", direction(3, 2), 9)).hits())
        .isNotEmpty();
    ConsolidatedMemory b = memories.find("p", "b").orElseThrow();
    assertThat(
            memories.update(
                "p", "b", MemoryUpdate.builder().confidence(0.5).build(), b.updatedAt()))
        .isPresent();
    assertThat(memories.countReuse("p", List.of("a", "b"))).isEqualTo(2);
    assertThat(memories.delete("p", "a", OnLineage.DETACH)).isTrue();

    assertThat(c.taskMemories().unconsolidated("p", PageRequest.first(9)).items()).hasSize(2);
    c.consolidate(memory("p", "both").build(), Sources.ofTaskMemories("t1", "t2"));
    assertThat(c.taskMemories().unconsolidated("p", PageRequest.first(9)).items()).isEmpty();
    c.consolidate(memory("p", "fruit").build(), Sources.ofMemories("b", "c"));

    c.jobs().enqueue(NewJob.builder("p", TriggerType.MANUAL).id("j").build());
    ConsolidationJob job = c.jobs().claim("p").orElseThrow();
    c.jobs().recordPhase(job.lease(), "cluster", "{}");
    c.jobs().complete(job.lease(), "{}");
    assertThat(c.jobs().list("p", PageRequest.first(9)).items()).hasSize(1);
    assertThat(memories.deleteProject("p", 10)).isEqualTo(4);
  }

  @Test
  void does_everything_with_what_the_grants_script_gives_and_reaches_no_hostile_table()
      throws SQLException {
    database.execute(Schema.grantsScript(OPTIONS, role));
    database.execute(
        """
        insert into "Our \""own\""".task_memories (id, project_id, task_id, execution_summary, success)
        values ('t1', 'p', 't', 'said', true), ('t2', 'p', 't', 'said', true)""");
    assertThat(findings()).isEmpty();
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("create temp table consolidated_memories (id int)");
      statement.execute("create temp table consolidation_history (id int)");
      connection.setAutoCommit(false);
      useEverything(Consolidation.on(dataSource, OPTIONS).joining(connection));
      connection.commit();
    }
    assertThat(database.value("select count(*) from hostile.consolidated_memories")).isEqualTo("0");
  }

  @Test
  void may_neither_change_the_schema_nor_forge_the_history() throws SQLException {
    database.execute(Schema.grantsScript(OPTIONS, role));
    assertThatThrownBy(() -> Schema.on(dataSource, OPTIONS).downgradeToNothing())
        .isInstanceOf(SchemaException.class);
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement()) {
      for (String refused :
          List.of(
              "delete from \"Our \"\"own\"\"\".consolidation_history",
              "update \"Our \"\"own\"\"\".task_memories set success = false",
              "delete from \"Our \"\"own\"\"\".task_memories",
              "create table \"Our \"\"own\"\"\".mine (id int)")) {
        assertThatThrownBy(() -> statement.execute(refused))
            .as(refused)
            .hasMessageContaining("permission denied");
      }
    }
  }

  @Test
  void is_told_each_grant_that_it_lacks_and_these_suffice() throws SQLException {
    assertThat(findings())
        .extracting(Finding::remedy)
        .containsExactly(
            "GRANT USAGE ON SCHEMA \"ext\" TO " + quoted(),
            "GRANT USAGE ON SCHEMA \"Our \"\"own\"\"\" TO " + quoted());
    runRemedies();
    assertThat(findings())
        .extracting(Finding::remedy)
        .contains(
            "GRANT SELECT ON TABLE \"Our \"\"own\"\"\".\"consolidation_history\" TO " + quoted(),
            "GRANT UPDATE (\"is_consolidated\") ON TABLE \"Our \"\"own\"\"\".\"task_memories\" TO "
                + quoted())
        .hasSize(12);
    runRemedies();
    assertThat(findings()).isEmpty();
  }

  @Test
  void loads_that_skip_need_temporary_where_it_was_revoked_from_public() throws SQLException {
    database.execute(Schema.grantsScript(OPTIONS, role));
    String ofDatabase = " temporary on database \"" + database.value("select current_database()");
    database.execute("revoke" + ofDatabase + "\" from public");
    ConsolidatedMemoryDao memories = Consolidation.on(dataSource, OPTIONS).memories();
    LoadOptions skipping = LoadOptions.defaults().on(OnConflict.SKIP);

    assertThatThrownBy(() -> memories.load(pears(), skipping))
        .isInstanceOfSatisfying(
            DatabaseException.class,
            refused -> {
              assertThat(refused.sqlState()).isEqualTo("42501");
              assertThat(refused.outcome()).isEqualTo(Outcome.DID_NOT_HAPPEN);
            });
    memories.load(pears(), LoadOptions.defaults());
    database.execute("grant" + ofDatabase + "\" to " + quoted());
    assertThat(memories.load(pears(), skipping).skipped()).isEqualTo(1);
  }

  private static Iterator<NewMemory> pears() {
    return List.of(memory("p", "pears").id("pears").build()).iterator();
  }

  private void runRemedies() throws SQLException {
    for (Finding finding : findings()) {
      database.execute(finding.remedy());
    }
  }
}
