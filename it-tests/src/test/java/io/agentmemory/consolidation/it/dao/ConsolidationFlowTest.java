package io.agentmemory.consolidation.it.dao;

import static io.agentmemory.consolidation.it.dao.Samples.direction;
import static io.agentmemory.consolidation.it.dao.Samples.memory;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.agentmemory.consolidation.dao.AbstractionLevel;
import io.agentmemory.consolidation.dao.CallResult;
import io.agentmemory.consolidation.dao.ConsolidatedMemory;
import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.ConsolidationFlow;
import io.agentmemory.consolidation.dao.ConsolidationObserver;
import io.agentmemory.consolidation.dao.Consolidator;
import io.agentmemory.consolidation.dao.FlowResult;
import io.agentmemory.consolidation.dao.InvalidInputException;
import io.agentmemory.consolidation.dao.InvalidSourcesException;
import io.agentmemory.consolidation.dao.MemoryCluster;
import io.agentmemory.consolidation.dao.MemoryFilter;
import io.agentmemory.consolidation.dao.MemoryType;
import io.agentmemory.consolidation.dao.MemoryUpdate;
import io.agentmemory.consolidation.dao.NewMemory;
import io.agentmemory.consolidation.dao.ObservedCall;
import io.agentmemory.consolidation.dao.OnLineage;
import io.agentmemory.consolidation.dao.PageRequest;
import io.agentmemory.consolidation.dao.PairQuery;
import io.agentmemory.consolidation.dao.Sources;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Without a job. Two memories are alike whose directions are less than 8 degrees apart. */
@Timeout(60)
class ConsolidationFlowTest {
  private static final PairQuery ALIKE = PairQuery.of(0.99);

  @RegisterExtension final TestDatabase database = TestDatabase.withDimensions(3);

  private final List<MemoryCluster> asked = new ArrayList<>();

  private void insert(String project, String id, double degrees) {
    database
        .memories()
        .insert(memory(project, "says " + id).id(id).embedding(direction(3, degrees)).build());
  }

  /** a and b are alike, c, d and e are alike, f is alone. */
  private void sixMemories() {
    insert("p", "a", 0);
    insert("p", "b", 1);
    insert("p", "c", 40);
    insert("p", "d", 41);
    insert("p", "e", 42);
    insert("p", "f", 80);
  }

  private static NewMemory made(MemoryCluster cluster) {
    return memory(cluster.projectId(), "what they say")
        .id("of " + String.join("", cluster.ids()))
        .embedding(cluster.memories().get(0).embedding())
        .confidence(cluster.similarity())
        .build();
  }

  private ConsolidationFlow flow() {
    return flow(cluster -> Optional.of(made(cluster)));
  }

  private ConsolidationFlow flow(Consolidator consolidator) {
    return ConsolidationFlow.of(
        ALIKE,
        cluster -> {
          asked.add(cluster);
          return consolidator.consolidate(cluster);
        });
  }

  private FlowResult run(ConsolidationFlow flow) throws Exception {
    return flow.run(database.consolidation(), "p");
  }

  private List<String> made() throws SQLException {
    return database.column(
        "select id from consolidated_memories where source_count > 0 order by id collate \"C\"");
  }

  @Test
  void what_is_alike_becomes_one_memory_with_its_lineage() throws Exception {
    sixMemories();
    assertThat(run(flow())).isEqualTo(new FlowResult(4, 2, 2, 0, 0, 0));
    assertThat(made()).containsExactly("of ab", "of cde");
    ConsolidatedMemory made = database.memories().find("p", "of cde").orElseThrow();
    assertThat(made.sourceMemoryIds()).containsExactly("c", "d", "e");
    assertThat(made.confidence()).isCloseTo(Math.cos(Math.toRadians(2)), within());

    assertThat(run(flow())).as("a second run").isEqualTo(new FlowResult(0, 0, 0, 0, 0, 0));
  }

  private static org.assertj.core.data.Offset<Double> within() {
    return org.assertj.core.data.Offset.offset(1e-6);
  }

