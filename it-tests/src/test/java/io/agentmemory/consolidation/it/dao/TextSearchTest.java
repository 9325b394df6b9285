package io.agentmemory.consolidation.it.dao;

import static io.agentmemory.consolidation.it.dao.Samples.memory;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.agentmemory.consolidation.dao.Headline;
import io.agentmemory.consolidation.dao.InvalidInputException;
import io.agentmemory.consolidation.dao.MemoryFilter;
import io.agentmemory.consolidation.dao.SearchResult;
import io.agentmemory.consolidation.dao.SearchStrategy;
import io.agentmemory.consolidation.dao.TextHit;
import io.agentmemory.consolidation.dao.TextQuery;
import io.agentmemory.consolidation.dao.WordMatch;
import io.agentmemory.consolidation.schema.SchemaOptions;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class TextSearchTest {
  @RegisterExtension final TestDatabase database = TestDatabase.withDimensions(3);

  @RegisterExtension
  final TestDatabase simple =
      TestDatabase.with(
          SchemaOptions.builder().dimensions(3).textSearchConfiguration("simple").build());

  @BeforeEach
  void fill() {
    for (TestDatabase each : List.of(database, simple)) {
      add(each, "p", "pool", "The connection pool was exhausted by leaking connections", "jdbc");
      add(each, "p", "leak", "Close every statement: a leaking statement holds its connection");
      add(each, "p", "cache", "Cache the tokenizer, it takes seconds to load", "models");
      add(
          each,
          "p",
          "odd",
          "it's a foo-bar: 'quoted' & odd | (strange) \\ text: foo-bar.example.org/x?y=z");
      add(each, "q", "other", "connection pool leaking connections in another project");
    }
  }

  private static void add(
      TestDatabase database, String project, String id, String content, String... tags) {
    database.memories().insert(memory(project, content).id(id).tags(tags).build());
  }

  private List<String> find(TextQuery query) {
    return ids(database.memories().searchByText("p", query));
  }

  private static List<String> ids(SearchResult<TextHit> result) {
    return result.hits().stream().map(hit -> hit.memory().id()).toList();
  }

  @Test
  void every_word_must_occur_in_whatever_form() {
    assertThat(find(TextQuery.of("leaks connection", 10)))
        .containsExactlyInAnyOrder("pool", "leak");
    assertThat(find(TextQuery.of("leak pool", 10))).containsExactly("pool");
    assertThat(find(TextQuery.of("leak nowhere", 10))).isEmpty();
  }

  @Test
  void phrases_alternatives_and_negations_mean_what_they_say() {
    assertThat(find(TextQuery.of("\"connection pool\"", 10))).containsExactly("pool");
    assertThat(find(TextQuery.of("tokenizer or statement", 10)))
        .containsExactlyInAnyOrder("leak", "cache");
    assertThat(find(TextQuery.of("leaking -pool", 10))).containsExactly("leak");
    assertThat(find(TextQuery.of("-leaking", 10))).containsExactlyInAnyOrder("cache", "odd");
  }

  @Test
  void any_word_may_do_and_more_of_them_rank_higher() {
    String question = "Why does the connection pool run dry when statements leak?";
    assertThat(find(TextQuery.of(question, 10))).isEmpty();
    assertThat(find(TextQuery.of(question, 10).withMatch(WordMatch.ANY_WORD)))
        .containsExactlyInAnyOrder("pool", "leak");
  }

  @Test
  void hits_are_ranked_by_their_scores_and_cut_to_the_limit() {
    List<TextHit> hits =
        database.memories().searchByText("p", TextQuery.of("leaking connections", 10)).hits();
    assertThat(hits).hasSize(2);
    assertThat(hits.get(0).score()).isGreaterThanOrEqualTo(hits.get(1).score()).isPositive();
    assertThat(find(TextQuery.of("leaking connections", 1)))
        .containsExactly(hits.get(0).memory().id());
  }

  @Test
  void equal_scores_come_in_order_of_their_ids() {
    for (String id : List.of("z2", "z1", "z3")) {
      add(database, "p", id, "zebra");
    }
    assertThat(find(TextQuery.of("zebra", 10))).containsExactly("z1", "z2", "z3");
    assertThat(find(TextQuery.of("zebra", 2))).containsExactly("z1", "z2");
  }

  @Test
  void stop_words_alone_find_nothing_and_that_is_said() {
    for (WordMatch match : WordMatch.values()) {
      SearchResult<TextHit> result =
          database.memories().searchByText("p", TextQuery.of("the of and", 10).withMatch(match));
      assertThat(result.hits()).isEmpty();
      assertThat(result.onlyStopWords()).isTrue();
      assertThat(result.strategy()).isEqualTo(SearchStrategy.NONE);
    }
    assertThat(database.memories().searchByText("p", TextQuery.of("nowhere", 10)).onlyStopWords())
        .isFalse();
    assertThat(database.memories().searchByText("p", TextQuery.of("pool", 10)).onlyStopWords())
        .isFalse();
  }

  @Test
  void no_text_is_an_error_whatever_it_holds() {
    List<String> texts =
        List.of(
            "it's 'quoted' \\ & odd",
            "foo-bar.example.org/x?y=z",
            "((((",
            "!",
            "& | !",
            "'''",
            "a:*b",
            "\"unclosed",
            "🐘 ❤ ü",
            ":: ? ?? $1 {x}",
            "-",
            "<-> <2>",
            "\\",
            "<a href=\"x & y\">");
    for (String text : texts) {
      for (WordMatch match : WordMatch.values()) {
        assertThat(find(TextQuery.of(text, 10).withMatch(match)))
            .as("%s by %s", text, match)
            .isSubsetOf("pool", "leak", "cache", "odd");
      }
    }
    assertThat(find(TextQuery.of("foo-bar odd quoted", 10))).containsExactly("odd");
    assertThat(find(TextQuery.of("foo-bar & | ! 'x'", 10).withMatch(WordMatch.ANY_WORD)))
        .contains("odd");
  }

  @Test
  void rare_words_weigh_more_than_common_ones() {
    add(database, "p", "gravel", "gravel");
    for (int i = 0; i < 3; i++) {
      add(database, "p", "sand" + i, "sand and water, sand and water");
    }
    List<TextHit> hits =
        database
            .memories()
            .searchByText("p", TextQuery.of("gravel or sand?", 10).withMatch(WordMatch.ANY_WORD))
            .hits();
    assertThat(hits.stream().map(hit -> hit.memory().id()).toList())
        .containsExactly("gravel", "sand0", "sand1", "sand2");
    assertThat(hits.get(0).score()).isEqualTo(Math.log(1 + 7.5 / 1.5), within(1e-7));
    assertThat(hits.get(1).score()).isEqualTo(Math.log(1 + 5.5 / 3.5), within(1e-7));
  }

  @Test
  void headlines_come_on_request_with_the_marks_asked_for() {
    for (WordMatch match : WordMatch.values()) {
      TextQuery query = TextQuery.of("tokenizer loading", 10).withMatch(match);
      assertThat(database.memories().searchByText("p", query).hits().get(0).headline()).isNull();
      assertThat(
              database
                  .memories()
                  .searchByText("p", query.withHeadline(new Headline("<b class='x'>", ", \\")))
                  .hits()
                  .get(0)
                  .headline())
          .isEqualTo(
              "Cache the <b class='x'>tokenizer, \\, it takes seconds to <b class='x'>load, \\");
    }
    assertThatThrownBy(() -> new Headline("\"", "x")).isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> new Headline("", "x")).isInstanceOf(InvalidInputException.class);
  }

  @Test
  void filters_apply() {
    assertThat(
            find(
                TextQuery.of("connection", 10)
                    .withFilter(MemoryFilter.none().anyTag(List.of("jdbc")))))
        .containsExactly("pool");
  }

  @Test
  void words_are_those_of_the_schemas_configuration() {
    assertThat(ids(simple.memories().searchByText("p", TextQuery.of("leaks", 10)))).isEmpty();
    assertThat(ids(simple.memories().searchByText("p", TextQuery.of("the", 10))))
        .containsExactlyInAnyOrder("pool", "cache");
  }
}
