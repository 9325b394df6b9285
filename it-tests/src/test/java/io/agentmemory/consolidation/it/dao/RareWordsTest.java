package io.agentmemory.consolidation.it.dao;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.MemoryFilter;
import io.agentmemory.consolidation.dao.SearchResult;
import io.agentmemory.consolidation.dao.TextHit;
import io.agentmemory.consolidation.dao.TextQuery;
import io.agentmemory.consolidation.dao.WordMatch;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Questions in projects of 300 to 12,000 memories, whose words are as skewed as those of a
 * language: word {@code i} of 2,000 is in about one of {@code i} memories.
 */
class RareWordsTest {
  private static final String FULL_WEIGHTING =
      """
      with words as (
        select lexeme, ('''' || replace(replace(lexeme, '\\', '\\\\'), '''', '''''') || '''')::tsquery
          as word
        from unnest(to_tsvector('english', ?))
      ),
      weights as (
        select word, round(1e8 * ln(1 + (n - f + 0.5) / (f + 0.5))) as weight
        from (
          select word, f, (select count(*) from consolidated_memories where project_id = ?)::float8
            as n
          from (
            select word, lexeme, (select count(*) from consolidated_memories
              where project_id = ? and content_tsv @@ word)::float8 as f
            from words
          ) as found
          where f > 0 order by f, lexeme collate "C" limit 32
        ) as counted
      )
      select id, sum(weight) / 1e8 as score
      from consolidated_memories join weights on content_tsv @@ word
      where project_id = ?
      group by id order by score desc, id limit 10""";

  @RegisterExtension static final TestDatabase database = TestDatabase.withDimensions(3);

  @BeforeAll
  static void fill() throws SQLException {
    database.execute(
        """
        select setseed(0.25);
        insert into consolidated_memories (id, project_id, content, memory_type,
          abstraction_level, source_memory_ids, tags, created_at, updated_at, consolidated_at,
          source_count)
        select 'm' || i, project,
          (select string_agg('word' || w, ' ') from (
            select floor(exp(random() * ln(2000)))::int as w from generate_series(1, 12) where i > 0
          ) as drawn),
          'decision', 1, '{}', array['t' || i % 50], now(), now(), now(), 0
        from (
          select i, case when i <= 300 then 'small' when i <= 1500 then 'medium'
            when i <= 13500 then 'large' else 'other' end as project
          from generate_series(1, 16000) as i
        ) as rows
        """);
    database.execute("vacuum analyze consolidated_memories");
  }

  private static SearchResult<TextHit> search(String project, String question) {
    return database.memories().searchByText(project, query(question));
  }

  private static TextQuery query(String question) {
    return TextQuery.of(question, 10).withMatch(WordMatch.ANY_WORD);
  }

  private static List<String> ids(SearchResult<TextHit> result) {
    return result.hits().stream().map(hit -> hit.memory().id()).toList();
  }

  private static String question(Random random, int words) {
    StringBuilder question = new StringBuilder("what about");
    for (int i = 0; i < words; i++) {
      question.append(" word").append((int) Math.exp(random.nextDouble() * Math.log(2_200)));
    }
    return question.append('?').toString();
  }