  @Test
  void the_application_is_given_the_memories_and_no_connection_is_held_meanwhile()
      throws Exception {
    sixMemories();
    run(
        flow(
            cluster -> {
              assertThat(database.pool().getHikariPoolMXBean().getActiveConnections()).isZero();
              return Optional.empty();
            }));
    assertThat(asked).hasSize(2);
    MemoryCluster cluster = asked.stream().filter(c -> c.memories().size() == 3).findFirst().get();
    assertThat(cluster.memories())
        .isEqualTo(database.memories().withEmbeddings().findAll("p", List.of("c", "d", "e")));
    assertThat(asked).extracting(MemoryCluster::key).doesNotHaveDuplicates();
    assertThat(cluster.key()).matches("[0-9a-f]{32}");
  }

  @Test
  void a_chain_does_not_become_one() throws Exception {
    for (int i = 0; i < 6; i++) {
      insert("p", "m" + i, i * (5 + i / 10.0));
    }
    run(flow());
    assertThat(asked)
        .isNotEmpty()
        .allSatisfy(
            cluster -> {
              assertThat(cluster.memories()).hasSize(2);
              assertThat(cluster.similarity()).isGreaterThan(0.99);
            });
  }

  @Test
  void clusters_are_no_larger_than_allowed_and_later_runs_finish_what_is_more() throws Exception {
    for (int i = 0; i < 10; i++) {
      insert("p", "m" + i, 0);
    }
    ConsolidationFlow flow = flow().withMostInCluster(4);
    assertThat(run(flow)).isEqualTo(new FlowResult(45, 3, 3, 0, 0, 0));
    assertThat(asked).extracting(c -> c.memories().size()).containsExactlyInAnyOrder(4, 4, 2);
    assertThat(run(flow).consolidated()).isEqualTo(1);
    assertThat(run(flow).clusters()).isZero();
  }

  @Test
  void what_the_application_declines_stays_as_it_is() throws Exception {
    sixMemories();
    FlowResult result =
        run(
            flow(
                cluster ->
                    cluster.memories().size() == 2
                        ? Optional.empty()
                        : Optional.of(made(cluster))));
    assertThat(result).isEqualTo(new FlowResult(4, 2, 1, 1, 0, 0));
    assertThat(made()).containsExactly("of cde");
  }

  @Test
  void nothing_is_stored_when_a_memory_was_consolidated_changed_or_deleted_meanwhile()
      throws Exception {
    List<Consolidator> meanwhile =
        List.of(
            cluster -> {
              database
                  .consolidation()
                  .consolidate(memory("p", "other").id("other").build(), Sources.ofMemories("a"));
              return Optional.of(made(cluster));
            },
            cluster -> {
              ConsolidatedMemory a = database.memories().find("p", "a").orElseThrow();
              MemoryUpdate correction =
                  MemoryUpdate.builder().content("corrected", direction(3, 0)).build();
              assertThat(database.memories().update("p", "a", correction, a.updatedAt()))
                  .isPresent();
              return Optional.of(made(cluster));
            },
            cluster -> {
              database.memories().delete("p", "a", OnLineage.REFUSE);
              return Optional.of(made(cluster));
            });
    for (Consolidator change : meanwhile) {
      insert("p", "a", 0);
      insert("p", "b", 1);
      assertThat(run(flow(change))).isEqualTo(new FlowResult(1, 1, 0, 0, 1, 0));
      assertThat(database.memories().find("p", "of ab")).isEmpty();
      database.memories().deleteProject("p", 10);
    }
  }

  @Test
  void a_cluster_that_is_no_longer_whole_is_not_thought_about() throws Exception {
    sixMemories();
    FlowResult result =
        run(
            flow(
                cluster -> {
                  String other = cluster.ids().contains("a") ? "c" : "a";
                  database
                      .consolidation()
                      .consolidate(
                          memory("p", "other").id("other").build(), Sources.ofMemories(other));
                  return Optional.of(made(cluster));
                }));
    assertThat(result).isEqualTo(new FlowResult(4, 2, 1, 0, 1, 0));
    assertThat(asked).hasSize(1);
  }

