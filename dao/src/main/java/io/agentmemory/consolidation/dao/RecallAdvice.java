package io.agentmemory.consolidation.dao;

import io.agentmemory.consolidation.ddl.QualifiedName;
import io.agentmemory.consolidation.schema.SchemaOptions;
import io.agentmemory.consolidation.schema.SchemaState;
import io.agentmemory.consolidation.schema.SearchIndexes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/** What to change where a {@link RecallProbe} found searches wanting. */
final class RecallAdvice {
  /** Below this a recall counts as low. */
  private static final double WANTED = 0.95;

  /** So many times faster comparing every memory must be to be worth a word. */
  private static final double FASTER = 1.5;

  private final List<RecallRow> rows;
  private final SchemaState state;
  private final SchemaOptions options;

  RecallAdvice(List<RecallRow> rows, SchemaState state, SchemaOptions options) {
    this.rows = rows;
    this.state = state;
    this.options = options;
  }

  List<String> lines() {
    List<String> lines = new ArrayList<>();
    if (rows.stream().anyMatch(row -> row.strategies().contains(SearchStrategy.HNSW))) {
      withoutIndexByProject(lines);
    }
    boolean low = false;
    for (RecallRow row : rows) {
      if (row.effort() == null && row.recall() < WANTED) {
        low = true;
        lines.add(lowRecall(row));
      }
      if (row.effort() == null
          && !row.strategies().equals(Set.of(SearchStrategy.EXACT))
          && row.exactP50().toNanos() * FASTER < row.p50().toNanos()) {
        lines.add(
            "Projects of %s memories are searched faster exactly: use exactly() for them"
                .formatted(row.size().label()));
      }
    }
    if (low) {
      lines.add(
          "Where many rows were deleted or changed since the index was built, build it anew:"
              + " REINDEX INDEX CONCURRENTLY "
              + new QualifiedName(options.schema(), SearchIndexes.BY_PROJECT).sql());
    }
    if (rows.stream().anyMatch(r -> r.strategies().contains(SearchStrategy.HNSW_THEN_EXACT))) {
      lines.add(
          "The index gave too few rows to some searches, which then compared every memory"
              + " (HNSW_THEN_EXACT): VACUUM the table if many rows were deleted, and give searches"
              + " with filters that few rows pass more effort");
    }
    if (isBefore084(state.extensionVersion())) {
      lines.add(
          "pgvector %s has faults that can corrupt an HNSW index: install 0.8.4 or newer, run ALTER"
                  .formatted(state.extensionVersion())
              + " EXTENSION vector UPDATE, and reindex");
    }
    return lines;
  }

  private void withoutIndexByProject(List<String> lines) {
    if (!state.revisions().contains(SearchIndexes.REVISION)) {
      lines.add(
          "Searches went through the index over all projects: upgrade the schema to %s, which adds the index %s"
              .formatted(SearchIndexes.REVISION, SearchIndexes.BY_PROJECT));
    } else if (SearchIndexes.keepsProjectsApart(options)) {
      lines.add(
          "Searches went through the index over all projects: %s is missing or invalid; Schema.checkUp() says how to get it back"
              .formatted(SearchIndexes.BY_PROJECT));
    } else {
      lines.add(
          "Searches went through the index over all projects, since an index that keeps projects"
              + " apart cannot have so many dimensions: use an embedding model, or its option, with"
              + " at most 3,984");
    }
  }

  /** The least effort that is enough, or what else there is. */
  private String lowRecall(RecallRow low) {
    Optional<RecallRow> enough =
        rows.stream()
            .filter(row -> row.size() == low.size() && row.recall() >= WANTED)
            .min(Comparator.comparing(RecallRow::p50));
    String what =
        String.format(
            Locale.ROOT,
            "In projects of %s memories the recall is %.3f by default: ",
            low.size().label(),
            low.recall());
    return enough
        .map(
            row ->
                String.format(
                    Locale.ROOT,
                    "%suse withEffort(new SearchEffort(%s)), which reaches %.3f in %.2f ms (p50)",
                    what,
                    row.effortLabel(),
                    row.recall(),
                    row.p50().toNanos() / 1e6))
        .orElseGet(
            () ->
                String.format(
                    Locale.ROOT,
                    "%sno effort measured is enough; a new SearchEffort(%d) may be, and exactly() takes %.2f ms (p50)",
                    what,
                    SearchRule.MOST_CANDIDATES,
                    low.exactP50().toNanos() / 1e6));
  }

  private static boolean isBefore084(String version) {
    String[] parts = version.split("\\.", -1);
    int[] wanted = {0, 8, 4};
    for (int i = 0; i < wanted.length; i++) {
      int part = i < parts.length && parts[i].matches("\\d{1,6}") ? Integer.parseInt(parts[i]) : 0;
      if (part != wanted[i]) {
        return part < wanted[i];
      }
    }
    return false;
  }
}
