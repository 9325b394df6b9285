package io.agentmemory.consolidation.it.dao;

import static io.agentmemory.consolidation.it.dao.Samples.embedding;
import static io.agentmemory.consolidation.it.dao.Samples.memory;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.agentmemory.consolidation.dao.AbstractionLevel;
import io.agentmemory.consolidation.dao.ConsolidatedMemory;
import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.ContentTooLongException;
import io.agentmemory.consolidation.dao.DuplicateIdException;
import io.agentmemory.consolidation.dao.InvalidInputException;
import io.agentmemory.consolidation.dao.MemoryType;
import io.agentmemory.consolidation.dao.MemoryUpdate;
import io.agentmemory.consolidation.dao.NewMemory;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MemoryCrudTest {
  @RegisterExtension final TestDatabase database = TestDatabase.withDimensions(3);

  private static final Instant THEN = Instant.parse("2020-02-03T04:05:06.789012Z");

  private static NewMemory full() {
    return NewMemory.builder(
            "p", MemoryType.ERROR_FIX, AbstractionLevel.PRINCIPLE, "Ünïcode 🐘 'quoted' \\ \n end")
        .id("m1")
        .patternType("retry")
        .confidence(0.75)
        .sourceMemoryIds(List.of("a", "b,c", "d\"e"))
        .embedding(embedding(3, 1))
        .tags("jdbc", "{}", "NULL")
        .consolidationMethod("by hand")
        .createdAt(THEN)
        .updatedAt(THEN.plusSeconds(1))
        .consolidatedAt(THEN.plusSeconds(2))
        .reuseCount(7)
        .build();
  }

  @Test
  void every_part_comes_back_as_it_went_in() {
    NewMemory given = full();
    ConsolidatedMemory inserted = database.memories().insert(given);
    ConsolidatedMemory found = database.memories().withEmbeddings().find("p", "m1").orElseThrow();

    assertThat(found).isEqualTo(inserted);
    assertThat(found.content()).isEqualTo(given.content());
    assertThat(found.type()).isEqualTo(MemoryType.ERROR_FIX);
    assertThat(found.abstractionLevel()).isEqualTo(AbstractionLevel.PRINCIPLE);
    assertThat(found.patternType()).isEqualTo("retry");
    assertThat(found.confidence()).isEqualTo(0.75);
    assertThat(found.sourceMemoryIds()).containsExactly("a", "b,c", "d\"e");
    assertThat(found.sourceCount()).isEqualTo(3);
    assertThat(found.embedding()).isEqualTo(given.embedding());
    assertThat(found.tags()).containsExactly("jdbc", "{}", "NULL");
    assertThat(found.consolidationMethod()).isEqualTo("by hand");
    assertThat(found.createdAt()).isEqualTo(THEN);
    assertThat(found.updatedAt()).isEqualTo(THEN.plusSeconds(1));
    assertThat(found.consolidatedAt()).isEqualTo(THEN.plusSeconds(2));
    assertThat(found.reuseCount()).isEqualTo(7);
  }

  @Test
  void what_is_left_out_is_generated_by_the_library_and_the_databases_clock() throws SQLException {
    ConsolidatedMemory inserted = database.memories().insert(memory("p", "text").build());
    ConsolidatedMemory found = database.memories().find("p", inserted.id()).orElseThrow();

    assertThat(found).isEqualTo(inserted);
    assertThat(UUID.fromString(found.id()).version()).isEqualTo(7);
    assertThat(found.createdAt()).isEqualTo(found.updatedAt()).isEqualTo(found.consolidatedAt());
    assertThat(database.value("select now() - created_at < '1 minute' from consolidated_memories"))
        .isEqualTo("t");
    assertThat(found.patternType()).isNull();
    assertThat(found.confidence()).isNull();
    assertThat(found.embedding()).isNull();
    assertThat(found.tags()).isEmpty();
    assertThat(found.sourceCount()).isZero();
    assertThat(found.consolidationMethod()).isNull();
  }

  @Test
  void an_embedding_is_fetched_only_when_asked_for() {
    database.memories().insert(full());
    assertThat(database.memories().find("p", "m1").orElseThrow().embedding()).isNull();
  }

  @Test
  void what_a_newer_version_or_a_careless_hand_wrote_can_be_read() throws SQLException {
    database.memories().insert(full());
    database.execute(
        """
        alter table consolidated_memories drop constraint consolidated_memories_type_check;
        update consolidated_memories
        set memory_type = 'prophecy', tags = array[null, 'x', null], updated_at = 'infinity';
        """);
    ConsolidatedMemory found = database.memories().find("p", "m1").orElseThrow();
    assertThat(found.type()).isEqualTo(MemoryType.UNKNOWN);
    assertThat(found.tags()).containsExactly("x");
    assertThat(found.updatedAt()).isAfter(Instant.parse("9999-01-01T00:00:00Z"));

    database.execute("update consolidated_memories set tags = array[['y', null], ['', 'zß']]");
    assertThat(database.memories().find("p", "m1").orElseThrow().tags())
        .containsExactly("y", "", "zß");
    database.execute("update consolidated_memories set tags = null");
    assertThat(database.memories().find("p", "m1").orElseThrow().tags()).isEmpty();
  }

  @Test
  void many_go_in_together_in_order() {
    List<NewMemory> given =
        IntStream.range(0, 1_234)
            .mapToObj(
                i ->
                    memory("p" + i % 2, "memory " + i)
                        .embedding(i % 3 == 0 ? null : embedding(3, i))
                        .tags("t" + i)
                        .build())
            .toList();
    List<String> ids = database.memories().insertAll(given);

    assertThat(ids).hasSize(1_234).doesNotHaveDuplicates();
    List<ConsolidatedMemory> odd = database.memories().withEmbeddings().findAll("p1", ids);
    assertThat(odd).hasSize(617);
    assertThat(odd.get(3).content()).isEqualTo("memory 7");
    assertThat(odd.get(3).embedding()).isEqualTo(embedding(3, 7));
    assertThat(odd.get(1).embedding()).isNull();
    assertThat(odd.stream().map(ConsolidatedMemory::createdAt).distinct()).hasSize(1);
  }

  @Test
  void none_go_in_when_nothing_is_given() {
    assertThat(database.memories().insertAll(List.of())).isEmpty();
  }

  @Test
  void an_id_that_is_taken_is_refused_without_telling_by_whom() throws SQLException {
    database.memories().insert(memory("their-project", "their secret").id("m1").build());

    assertThatThrownBy(() -> database.memories().insert(memory("p", "mine").id("m1").build()))
        .isInstanceOf(DuplicateIdException.class)
        .hasMessageContaining("m1")
        .hasMessageNotContaining("their");
    assertThat(database.value("select content from consolidated_memories"))
        .isEqualTo("their secret");
  }

  @Test
  void an_id_that_is_taken_fails_the_whole_list_and_names_the_row() throws SQLException {
    database.memories().insert(memory("their-project", "their secret").id("m700").build());
    List<NewMemory> given =
        IntStream.range(0, 1_000)
            .mapToObj(i -> memory("p", "memory " + i).id("m" + i).build())
            .toList();

    assertThatThrownBy(() -> database.memories().insertAll(given))
        .isInstanceOf(DuplicateIdException.class)
        .hasMessageContaining("number 701")
        .hasMessageContaining("m700")
        .hasMessageNotContaining("their");
    assertThat(database.value("select count(*) from consolidated_memories")).isEqualTo("1");
  }

  /** The driver then counts none of the rows that it has put into one statement. */
  @ParameterizedTest
  @ValueSource(ints = {0, 3, 131, 699})
  void that_holds_too_where_the_driver_rewrites_batches(int taken) throws SQLException {
    database.memories().insert(memory("their-project", "their secret").id("m" + taken).build());
    List<NewMemory> given =
        IntStream.range(0, 700)
            .mapToObj(i -> memory("p", "memory " + i).id("m" + i).build())
            .toList();
    Consolidation rewriting =
        Consolidation.on(database.source("reWriteBatchedInserts=true"), database.options());

    assertThatThrownBy(() -> rewriting.memories().insertAll(given))
        .isInstanceOf(DuplicateIdException.class)
        .hasMessageContaining("number " + (taken + 1));
    assertThat(database.value("select count(*) from consolidated_memories")).isEqualTo("1");
    database.execute("delete from consolidated_memories");
    assertThat(rewriting.memories().insertAll(given)).hasSize(700);
    assertThat(database.value("select count(*) from consolidated_memories")).isEqualTo("700");
  }

  @Test
  void an_id_twice_in_a_list_is_refused_before_anything_is_sent() {
    assertThatThrownBy(
            () ->
                database
                    .memories()
                    .insertAll(
                        List.of(
                            memory("p", "a").id("x").build(),
                            memory("p", "b").build(),
                            memory("q", "c").id("x").build())))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("1 and 3");
  }

  @Test
  void a_failed_insert_leaves_a_joined_transaction_as_it_was() throws SQLException {
    database.memories().insert(memory("q", "theirs").id("taken").build());
    try (Connection connection = database.pool().getConnection()) {
      connection.setAutoCommit(false);
      var joined = database.consolidation().joining(connection).memories();
      joined.insert(memory("p", "first").id("first").build());
      assertThatThrownBy(() -> joined.insert(memory("p", "second").id("taken").build()))
          .isInstanceOf(DuplicateIdException.class);
      assertThatThrownBy(
              () ->
                  joined.insertAll(
                      List.of(
                          memory("p", "third").id("third").build(),
                          memory("p", "fourth").id("taken").build())))
          .isInstanceOf(DuplicateIdException.class);
      assertThatThrownBy(
              () ->
                  joined.insertAll(
                      List.of(
                          memory("p", "fifth").id("fifth").build(),
                          memory("p", differentWords()).id("sixth").build())))
          .isInstanceOf(ContentTooLongException.class);
      joined.insert(memory("p", "last").id("last").build());
      connection.commit();
    }
    assertThat(database.column("select id from consolidated_memories order by id"))
        .containsExactly("first", "last", "taken");
  }

  @Test
  void content_with_too_many_different_words_is_refused_and_named() throws SQLException {
    String content = differentWords();
    assertThatThrownBy(() -> database.memories().insert(memory("p", content).id("long").build()))
        .isInstanceOf(ContentTooLongException.class)
        .hasMessageContaining("long")
        .hasMessageContaining("1048575");

    List<NewMemory> given = new ArrayList<>();
    IntStream.range(0, 600).forEach(i -> given.add(memory("p", "memory " + i).build()));
    given.set(555, memory("p", content).id("long").build());
    assertThatThrownBy(() -> database.memories().insertAll(given))
        .isInstanceOf(ContentTooLongException.class)
        .hasMessageContaining("number 556");
    assertThat(database.value("select count(*) from consolidated_memories")).isEqualTo("0");

    ConsolidatedMemory there = database.memories().insert(memory("p", "short").build());
    assertThatThrownBy(
            () ->
                database
                    .memories()
                    .update(
                        "p",
                        there.id(),
                        MemoryUpdate.builder().content(content, null).build(),
                        there.updatedAt()))
        .isInstanceOf(ContentTooLongException.class);
  }

  private static String differentWords() {
    return IntStream.range(0, 150_000)
        .mapToObj(i -> "w" + Integer.toString(i * 7919, 36))
        .collect(Collectors.joining(" "));
  }

  @Test
  void a_long_content_of_few_words_is_no_problem() {
    String content = "again and again ".repeat(200_000);
    String id = database.memories().insert(memory("p", content).build()).id();
    assertThat(database.memories().find("p", id).orElseThrow().content()).isEqualTo(content);
  }

  @Test
  void memories_are_found_in_the_order_of_the_ids_that_were_asked_for() {
    for (String id : List.of("a", "b", "c")) {
      database.memories().insert(memory("p", id).id(id).build());
    }
    assertThat(database.memories().findAll("p", List.of("c", "x", "a", "c")))
        .extracting(ConsolidatedMemory::id)
        .containsExactly("c", "a");
    assertThat(database.memories().findAll("p", List.of())).isEmpty();
    assertThat(database.memories().find("p", "x")).isEmpty();
  }

  @Test
  void an_update_changes_what_it_says_and_nothing_else() {
    ConsolidatedMemory before = database.memories().insert(full());
    ConsolidatedMemory after =
        database
            .memories()
            .withEmbeddings()
            .update(
                "p",
                "m1",
                MemoryUpdate.builder()
                    .content("new text", embedding(3, 2))
                    .tags(List.of("new"))
                    .build(),
                before.updatedAt())
            .orElseThrow();

    assertThat(after.updatedAt()).isAfter(before.updatedAt());
    assertThat(after.content()).isEqualTo("new text");
    assertThat(after.embedding()).isEqualTo(embedding(3, 2));
    assertThat(after.tags()).containsExactly("new");
    assertThat(after)
        .usingRecursiveComparison()
        .ignoringFields("updatedAt", "content", "embedding", "tags")
        .isEqualTo(before);
    assertThat(database.memories().withEmbeddings().find("p", "m1")).contains(after);
  }

  @Test
  void an_update_can_change_and_clear_every_part() {
    ConsolidatedMemory before = database.memories().insert(full());
    ConsolidatedMemory cleared =
        database
            .memories()
            .withEmbeddings()
            .update(
                "p",
                "m1",
                MemoryUpdate.builder()
                    .type(MemoryType.WARNING)
                    .abstractionLevel(AbstractionLevel.GENERALIZED)
                    .embedding(null)
                    .patternType(null)
                    .confidence(null)
                    .tags(List.of())
                    .consolidationMethod(null)
                    .build(),
                before.updatedAt())
            .orElseThrow();
    assertThat(cleared.type()).isEqualTo(MemoryType.WARNING);
    assertThat(cleared.abstractionLevel()).isEqualTo(AbstractionLevel.GENERALIZED);
    assertThat(cleared.embedding()).isNull();
    assertThat(cleared.patternType()).isNull();
    assertThat(cleared.confidence()).isNull();
    assertThat(cleared.tags()).isEmpty();
    assertThat(cleared.consolidationMethod()).isNull();
    assertThat(cleared.content()).isEqualTo(before.content());
  }

  @Test
  void an_update_changes_nothing_when_somebody_was_faster() {
    ConsolidatedMemory before = database.memories().insert(full());
    MemoryUpdate mine = MemoryUpdate.builder().confidence(0.1).build();
    MemoryUpdate theirs = MemoryUpdate.builder().confidence(0.2).build();

    assertThat(database.memories().update("p", "m1", theirs, before.updatedAt())).isPresent();
    assertThat(database.memories().update("p", "m1", mine, before.updatedAt())).isEmpty();
    assertThat(database.memories().update("p", "nobody", mine, before.updatedAt())).isEmpty();
    assertThat(database.memories().find("p", "m1").orElseThrow().confidence()).isEqualTo(0.2);
  }

  @Test
  void the_time_of_the_last_change_grows_even_where_it_lies_in_the_future() {
    Instant future =
        Instant.now().plus(Duration.ofDays(400)).truncatedTo(java.time.temporal.ChronoUnit.MICROS);
    ConsolidatedMemory memory =
        database.memories().insert(memory("p", "text").updatedAt(future).build());
    for (int i = 1; i <= 3; i++) {
      memory =
          database
              .memories()
              .update(
                  "p",
                  memory.id(),
                  MemoryUpdate.builder().confidence(i / 10.0).build(),
                  memory.updatedAt())
              .orElseThrow();
      assertThat(memory.updatedAt()).isEqualTo(future.plusNanos(i * 1_000L));
    }
  }

  @Test
  void reuse_is_counted_and_is_no_change() {
    ConsolidatedMemory before = database.memories().insert(full());
    assertThat(database.memories().countReuse("p", List.of("m1", "nobody", "m1"))).isEqualTo(1);
    ConsolidatedMemory after = database.memories().find("p", "m1").orElseThrow();
    assertThat(after.reuseCount()).isEqualTo(8);
    assertThat(after.updatedAt()).isEqualTo(before.updatedAt());
    assertThat(database.memories().countReuse("p", List.of())).isZero();
  }

  @Test
  void reuse_is_counted_several_times_at_once() {
    database.memories().insert(full());
    database.memories().insert(memory("p", "often").id("m2").reuseCount(2147483000).build());
    assertThat(database.memories().countReuse("p", Map.of("m1", 5, "nobody", 1, "m2", 2147483647)))
        .isEqualTo(2);
    assertThat(database.memories().find("p", "m1").orElseThrow().reuseCount()).isEqualTo(12);
    assertThat(database.memories().find("p", "m2").orElseThrow().reuseCount())
        .isEqualTo(Integer.MAX_VALUE);
    assertThat(database.memories().countReuse("p", Map.of())).isZero();
    assertThatThrownBy(() -> database.memories().countReuse("p", Map.of("m1", 0)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("times must be at least 1, was 0 for \"m1\"");
  }

  @Test
  void reuse_counted_in_opposite_orders_at_the_same_time_is_not_lost() throws Exception {
    List<String> ids = IntStream.range(0, 50).mapToObj(i -> "r" + i).toList();
    ids.forEach(id -> database.memories().insert(memory("p", "text").id(id).build()));
    int rounds = 25;
    List<Object> results =
        Race.of(
            4,
            worker -> {
              List<String> order = new ArrayList<>(ids);
              Collections.shuffle(order, new Random(worker));
              Map<String, Integer> times = new LinkedHashMap<>();
              order.forEach(id -> times.put(id, worker + 1));
              for (int round = 0; round < rounds; round++) {
                database.memories().countReuse("p", times);
              }
              return "done";
            });
    assertThat(results).containsOnly("done");
    assertThat(database.memories().findAll("p", ids))
        .hasSize(50)
        .allMatch(memory -> memory.reuseCount() == rounds * (1 + 2 + 3 + 4));
  }

  @Test
  void a_count_of_any_size_writes_each_row_once_and_on_its_page() throws Exception {
    List<String> ids = IntStream.range(0, 10).mapToObj(i -> "r" + i).toList();
    ids.forEach(id -> database.memories().insert(memory("p", "text").id(id).build()));
    Map<String, Integer> times = new LinkedHashMap<>();
    ids.forEach(id -> times.put(id, 1_000));
    try (Connection connection = database.dataSource().getConnection()) {
      connection.setAutoCommit(false);
      Consolidation joined = database.consolidation().joining(connection);
      assertThat(joined.memories().countReuse("p", times)).isEqualTo(10);
      assertThat(
              TestDatabase.rows(
                  connection,
                  """
                  select n_tup_upd, n_tup_hot_upd from pg_stat_xact_user_tables
                  where relid = 'consolidated_memories'::regclass"""))
          .containsExactly("10|10");
    }
  }

  @Test
  @Timeout(120)
  void a_count_that_waits_for_a_memory_has_locked_none_that_comes_after_it() throws Exception {
    // In the table and in the call the last comes first.
    List<String> ids = List.of("c", "b", "a");
    ids.forEach(id -> database.memories().insert(memory("p", "text").id(id).build()));
    Consolidation hurried = database.consolidation().withTimeout(Duration.ofSeconds(30));
    try (Connection holder = database.dataSource().getConnection()) {
      holder.setAutoCommit(false);
      TestDatabase.rows(holder, "select from consolidated_memories where id = 'b' for update");
      CompletableFuture<Integer> waits =
          CompletableFuture.supplyAsync(() -> hurried.memories().countReuse("p", ids));
      while (database
          .rows(
              """
              select 1 from pg_stat_activity
              where wait_event_type = 'Lock' and datname = current_database()""")
          .isEmpty()) {
        Thread.sleep(10);
      }
      assertThat(
              database.column(
                  "select id from consolidated_memories order by id for update skip locked"))
          .containsExactly("c");
      assertThat(hurried.memories().countReuse("p", List.of("c"))).isEqualTo(1);
      holder.rollback();
      assertThat(waits.get()).isEqualTo(3);
    }
    assertThat(database.column("select reuse_count from consolidated_memories order by id"))
        .containsExactly("1", "1", "2");
  }

  @Test
  void a_count_and_a_new_row_of_the_host_that_refers_to_the_memory_do_not_wait_for_each_other()
      throws Exception {
    database.memories().insert(memory("p", "text").id("a").build());
    database.execute("create table cited (memory varchar references consolidated_memories)");
    Consolidation hurried = database.consolidation().withTimeout(Duration.ofSeconds(30));
    try (Connection host = database.dataSource().getConnection();
        Statement statement = host.createStatement()) {
      host.setAutoCommit(false);
      statement.execute("insert into cited values ('a')");
      assertThat(hurried.memories().countReuse("p", List.of("a"))).isEqualTo(1);
      host.commit();
      assertThat(database.consolidation().joining(host).memories().countReuse("p", List.of("a")))
          .isEqualTo(1);
      database.execute("set statement_timeout = '30s'; insert into cited values ('a')");
      host.commit();
    }
    assertThat(database.row("select count(*) from cited")).isEqualTo("2");
  }

  @Test
  void no_index_keeps_a_count_of_reuse_from_staying_on_its_page() throws SQLException {
    assertThat(
            database.column(
                """
                select i.indexrelid::regclass from pg_index as i join pg_attribute as a
                  on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
                where a.attrelid = 'consolidated_memories'::regclass
                  and a.attname = 'reuse_count'"""))
        .isEmpty();
  }
}
