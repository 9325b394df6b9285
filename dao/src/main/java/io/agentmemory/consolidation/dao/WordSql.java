package io.agentmemory.consolidation.dao;

import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The SQL of a {@link WordLeg}: common table expressions that end in {@code matching (id, score)},
 * the {@code :depth} best by their words.
 */
final class WordSql {
  private static final String WEB_SEARCH =
      """
      matching as materialized (
        select id, ts_rank_cd(content_tsv, {words}) as score{carried}
        from {memories}
        where project_id = :project and content_tsv @@ {words}{filter}
        order by score desc, id collate "C"
        limit :depth
      )""";

  /**
   * One scan of the project finds the rows, counts the words and so gives their weights. Few words
   * are looked up in each row, many are looked up by each row's.
   */
  private static final String COUNTED =
      """
      project_rows as materialized (
        select id, content_tsv, (true{filter}) as shown{carried}
        from {memories}
        where project_id = :project
        limit {small} + 1
      ),
      words as materialized (
        select number, lexeme,
          cast('''' || replace(replace(lexeme, chr(92), chr(92) || chr(92)), '''', '''''') || ''''
            as tsquery) as word
        from unnest(to_tsvector({configuration}, :text)) with ordinality
          as lexemes (lexeme, positions, labels, number)
      ),
      held as materialized (
        select id, shown, number
        from project_rows join words on content_tsv @@ word
        where (select count(*) from project_rows) <= {small}
          and (select count(*) from words) <= {fewWords}
        union all
        select id, shown, number
        from project_rows
        cross join lateral unnest(tsvector_to_array(content_tsv)) as its (lexeme)
        join words using (lexeme)
        where (select count(*) from project_rows) <= {small}
          and (select count(*) from words) > {fewWords}
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
        where shown order by score desc, id collate "C" limit :depth
      )""";

  /** The words and their weights are one row, made once for all that are weighed. */
  private static final String WEIGHED =
      """
      weighed as materialized (
        select {slots}
        from (
          select cast(:words as tsquery[]) as words, cast(:weights as bigint[]) as weights offset 0
        ) as given
      ),
      matching as materialized (
        select id, {sum} as score{carried}
        from weighed cross join {memories}
        where {ofProject} and content_tsv @@ (select cast(:threshold as tsquery)){filter}
        order by score desc, id collate "C"
        limit :depth
      )""";

  /** No index on projects can be read for this. */
  private static final String HIDDEN_PROJECT = "project_id || '' = :project";

  /**
   * The same as to be equal. Of a range without its bounds the planner expects one row in two
   * hundred, whatever projects there are, so that one plan for all values reads what the indexes on
   * projects and on words have in common.
   */
  private static final String PROJECT_AS_RANGE = "project_id between :project and :project";

  private WordSql() {}

  /**
   * Puts a leg's SQL into a template that uses its parts.
   *
   * @param filter the shape of the search's filter
   * @param carried what else it reads of the rows that match, of all rows where it counts the words
   */
  static String into(String template, WordLeg.Shape shape, int filter, String carried) {
    return template
        .replace("{leg}", leg(shape, filter).replace("{carried}", carried))
        .replace("{found}", found(shape))
        .replace("{weighed}", shape.kind() == WordLeg.Kind.WEIGHED ? "cross join weighed" : "")
        .replace("{scoreOf}", scoreOf(shape));
  }

  private static String leg(WordLeg.Shape shape, int filter) {
    return switch (shape.kind()) {
      case WEB_SEARCH -> WEB_SEARCH.replace("{words}", TextSql.WEB_SEARCH);
      case COUNTED ->
          COUNTED
              .replace("{small}", String.valueOf(WordLeg.SMALL))
              .replace("{fewWords}", String.valueOf(WordLeg.FEW_WORDS))
              .replace("{mostWords}", String.valueOf(WordLeg.MOST_WORDS));
      case WEIGHED ->
          WEIGHED
              .replace(
                  "{slots}",
                  each(shape, ", ", "words[%1$d] as word%1$d, weights[%1$d] as weight%1$d"))
              .replace("{sum}", sum(shape, ""))
              .replace("{ofProject}", ofProject(shape, filter));
    };
  }

  private static String ofProject(WordLeg.Shape shape, int filter) {
    if (shape.hidesProject()) {
      return HIDDEN_PROJECT;
    }
    return shape.hasOnePlan(filter) ? PROJECT_AS_RANGE : "project_id = :project";
  }

  /** An empty slot matches nothing. */
  private static String sum(WordLeg.Shape shape, String alias) {
    String weight = "case when " + alias + "content_tsv @@ word%1$d then weight%1$d else 0 end";
    return "(" + each(shape, " + ", weight) + ")";
  }

  private static String each(WordLeg.Shape shape, String separator, String slot) {
    return IntStream.rangeClosed(1, shape.slots())
        .mapToObj(slot::formatted)
        .collect(Collectors.joining(separator));
  }

  /** The score of a row {@code m}, or of its {@code word_scores w}, if not in {@code matching}. */
  private static String scoreOf(WordLeg.Shape shape) {
    return switch (shape.kind()) {
      case WEB_SEARCH ->
          "case when m.content_tsv @@ {words} then ts_rank_cd(m.content_tsv, {words}) else 0 end"
              .replace("{words}", TextSql.WEB_SEARCH);
      case COUNTED -> "coalesce(w.score, 0)";
      case WEIGHED -> sum(shape, "m.");
    };
  }

  private static String found(WordLeg.Shape shape) {
    return switch (shape.kind()) {
      case WEB_SEARCH -> "0, numnode(" + TextSql.WEB_SEARCH + "), 0, 0";
      case COUNTED -> "(select count(*) from project_rows), (select count(*) from words), 0, 0";
      case WEIGHED -> "0, 1, (select count(*) from matching), (select min(score) from matching)";
    };
  }
}
