package io.agentmemory.consolidation.dao;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The words' part of a search: common table expressions that end in {@code matching (id, score)},
 * the {@code :depth} best by their words.
 *
 * @param shape what the SQL depends on
 * @param words the words that count; none where the statement finds them itself
 * @param threshold which memories come into question; null where the statement knows
 * @param rows how many memories the project had when its words were counted; 0 where they were not
 */
record WordLeg(Shape shape, List<WordWeight> words, @Nullable ScoreThreshold threshold, long rows) {
  /** Up to so many memories, words are counted by the search itself. */
  static final int SMALL = 400;

  /** From so many memories on, the index on projects is of no help to that on words. */
  private static final int HIDE_PROJECT_FROM = 10_000;

  /** How many of the words that occur, and how many of those that may occur, count at most. */
  private static final int MOST_WORDS = 32;

  private static final String[] WORDS = names("word");
  private static final String[] WEIGHTS = names("weight");

  private enum Kind {
    WEB_SEARCH,
    COUNTED,
    WEIGHED
  }

  /** Legs of one shape share their SQL. */
  record Shape(Kind kind, int words, boolean hidesProject) {
    /**
     * Whether one plan serves all words. A custom plan takes longer to make than most of these
     * searches to run, and knows no better: how many rows a threshold lets through is not estimated
     * from the words.
     */
    boolean hasOnePlan(int filter) {
      return kind == Kind.COUNTED || (kind == Kind.WEIGHED && filter == 0);
    }
  }

  static final WordLeg WEB_SEARCH =
      new WordLeg(new Shape(Kind.WEB_SEARCH, 0, false), List.of(), null, 0);

  /** For a project that is small; a larger one is only told to be larger. */
  static final WordLeg COUNTED = new WordLeg(new Shape(Kind.COUNTED, 0, false), List.of(), null, 0);

  private static final String WEB_SEARCH_SQL =
      """
      matching as materialized (
        select id, ts_rank_cd(content_tsv, {words}) as score{carried}
        from {memories}
        where project_id = :project and content_tsv @@ {words}{filter}
        order by score desc, id
        limit :depth
      )""";

  /** One scan of the project finds the rows, counts the words and so gives their weights. */
  private static final String COUNTED_SQL =
      """
      project_rows as materialized (
        select id, content_tsv, (true{filter}) as shown{carried}
        from {memories}
        where project_id = :project
        limit {small} + 1
      ),
      words as materialized (
        select number,
          cast('''' || replace(replace(lexeme, chr(92), chr(92) || chr(92)), '''', '''''') || ''''
            as tsquery) as word
        from unnest(to_tsvector({configuration}, :text)) with ordinality
          as lexemes (lexeme, positions, labels, number)
      ),
      held as materialized (
        select id, shown, number
        from project_rows join words on content_tsv @@ word
        where (select count(*) from project_rows) <= {small}
      ),
      weights as materialized (
        select number, cast(round(1e8 * ln(1 + (n - holding + 0.5) / (holding + 0.5))) as int)
          as weight
        from (
          select number, cast(count(*) as float8) as holding
          from held group by number order by 2, number limit {mostWords}
        ) as counted, (select cast(count(*) as float8) as n from project_rows) as size
      ),
      word_scores as materialized (
        select id, shown, sum(weight) as score
        from held join weights using (number)
        group by id, shown
      ),
      matching as materialized (
        select id, score from word_scores
        where shown order by score desc, id limit :depth
      )""";

  private static final String WEIGHED_SQL =
      """
      matching as materialized (
        select id, {sum} as score{carried}
        from {memories}
        where {ofProject} and content_tsv @@ (select cast(:threshold as tsquery)){filter}
        order by score desc, id
        limit :depth
      )""";

  private static String[] names(String parameter) {
    return IntStream.range(0, 2 * MOST_WORDS).mapToObj(i -> parameter + i).toArray(String[]::new);
  }

  /** The leg for about so many memories among those of a project whose words were counted. */
  static WordLeg weighed(ProjectWords project, List<String> lexemes, double expected) {
    List<WordWeight> all =
        lexemes.stream()
            .map(project::weigh)
            .sorted(Comparator.comparingLong(WordWeight::holding).thenComparing(WordWeight::lexeme))
            .toList();
    List<WordWeight> counted =
        all.stream().filter(word -> word.holding() > 0).limit(MOST_WORDS).toList();
    List<WordWeight> uncounted =
        all.stream().filter(word -> word.holding() == 0).limit(MOST_WORDS).toList();
    List<WordWeight> words = Stream.concat(uncounted.stream(), counted.stream()).toList();
    return new WordLeg(
        new Shape(Kind.WEIGHED, words.size(), project.rows() >= HIDE_PROJECT_FROM),
        words,
        ScoreThreshold.reachedBy(expected, counted, uncounted, project.rows()),
        project.rows());
  }

