package io.agentmemory.consolidation.it.dao;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.agentmemory.consolidation.dao.TextHit;
import io.agentmemory.consolidation.dao.TextQuery;
import io.agentmemory.consolidation.dao.WordMatch;
import java.sql.SQLException;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * 60,001 memories of a project, of which words are counted in about 50,000. The last 6,000 hold the
 * word {@code late}, every 200th {@code seldom}, and one that words are not counted in {@code
 * zulu}.
 */
class SampledWordsTest {
  @RegisterExtension
  static final TestDatabase database = TestDatabase.withDimensions(3).upTo("consolidation_001");

  @BeforeAll
  static void fill() throws SQLException {
    database.execute(
        """
        drop index idx_cm_content_tsv;
        insert into consolidated_memories (id, project_id, content, memory_type,
          abstraction_level, source_memory_ids, created_at, updated_at, consolidated_at,
          source_count)
        select id, 'p', content, 'decision', 1, '{}', now(), now(), now(), 0
        from (
          select 'm' || i as id, concat('about', case when i > 54000 then ' late' end,
            case when i % 200 = 0 then ' seldom' end) as content
          from generate_series(1, 60000) as i
          union all
          (select 'u' || i, 'zulu' from generate_series(1, 1000) as i
            where abs(hashtextextended('u' || i, 0) % 60001) >= 50000 limit 1)
        ) as rows;
        create index idx_cm_content_tsv on consolidated_memories using gin (content_tsv)""");
    database.execute("vacuum analyze consolidated_memories");
  }

  private static List<TextHit> search(String text) {
    return database
        .memories()
        .searchByText("p", TextQuery.of(text, 10).withMatch(WordMatch.ANY_WORD))
        .hits();
  }

  @Test
  void a_word_of_the_last_memories_weighs_as_much_as_one_of_the_first() {
    assertThat(search("seldom").get(0).score()).isCloseTo(Math.log(200), within(0.3));
    assertThat(search("late").get(0).score()).isCloseTo(Math.log(10), within(0.1));
  }

  @Test
  void a_memory_is_found_by_one_of_many_words_that_were_not_counted() {
    String absent =
        IntStream.range(0, 99).mapToObj(i -> "absent" + i).collect(Collectors.joining(" "));
    assertThat(search(absent + " zulu"))
        .singleElement()
        .satisfies(hit -> assertThat(hit.memory().content()).isEqualTo("zulu"));
  }
}
