package io.agentmemory.consolidation.bench;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The true best rows of a project by rarity-weighted match: every lexeme of a question that a row
 * holds counts {@code ln(1 + (n - f + 0.5) / (f + 0.5))}, where {@code f} of the project's {@code
 * n} rows hold it. All rows are weighed, in this JVM.
 */
final class WordTruth {
  private static final double TOLERANCE = 1e-6;

  private final Map<String, Set<String>> lexemesById = new HashMap<>();
  private final Map<String, List<String>> idsByLexeme = new HashMap<>();

  private WordTruth() {}

  static WordTruth of(Connection connection, String project) throws SQLException {
    WordTruth truth = new WordTruth();
    String sql =
        "select id, tsvector_to_array(content_tsv) from consolidated_memories where project_id = ?";
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setString(1, project);
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          Set<String> lexemes = Set.of((String[]) rows.getArray(2).getArray());
          truth.lexemesById.put(rows.getString(1), lexemes);
          for (String lexeme : lexemes) {
            truth
                .idsByLexeme
                .computeIfAbsent(lexeme, key -> new ArrayList<>())
                .add(rows.getString(1));
          }
        }
      }
    }
    return truth;
  }

  /** The lexemes of a text. */
  static Set<String> lexemes(Connection connection, String text) throws SQLException {
    String sql = "select tsvector_to_array(to_tsvector('english', ?))";
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setString(1, text);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return Set.of((String[]) row.getArray(1).getArray());
      }
    }
  }

  private double weight(String lexeme) {
    double holding = idsByLexeme.getOrDefault(lexeme, List.of()).size();
    return Math.log(1 + (lexemesById.size() - holding + 0.5) / (holding + 0.5));
  }

  private double score(String id, Set<String> lexemes) {
    return lexemes.stream()
        .filter(lexemesById.getOrDefault(id, Set.of())::contains)
        .mapToDouble(this::weight)
        .sum();
  }

  /** Whether the ids found are the best ones; among equals any will do. */
  boolean isExact(Set<String> lexemes, List<String> found) {
    Set<String> matching = new HashSet<>();
    lexemes.forEach(lexeme -> matching.addAll(idsByLexeme.getOrDefault(lexeme, List.of())));
    List<Double> best = scores(matching.stream(), lexemes);
    List<Double> ours = scores(found.stream().distinct(), lexemes);
    if (best.size() != ours.size()) {
      return false;
    }
    for (int i = 0; i < best.size(); i++) {
      if (Math.abs(best.get(i) - ours.get(i)) > TOLERANCE) {
        return false;
      }
    }
    return true;
  }

  private List<Double> scores(Stream<String> ids, Set<String> lexemes) {
    return ids.map(id -> score(id, lexemes))
        .sorted(Comparator.reverseOrder())
        .limit(Settings.K)
        .toList();
  }

  /** A lexeme that few rows hold, one at least. */
  String rareLexeme() {
    return idsByLexeme.entrySet().stream()
        .filter(entry -> entry.getKey().matches("[a-z]{5,}"))
        .min(
            Comparator.comparingInt(
                    (Map.Entry<String, List<String>> entry) -> entry.getValue().size())
                .thenComparing(Map.Entry::getKey))
        .map(Map.Entry::getKey)
        .orElse("nothing");
  }
}