  private static void isExact(String project, String question) throws SQLException {
    List<String> ids = new ArrayList<>();
    List<Double> scores = new ArrayList<>();
    try (Connection connection = database.pool().getConnection();
        PreparedStatement full = connection.prepareStatement(FULL_WEIGHTING)) {
      full.setString(1, question);
      for (int i = 2; i <= 4; i++) {
        full.setString(i, project);
      }
      ResultSet rows = full.executeQuery();
      while (rows.next()) {
        ids.add(rows.getString(1));
        scores.add(rows.getDouble(2));
      }
    }
    SearchResult<TextHit> result = search(project, question);
    assertThat(ids(result)).as("%s: %s", project, question).isEqualTo(ids);
    for (int i = 0; i < scores.size(); i++) {
      assertThat(result.hits().get(i).score()).isEqualTo(scores.get(i), within(1e-7));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"small", "medium", "large", "none"})
  void the_ten_best_are_those_of_the_full_weighting(String project) throws SQLException {
    Random random = new Random(7);
    for (int i = 0; i < 40; i++) {
      isExact(project, question(random, 1 + i % 12));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"small", "medium", "large"})
  void of_more_than_32_words_the_32_rarest_that_occur_count(String project) throws SQLException {
    Random random = new Random(8);
    for (int i = 0; i < 10; i++) {
      isExact(project, question(random, 13 + 8 * i));
    }
    StringBuilder common = new StringBuilder();
    for (int i = 40; i < 90; i++) {
      common.append("word").append(i).append(' ');
    }
    isExact(project, common.toString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"small", "medium", "large"})
  void filters_leave_the_weights_as_they_are(String project) {
    String question = "word3 word17 word40 word111";
    List<TextHit> all =
        database
            .memories()
            .searchByText(project, TextQuery.of(question, 10_000).withMatch(WordMatch.ANY_WORD))
            .hits();
    List<TextHit> expected =
        all.stream().filter(hit -> hit.memory().tags().contains("t7")).limit(10).toList();
    assertThat(expected).isNotEmpty();
    List<TextHit> hits =
        database
            .memories()
            .searchByText(
                project, query(question).withFilter(MemoryFilter.none().anyTag(List.of("t7"))))
            .hits();
    assertThat(hits).isEqualTo(expected);
  }

  @Test
  void texts_of_words_that_were_seen_before_have_the_lexemes_that_the_server_gives_them()
      throws SQLException {
    database.execute(
        """
        insert into consolidated_memories (id, project_id, content, memory_type,
          abstraction_level, source_memory_ids, created_at, updated_at, consolidated_at,
          source_count)
        select 'p' || i, 'plain',
          (array['Foxes running', 'quick foxes', 'state-machine 3.5', 'it''s e.g. run'])[i % 4 + 1]
            || ' ' || (array['and', 'machines', 'C++ tools', 'état'])[i % 7 % 4 + 1],
          'decision', 1, '{}', now(), now(), now(), 0
        from generate_series(1, 500) as i""");
    List<String> questions =
        List.of(
            "quickly, running Foxes!",
            "the FOX runs; the machine?  Running foxes.",
            "foxes.running quickly",
            "state-machine machine,state",
            "run . ! machine ?! tool",
            "(running) \"foxes\" it's e.g. état",
            "quickly\nrunning\ttools",
            "fox http://running <b> &amp; 3.5 C++");
    for (String question : questions) {
      isExact("plain", question);
      isExact("plain", question);
    }
    assertThat(search("plain", "the and. of!").onlyStopWords()).isTrue();
  }

  @Test
  void what_came_after_the_words_were_counted_is_found_all_the_same() throws SQLException {
    assertThat(search("medium", "word100").hits()).isNotEmpty();
    List<String> odd = List.of("it's", "o'clock\\n", "a'b\\c", "🐘", "'''", "x&y|z!", "quokka");
    try (Connection connection = database.connect("")) {
      connection.setAutoCommit(false);
      Consolidation joined = database.consolidation().joining(connection);
      joined.memories().insert(Samples.memory("medium", String.join(" ; ", odd)).id("new").build());
      for (String word : odd) {
        String question = word + " word3 word5";
        assertThat(
                joined
                    .memories()
                    .searchByText("medium", query(question + " quokka"))
                    .hits()
                    .get(0)
                    .memory()
                    .id())
            .as(word)
            .isEqualTo("new");
      }
      connection.rollback();
    }
    assertThat(search("medium", "quokka").hits()).isEmpty();
    assertThat(search("medium", "quokka").onlyStopWords()).isFalse();
    assertThat(search("medium", "the of").onlyStopWords()).isTrue();
  }

