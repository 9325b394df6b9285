package io.agentmemory.consolidation.it.dao;

import static io.agentmemory.consolidation.it.dao.Samples.embedding;
import static io.agentmemory.consolidation.it.dao.Samples.memory;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.agentmemory.consolidation.dao.AbstractionLevel;
import io.agentmemory.consolidation.dao.ConsolidatedMemory;
import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.ContentTooLongException;
import io.agentmemory.consolidation.dao.DatabaseException;
import io.agentmemory.consolidation.dao.DuplicateIdException;
import io.agentmemory.consolidation.dao.InvalidInputException;
import io.agentmemory.consolidation.dao.LoadOptions;
import io.agentmemory.consolidation.dao.LoadResult;
import io.agentmemory.consolidation.dao.MemoryType;
import io.agentmemory.consolidation.dao.NewMemory;
import io.agentmemory.consolidation.dao.OnConflict;
import io.agentmemory.consolidation.dao.OnLineage;
import io.agentmemory.consolidation.dao.PartialLoadException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class LoadTest {
  @RegisterExtension final TestDatabase database = TestDatabase.withDimensions(3);

  private static final Instant THEN = Instant.parse("1969-02-03T04:05:06.789012Z");

  /** As many as anybody could send to a table. */
  private static final String MANY_WORDS =
      IntStream.range(0, 250_000).mapToObj(i -> "word" + i).collect(Collectors.joining(" "));

  private LoadResult load(OnConflict onConflict, NewMemory... memories) {
    return database.memories().load(List.of(memories).iterator(), options(onConflict));
  }

  private static LoadOptions options(OnConflict onConflict) {
    return LoadOptions.defaults().on(onConflict);
  }

  private static NewMemory given(String project, String id, String content) {
    return memory(project, content).id(id).build();
  }

  private String content(String project, String id) {
    return database.memories().find(project, id).orElseThrow().content();
  }

  private String count() throws SQLException {
    return String.valueOf(database.value("select count(*) from consolidated_memories"));
  }

  @ParameterizedTest
  @EnumSource
  void every_part_comes_back_as_it_went_in(OnConflict onConflict) {
    NewMemory full =
        NewMemory.builder("p 'x'", MemoryType.ERROR_FIX, AbstractionLevel.PRINCIPLE, "content")
            .id("m1\t\\N \"';--")
            .patternType("Wiederholung ↺")
            .confidence(0.75)
            .sourceMemoryIds(List.of("a", "b,c", "d\"e", "NULL", "ü"))
            .embedding(embedding(3, 1))
            .tags("jdbc", "{}", "NULL", "🐘")
            .consolidationMethod("by \\x hand")
            .createdAt(THEN)
            .updatedAt(THEN.plusSeconds(1))
            .consolidatedAt(Instant.parse("0001-01-01T00:00:00.000001Z"))
            .reuseCount(7)
            .build();
    load(onConflict, full);
    ConsolidatedMemory found =
        database.memories().withEmbeddings().find(full.projectId(), "m1\t\\N \"';--").orElseThrow();
    database.memories().delete(full.projectId(), found.id(), OnLineage.DETACH);
    assertThat(found).isEqualTo(database.memories().insert(full));
  }

  @Test
  void hostile_and_long_texts_come_back_exactly() {
    String pairs = "x" + "🐘ü€".repeat(20_000);
    List<String> texts =
        List.of(
            "",
            "\\.",
            "\\N",
            "\t\n\r\b\u0001",
            "%s ${x} {} :a ?",
            "\ufffd\uffff\ud83d\udc18",
            "é",
            "'; drop table x; --",
            "a".repeat(16_384),
            "a".repeat(16_385),
            pairs,
            "ä".repeat(65_537),
            "b".repeat(1_000_000));
    List<NewMemory> memories = new ArrayList<>();
    for (int i = 0; i < texts.size(); i++) {
      memories.add(given("p", "m" + i, texts.get(i)));
    }
    for (OnConflict onConflict : List.of(OnConflict.FAIL, OnConflict.REPLACE)) {
      database.memories().load(memories.iterator(), options(onConflict));
      for (int i = 0; i < texts.size(); i++) {
        assertThat(content("p", "m" + i)).isEqualTo(texts.get(i));
      }
    }
  }

  @Test
  void what_is_left_out_is_generated_with_one_time_for_the_whole_load() throws SQLException {
    LoadResult result =
        database
            .memories()
            .load(
                Stream.generate(() -> memory("p", "x").build()).limit(250).iterator(),
                LoadOptions.defaults().commitEvery(100));
    assertThat(result.read()).isEqualTo(250);
    assertThat(result.inserted()).isEqualTo(250);
    assertThat(
            database.value(
                """
                select count(distinct id) || ' ' || count(distinct created_at) || ' '
                  || count(distinct xmin::text) || ' '
                  || bool_and(created_at = updated_at and created_at = consolidated_at
                    and created_at between now() - interval '1 minute' and now())
                from consolidated_memories"""))
        .isEqualTo("250 1 3 true");
    assertThat(
            UUID.fromString(database.value("select min(id) from consolidated_memories")).version())
        .isEqualTo(7);
  }

  @Test
  void rows_come_through_wherever_the_buffer_ends() throws SQLException {
    database
        .memories()
        .load(
            IntStream.range(0, 60_000)
                .mapToObj(i -> given("p", "m" + i, "ä".repeat(i % 97) + i))
                .iterator(),
            LoadOptions.defaults());
    assertThat(
            database.value(
                """
                select count(*) from consolidated_memories
                where content = repeat('ä', substr(id, 2)::int % 97) || substr(id, 2)"""))
        .isEqualTo("60000");
  }

  @Test
  void fail_names_the_row_whose_id_is_taken_and_writes_nothing() throws SQLException {
    load(OnConflict.FAIL, given("theirs", "taken", "old"));
    for (String project : List.of("mine", "theirs")) {
      assertThatThrownBy(
              () ->
                  database
                      .memories()
                      .load(
                          IntStream.rangeClosed(1, 5_000)
                              .mapToObj(i -> given(project, i == 1_234 ? "taken" : "m" + i, "new"))
                              .iterator(),
                          LoadOptions.defaults()))
          .isInstanceOfSatisfying(
              DuplicateIdException.class, e -> assertThat(e.id()).isEqualTo("taken"))
          .hasMessageContaining("memory number 1234 ")
          .hasMessageNotContaining("theirs");
    }
    assertThat(count()).isEqualTo("1");
    assertThat(content("theirs", "taken")).isEqualTo("old");
  }

  @Test
  void fail_names_the_second_of_two_rows_with_one_id() {
    assertThatThrownBy(() -> load(OnConflict.FAIL, given("p", "a", "1"), given("p", "a", "2")))
        .isInstanceOf(DuplicateIdException.class)
        .hasMessageContaining("memory number 2 ");
  }

  @Test
  void skip_leaves_what_is_there_and_takes_the_first_of_two() {
    load(OnConflict.FAIL, given("p", "a", "old"));
    LoadResult result =
        load(
            OnConflict.SKIP,
            given("p", "a", "new"),
            given("p", "b", "first"),
            given("p", "b", "second"));
    assertThat(result).extracting(LoadResult::read, LoadResult::inserted).containsExactly(3L, 1L);
    assertThat(result)
        .extracting(LoadResult::skipped, LoadResult::replaced)
        .containsExactly(2L, 0L);
    assertThat(content("p", "a")).isEqualTo("old");
    assertThat(content("p", "b")).isEqualTo("first");
  }

  @Test
  void skip_takes_no_offence_at_a_row_that_is_deleted_meanwhile() throws SQLException {
    load(OnConflict.FAIL, given("p", "a", "old"));
    database.execute(
        """
        create function delete_all() returns trigger language plpgsql as $$
          begin delete from consolidated_memories; return null; end $$;
        create trigger meanwhile after insert on consolidated_memories
          for each statement execute function delete_all()""");
    LoadResult result = load(OnConflict.SKIP, given("p", "a", "new"));
    assertThat(result)
        .extracting(LoadResult::inserted, LoadResult::skipped)
        .containsExactly(0L, 1L);
  }

  @Test
  void replace_takes_the_last_of_two_and_moves_the_time_of_change_on() {
    Instant future = Instant.parse("2099-01-01T00:00:00Z");
    load(
        OnConflict.FAIL,
        memory("p", "old").id("a").updatedAt(future).tags("t").embedding(embedding(3, 1)).build());
    LoadResult result =
        load(
            OnConflict.REPLACE,
            given("p", "a", "new"),
            given("p", "b", "first"),
            given("p", "b", "second"));
    assertThat(result).extracting(LoadResult::read, LoadResult::inserted).containsExactly(3L, 1L);
    assertThat(result)
        .extracting(LoadResult::skipped, LoadResult::replaced)
        .containsExactly(0L, 2L);
    ConsolidatedMemory a = database.memories().withEmbeddings().find("p", "a").orElseThrow();
    assertThat(a.content()).isEqualTo("new");
    assertThat(a.tags()).isEmpty();
    assertThat(a.embedding()).isNull();
    assertThat(a.updatedAt()).isEqualTo(future.plusNanos(1_000));
    assertThat(content("p", "b")).isEqualTo("second");
  }

  @ParameterizedTest
  @EnumSource
  void an_id_of_another_project_fails_the_row_under_each_choice(OnConflict onConflict)
      throws SQLException {
    load(OnConflict.FAIL, given("theirs", "x", "old"));
    assertThatThrownBy(() -> load(onConflict, given("mine", "a", "1"), given("mine", "x", "2")))
        .isInstanceOf(DuplicateIdException.class)
        .hasMessageContaining("memory number 2 ")
        .hasMessageNotContaining("theirs");
    assertThatThrownBy(() -> load(onConflict, given("mine", "b", "1"), given("other", "b", "2")))
        .isInstanceOf(DuplicateIdException.class)
        .hasMessageContaining(
            onConflict == OnConflict.REPLACE ? "memory number 1 " : "memory number 2 ");
    assertThat(count()).isEqualTo("1");
    assertThat(content("theirs", "x")).isEqualTo("old");
  }

  @ParameterizedTest
  @EnumSource
  void what_does_not_fit_is_refused_by_its_number(OnConflict onConflict) throws SQLException {
    NewMemory good = memory("p", "x").build();
    NewMemory wrong = memory("p", "x").embedding(embedding(4, 1)).build();
    assertThatThrownBy(() -> load(onConflict, good, good, wrong))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("memory number 3: ")
        .hasMessageContaining("3 dimensions");
    Iterator<NewMemory> lazy =
        Stream.of("p", "", "p").map(project -> memory(project, "x").build()).iterator();
    assertThatThrownBy(() -> database.memories().load(lazy, options(onConflict)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("memory number 2: ")
        .hasMessageContaining("projectId");
    assertThatThrownBy(
            () ->
                database
                    .memories()
                    .load(Collections.<NewMemory>nCopies(1, null).iterator(), options(onConflict)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("memory number 1: ");
    assertThatThrownBy(
            () -> load(onConflict, good, good, memory("p", MANY_WORDS).id("long").build(), good))
        .isInstanceOfSatisfying(
            ContentTooLongException.class, e -> assertThat(e.id()).isEqualTo("long"))
        .hasMessageContaining("memory number 3,");
    assertThat(count()).isEqualTo("0");
  }

  @Test
  void the_server_names_the_row_of_any_other_refusal() throws SQLException {
    database.execute(
        "alter table consolidated_memories add constraint no_x check (content <> 'x')");
    assertThatThrownBy(() -> load(OnConflict.FAIL, given("p", "a", "1"), given("p", "b", "x")))
        .isInstanceOfSatisfying(
            DatabaseException.class, e -> assertThat(e.sqlState()).isEqualTo("23514"))
        .hasMessageContaining("memory number 2: ");
  }

  @Test
  void batches_stay_when_a_later_one_fails_and_the_exception_tells() throws SQLException {
    assertThatThrownBy(
            () ->
                database
                    .memories()
                    .load(
                        IntStream.rangeClosed(1, 100)
                            .mapToObj(i -> given("p", i == 35 ? "m3" : "m" + i, "x"))
                            .iterator(),
                        LoadOptions.defaults().commitEvery(10)))
        .isInstanceOfSatisfying(
            PartialLoadException.class,
            e -> {
              assertThat(e.committed().read()).isEqualTo(30);
              assertThat(e.committed().inserted()).isEqualTo(30);
            })
        .hasMessageContaining("memory number 35 ")
        .hasCauseInstanceOf(DuplicateIdException.class);
    assertThat(count()).isEqualTo("30");
  }

  @Test
  void a_joined_transaction_stays_the_callers() throws SQLException {
    try (Connection connection = database.pool().getConnection()) {
      connection.setAutoCommit(false);
      Consolidation joined = database.consolidation().joining(connection);
      for (OnConflict onConflict : OnConflict.values()) {
        joined
            .memories()
            .load(
                List.of(given("p", "a" + onConflict, "1"), given("p", "b" + onConflict, "1"))
                    .iterator(),
                options(onConflict).commitEvery(1));
        assertThatThrownBy(
                () ->
                    joined
                        .memories()
                        .load(
                            List.of(given("p", "c", "1"), given("q", "aFAIL", "1")).iterator(),
                            options(onConflict)))
            .isInstanceOf(DuplicateIdException.class);
      }
      assertThat(joined.memories().find("p", "c")).isEmpty();
      assertThat(joined.memories().find("p", "bREPLACE")).isPresent();
      assertThat(count()).isEqualTo("0");
      connection.commit();
      connection.setAutoCommit(true);
    }
    assertThat(count()).isEqualTo("6");
  }

  @Test
  void what_the_iterator_throws_ends_the_load_and_the_connection_goes_on() throws SQLException {
    for (int i = 0; i < 10; i++) {
      Iterator<NewMemory> broken =
          Stream.iterate(0, n -> n + 1)
              .map(
                  n -> {
                    if (n == 3) {
                      throw new IllegalStateException("source is broken");
                    }
                    return memory("p", "x").build();
                  })
              .iterator();
      assertThatThrownBy(() -> database.memories().load(broken, LoadOptions.defaults()))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("source is broken");
    }
    assertThat(count()).isEqualTo("0");
    assertThat(load(OnConflict.FAIL).read()).isZero();
  }

  @Test
  void a_timeout_ends_a_load_that_takes_too_long() throws SQLException {
    Iterator<NewMemory> endless = Stream.generate(() -> memory("p", "x").build()).iterator();
    assertThatThrownBy(
            () ->
                database
                    .consolidation()
                    .withTimeout(Duration.ofMillis(500))
                    .memories()
                    .load(endless, LoadOptions.defaults()))
        .isInstanceOfSatisfying(
            DatabaseException.class, e -> assertThat(e.sqlState()).isEqualTo("57014"));
    assertThat(count()).isEqualTo("0");
  }

  @Test
  void the_listener_hears_of_every_ten_thousand_rows_and_of_the_end() {
    List<Long> heard = new ArrayList<>();
    database
        .memories()
        .load(
            Stream.generate(() -> memory("p", "x").build()).limit(20_500).iterator(),
            LoadOptions.defaults().tell((rows, elapsed) -> heard.add(rows)));
    assertThat(heard).containsExactly(10_000L, 20_000L, 20_500L);
  }

  @Test
  void a_listener_that_fails_at_the_end_undoes_a_load_in_one_transaction() throws SQLException {
    LoadOptions failing = LoadOptions.defaults().tell(LoadTest::fail);
    assertThatThrownBy(() -> database.memories().load(three(), failing)).hasMessage("after 3");
    try (Connection connection = database.pool().getConnection()) {
      connection.setAutoCommit(false);
      var joined = database.consolidation().joining(connection).memories();
      assertThatThrownBy(() -> joined.load(three(), failing.commitEvery(2))).hasMessage("after 3");
      connection.commit();
      connection.setAutoCommit(true);
    }
    assertThat(count()).isEqualTo("0");
  }

  @Test
  void a_listener_that_fails_after_several_transactions_leaves_what_is_committed()
      throws SQLException {
    LoadOptions failing = LoadOptions.defaults().commitEvery(2).tell(LoadTest::fail);
    assertThatThrownBy(() -> database.memories().load(three(), failing))
        .isInstanceOfSatisfying(
            PartialLoadException.class, e -> assertThat(e.committed().read()).isEqualTo(3))
        .hasMessageContaining("after 3");
    assertThat(count()).isEqualTo("3");
    assertThatThrownBy(() -> database.memories().load(Collections.emptyIterator(), failing))
        .hasMessage("after 0");
  }

  private static void fail(long rows, Duration elapsed) {
    throw new IllegalStateException("after " + rows);
  }

  private static Iterator<NewMemory> three() {
    return Stream.generate(() -> memory("p", "x").build()).limit(3).iterator();
  }

  @ParameterizedTest
  @EnumSource
  void row_level_security_holds_for_a_load(OnConflict onConflict) throws SQLException {
    String role = "loader_" + UUID.randomUUID().toString().substring(0, 8);
    load(OnConflict.FAIL, given("theirs", "x", "old"), given("mine", "y", "old"));
    database.execute(
        """
        create role R;
        grant select, insert, update on consolidated_memories to R;
        grant select on consolidation_history to R;
        alter table consolidated_memories enable row level security;
        create policy mine on consolidated_memories to R using (project_id = 'mine');
        """
            .replace("R", role));
    try (Connection connection = database.connect("")) {
      try (var statement = connection.createStatement()) {
        statement.execute("set role " + role);
      }
      connection.setAutoCommit(false);
      var memories = database.consolidation().joining(connection).memories();
      LoadResult result =
          memories.load(
              List.of(given("mine", "a", "1"), given("mine", "b", "1")).iterator(),
              options(onConflict));
      assertThat(result.inserted()).isEqualTo(2);
      assertThatThrownBy(
              () ->
                  memories.load(
                      List.of(given("mine", "c", "1"), given("mine", "x", "1")).iterator(),
                      options(onConflict)))
          .isInstanceOfAny(DuplicateIdException.class, DatabaseException.class)
          .hasMessageNotContaining("theirs");
      if (onConflict == OnConflict.FAIL) {
        assertThatThrownBy(
                () ->
                    memories.load(
                        List.of(given("mine", "c", "1"), given("mine", "y", "1")).iterator(),
                        options(onConflict)))
            .isInstanceOf(DuplicateIdException.class)
            .hasMessageContaining("memory number 2 ");
      }
      assertThat(memories.find("mine", "c")).isEmpty();
      connection.commit();
    } finally {
      database.execute("drop owned by R; drop role R".replace("R", role));
    }
    assertThat(content("theirs", "x")).isEqualTo("old");
  }
}