  /**
   * Puts this leg's SQL into a template that uses its parts.
   *
   * @param carried what else it reads of the rows that match, of all rows where it counts the words
   */
  static String into(String template, Shape shape, String carried) {
    return template
        .replace("{leg}", leg(shape).replace("{carried}", carried))
        .replace("{found}", found(shape))
        .replace("{scoreOf}", scoreOf(shape));
  }

  private static String leg(Shape shape) {
    return switch (shape.kind) {
      case WEB_SEARCH -> WEB_SEARCH_SQL.replace("{words}", TextSql.WEB_SEARCH);
      case COUNTED ->
          COUNTED_SQL
              .replace("{small}", String.valueOf(SMALL))
              .replace("{mostWords}", String.valueOf(MOST_WORDS));
      case WEIGHED ->
          WEIGHED_SQL
              .replace("{sum}", sum(shape, ""))
              .replace(
                  "{ofProject}",
                  shape.hidesProject ? "project_id || '' = :project" : "project_id = :project");
    };
  }

  /** Each word's query is read once, not for each row, as it were in a plan for all values. */
  private static String sum(Shape shape, String alias) {
    StringBuilder sql = new StringBuilder("(cast(0 as bigint)");
    IntStream.range(0, shape.words)
        .forEach(
            i ->
                sql.append(
                    " + case when %scontent_tsv @@ (select cast(:word%d as tsquery))"
                            .formatted(alias, i)
                        + " then cast(:weight%d as bigint) else 0 end".formatted(i)));
    return sql.append(')').toString();
  }

  /** The score of a row {@code m}, or of its {@code word_scores w}, if not in {@code matching}. */
  private static String scoreOf(Shape shape) {
    return switch (shape.kind) {
      case WEB_SEARCH ->
          "case when m.content_tsv @@ {words} then ts_rank_cd(m.content_tsv, {words}) else 0 end"
              .replace("{words}", TextSql.WEB_SEARCH);
      case COUNTED -> "coalesce(w.score, 0)";
      case WEIGHED -> sum(shape, "m.");
    };
  }

  private static String found(Shape shape) {
    return switch (shape.kind) {
      case WEB_SEARCH -> "0, numnode(" + TextSql.WEB_SEARCH + "), 0, 0";
      case COUNTED -> "(select count(*) from project_rows), (select count(*) from words), 0, 0";
      case WEIGHED ->
          "0, %d, (select count(*) from matching), (select min(score) from matching)"
              .formatted(shape.words);
    };
  }

  /** Sets the parameters of the leg and of the headline. */
  void bind(Call call, String text, @Nullable Headline headline) throws SQLException {
    if (threshold == null || headline != null) {
      call.text("text", text);
    }
    if (headline != null) {
      call.text("headline", headline.options());
    }
    if (threshold == null) {
      return;
    }
    for (int i = 0; i < words.size(); i++) {
      call.text(WORDS[i], words.get(i).quoted()).integer(WEIGHTS[i], words.get(i).weight());
    }
    call.text("threshold", threshold.query());
  }

  /** Scores as they are told: weights in their units, ranks as the server gives them. */
  double score(double sum) {
    return shape.kind == Kind.WEB_SEARCH ? sum : sum / WordWeight.UNIT;
  }

  /**
   * What the columns of {@code {found}} say.
   *
   * @param projectRows how many memories the project has, up to a bound; 0 where not asked
   * @param words how many words there are to search for
   * @param matching how many memories match, up to the depth; 0 where it does not matter
   * @param lowest the lowest score among them
   */
  record Found(int projectRows, int words, int matching, double lowest) {
    static final int COLUMNS = 4;
    static final Found NOTHING = new Found(0, 0, 0, 0);

    static Found read(ResultSet row, int first) throws SQLException {
      return new Found(
          row.getInt(first),
          row.getInt(first + 1),
          row.getInt(first + 2),
          row.getDouble(first + 3));
    }
  }

  /** Whether no memory outside of those that matched can be among the best. */
  boolean isComplete(Found found, int depth) {
    return switch (shape.kind) {
      case WEB_SEARCH -> true;
      case COUNTED -> found.projectRows <= SMALL;
      case WEIGHED ->
          threshold == null
              || threshold.everything()
              || (found.matching == depth && found.lowest >= threshold.weight());
    };
  }
}