  @Test
  void a_project_that_outgrows_counting_or_shrinks_is_searched_all_the_same() throws SQLException {
    database.execute(
        """
        insert into consolidated_memories (id, project_id, content, memory_type,
          abstraction_level, source_memory_ids, created_at, updated_at, consolidated_at,
          source_count)
        select 'g' || i, 'growing', 'word' || i || ' word1', 'decision', 1, '{}', now(), now(),
          now(), 0
        from generate_series(1, 399) as i""");
    isExact("growing", "word7 word1");
    database.execute(
        """
        insert into consolidated_memories (id, project_id, content, memory_type,
          abstraction_level, source_memory_ids, created_at, updated_at, consolidated_at,
          source_count)
        select 'g' || i, 'growing', 'word' || i || ' word1', 'decision', 1, '{}', now(), now(),
          now(), 0
        from generate_series(400, 600) as i""");
    isExact("growing", "word507 word1");
    assertThat(database.memories().deleteProject("growing", 1_000)).isEqualTo(600);
    assertThat(search("growing", "word507 word1").hits()).isEmpty();
  }

  @Test
  void a_project_may_be_called_anything() throws SQLException {
    String name = "it's \"a\" \\ %s %L $1 :x {y} 🐘";
    try (Connection connection = database.connect("")) {
      connection.setAutoCommit(false);
      try (PreparedStatement copy =
          connection.prepareStatement(
              "update consolidated_memories set project_id = ? where project_id = 'medium'")) {
        copy.setString(1, name);
        copy.executeUpdate();
      }
      assertThat(
              database
                  .consolidation()
                  .joining(connection)
                  .memories()
                  .searchByText(name, query("word1 word30"))
                  .hits())
          .hasSize(10);
      connection.rollback();
    }
  }

  @Test
  void a_large_project_is_searched_through_the_index_on_words() throws SQLException {
    try (Plans plans = new Plans(database.connect(""))) {
      Consolidation joined = database.consolidation().joining(plans.connection());
      joined.memories().searchByText("large", query("word30 word150 word700"));
      plans.take();
      joined.memories().searchByText("large", query("word30 word150 word700"));
      assertThat(plans.take())
          .contains("idx_cm_content_tsv")
          .doesNotContain("Seq Scan on consolidated_memories");
    }
  }

  @Test
  void of_a_small_part_of_the_table_no_rows_of_other_projects_are_read() throws SQLException {
    try (Connection connection = database.pool().getConnection();
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      statement.execute(
          """
          insert into consolidated_memories (id, project_id, content, memory_type,
            abstraction_level, source_memory_ids, created_at, updated_at, consolidated_at,
            source_count)
          select 'q' || i, case when i <= 30 then 'large' else 'other' || i % 7 end,
            'about quaggas', 'decision', 1, '{}', now(), now(), now(), 0
          from generate_series(1, 5000) as i;
          update pg_class set reltuples = 20 * reltuples
          where oid = 'consolidated_memories'::regclass""");
      try (Plans plans = new Plans(connection)) {
        SearchResult<TextHit> found =
            Consolidation.on(database.pool(), database.options())
                .joining(plans.connection())
                .memories()
                .searchByText("large", query("quagga"));
        assertThat(found.hits()).hasSize(10);
        assertThat(removed(plans.take())).isLessThan(100);
        connection.rollback();
      }
    }
  }

  @Test
  void of_thousands_of_words_each_is_not_looked_up_in_each_memory_of_a_small_project()
      throws SQLException {
    String text =
        IntStream.range(0, 3_000).mapToObj(i -> "word" + i).collect(Collectors.joining(" "));
    try (Plans plans = new Plans(database.connect(""))) {
      Consolidation joined = database.consolidation().joining(plans.connection());
      assertThat(joined.memories().searchByText("small", query(text)).hits()).hasSize(10);
      assertThat(removed(plans.take())).isLessThan(10_000);
    }
    isExact("small", text);
  }

  /** How many rows scans and joins came by in vain. */
  private static long removed(String plan) {
    return Pattern.compile("Rows Removed by (?:Join )?Filter: (\\d+)")
        .matcher(plan)
        .results()
        .mapToLong(match -> Long.parseLong(match.group(1)))
        .sum();
  }
}