  @Test
  void a_cluster_that_has_changed_since_its_pairs_were_found_is_not_thought_about()
      throws Exception {
    List<MemoryUpdate> changes =
        List.of(
            MemoryUpdate.builder().content("says something else", direction(3, 85)).build(),
            MemoryUpdate.builder().content("says nothing", null).build(),
            MemoryUpdate.builder().type(MemoryType.WARNING).build());
    for (MemoryUpdate change : changes) {
      sixMemories();
      asked.clear();
      ConsolidationFlow flow =
          ConsolidationFlow.of(
              ALIKE.withFilter(MemoryFilter.none().types(MemoryType.DECISION)),
              cluster -> {
                asked.add(cluster);
                update(cluster.ids().contains("a") ? "c" : "a", change);
                return Optional.of(made(cluster));
              });
      assertThat(run(flow)).isEqualTo(new FlowResult(4, 2, 1, 0, 1, 0));
      assertThat(asked).hasSize(1);
      database.memories().deleteProject("p", 10);
    }
  }

  @Test
  void a_change_after_which_the_query_still_holds_is_part_of_what_is_thought_about()
      throws Exception {
    sixMemories();
    run(
        flow(
            cluster -> {
              if (asked.size() == 1) {
                boolean first = cluster.ids().contains("a");
                update(
                    first ? "c" : "a",
                    MemoryUpdate.builder()
                        .content("changed", direction(3, first ? 41 : 1))
                        .build());
              }
              return Optional.of(made(cluster));
            }));
    assertThat(made()).containsExactly("of ab", "of cde");
    assertThat(asked.get(1).memories()).extracting(ConsolidatedMemory::content).contains("changed");
  }

  private void update(String id, MemoryUpdate change) {
    ConsolidatedMemory before = database.memories().find("p", id).orElseThrow();
    assertThat(database.memories().update("p", id, change, before.updatedAt())).isPresent();
  }

  @Test
  void a_level_raised_while_the_application_thinks_is_no_mistake_of_the_applications()
      throws Exception {
    insert("p", "a", 0);
    insert("p", "b", 1);
    MemoryUpdate raised =
        MemoryUpdate.builder().abstractionLevel(AbstractionLevel.PRINCIPLE).build();
    FlowResult result =
        run(
            flow(
                cluster -> {
                  update("a", raised);
                  return Optional.of(made(cluster));
                }));
    assertThat(result).isEqualTo(new FlowResult(1, 1, 0, 0, 1, 0));
  }

  @Test
  void a_memory_that_has_the_id_of_a_task_memory_keeps_no_others_from_becoming_one()
      throws Exception {
    sixMemories();
    database.taskMemory("c", "p");
    database.taskMemory("a", "q");
    assertThat(run(flow())).isEqualTo(new FlowResult(2, 2, 2, 0, 0, 0));
    assertThat(made()).containsExactly("of ab", "of de");
    assertThat(run(flow())).as("a second run").isEqualTo(new FlowResult(0, 0, 0, 0, 0, 0));
  }

  @Test
  void a_search_for_pairs_that_takes_too_long_is_made_again_for_fewer_memories() throws Exception {
    sixMemories();
    List<CallResult> searches = new ArrayList<>();
    try (Connection lock = database.pool().getConnection();
        Statement statement = lock.createStatement()) {
      lock.setAutoCommit(false);
      statement.execute("lock table consolidated_memories in access exclusive mode");
      ConsolidationObserver unlocking =
          new ConsolidationObserver() {
            @Override
            public void called(ObservedCall call) {
              if (call.operation().equals("memories.similarPairs")) {
                searches.add(call.result());
                unlock(lock);
              }
            }
          };
      Consolidation hasty =
          database.consolidation().withTimeout(Duration.ofSeconds(2)).observedBy(unlocking);
      assertThat(flow().run(hasty, "p")).isEqualTo(new FlowResult(4, 2, 2, 0, 0, 0));
    }
    assertThat(searches).startsWith(CallResult.FAILED).endsWith(CallResult.SUCCESS);
    assertThat(made()).containsExactly("of ab", "of cde");
  }

  private static void unlock(Connection lock) {
    try {
      lock.rollback();
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void what_the_application_throws_ends_the_run_and_the_next_one_goes_on() throws Exception {
    sixMemories();
    assertThatThrownBy(
            () ->
                run(
                    flow(
                        cluster -> {
                          if (asked.size() == 2) {
                            throw new IllegalStateException("no model");
                          }
                          return Optional.of(made(cluster));
                        })))
        .hasMessage("no model");
    assertThat(made()).hasSize(1);
    assertThat(run(flow())).matches(result -> result.consolidated() == 1);
    assertThat(made()).containsExactly("of ab", "of cde");
  }

  @Test
  void another_projects_memories_are_in_no_cluster() throws Exception {
    sixMemories();
    insert("q", "x", 0);
    insert("q", "y", 1);
    insert("q", "z", 80);
    List<ConsolidatedMemory> before = theirs();
    run(flow());
    assertThat(asked)
        .hasSize(2)
        .allMatch(c -> c.memories().stream().allMatch(m -> m.projectId().equals("p")));
    assertThat(theirs()).isEqualTo(before);
    assertThat(flow().run(database.consolidation(), "q").consolidated()).isEqualTo(1);
  }

  private List<ConsolidatedMemory> theirs() {
    return database.memories().list("q", MemoryFilter.none(), PageRequest.first(100)).items();
  }

  @Test
  void the_querys_filter_holds() throws Exception {
    sixMemories();
    ConsolidationFlow warnings =
        ConsolidationFlow.of(
            ALIKE.withFilter(MemoryFilter.none().types(MemoryType.WARNING)),
            cluster -> Optional.of(made(cluster)));
    assertThat(run(warnings).clusters()).isZero();
  }

  @Test
  void two_runs_beside_each_other_consolidate_no_memory_twice() throws Exception {
    int clusters = 20;
    for (int i = 0; i < clusters; i++) {
      insert("p", "left" + i, i * 17);
      insert("p", "right" + i, i * 17 + 1);
    }
    ConsolidationFlow flow =
        ConsolidationFlow.of(
            ALIKE,
            cluster -> {
              Thread.sleep(2);
              return Optional.of(made(cluster));
            });
    List<Object> results = Race.of(3, worker -> run(flow));
    assertThat(results)
        .allMatch(result -> result instanceof FlowResult)
        .extracting(result -> ((FlowResult) result).consolidated())
        .satisfies(each -> assertThat(each.stream().mapToInt(n -> n).sum()).isEqualTo(clusters));
    assertThat(made()).hasSize(clusters);
    assertThat(
            database.value(
                """
                select count(distinct source) from (
                  select unnest(source_memory_ids) as source from consolidated_memories) as s"""))
        .isEqualTo("" + 2 * clusters);
  }

  @Test
  void an_interrupt_ends_it_between_clusters() throws Exception {
    sixMemories();
    assertThatThrownBy(
            () ->
                run(
                    flow(
                        cluster -> {
                          Thread.currentThread().interrupt();
                          return Optional.empty();
                        })))
        .isInstanceOf(InterruptedException.class);
    assertThat(Thread.interrupted()).isFalse();
    assertThat(asked).hasSize(1);
  }

  @Test
  void what_cannot_be_stored_is_refused() throws Exception {
    sixMemories();
    refused(cluster -> Optional.of(memory("q", "theirs").build()), "must be of the project \"p\"");
    refused(cluster -> null, "what the consolidator returned must not be null");
    assertThatThrownBy(() -> flow().withMostInCluster(1)).isInstanceOf(InvalidInputException.class);
    try (Connection connection = database.pool().getConnection()) {
      assertThatThrownBy(() -> flow().run(database.consolidation().joining(connection), "p"))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("joined");
    }
    database
        .memories()
        .insert(
            NewMemory.builder(
                    "p", MemoryType.LEARNING, AbstractionLevel.PRINCIPLE, "a general principle")
                .id("g")
                .embedding(direction(3, 80))
                .build());
    assertThatThrownBy(() -> run(flow())).isInstanceOf(InvalidSourcesException.class);
    assertThat(database.memories().find("p", "of fg")).isEmpty();
  }

  private void refused(Consolidator consolidator, String message) throws SQLException {
    assertThatThrownBy(() -> run(flow(consolidator)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(message);
    assertThat(made()).isEmpty();
    assertThat(database.memories().similarPairs("p", ALIKE, PageRequest.first(10)).pairs())
        .hasSize(4);
  }
}
