package io.agentmemory.consolidation.dao;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Whose turn it is, where claims of all projects go round: each goes on after the project that the
 * last came to, so that none passes by more projects than it needs. Each process has its own, which
 * begin by chance. Thread-safe.
 */
final class JobTurns {
  private volatile @Nullable String after;

  /** Claims at most so many; from all projects if those whose turn it is have none. */
  List<ConsolidationJob> claim(int limit, Claim claim) throws SQLException {
    String last = after;
    if (last != null) {
      List<ConsolidationJob> claimed = claim(last, limit, limit, claim);
      if (!claimed.isEmpty()) {
        return claimed;
      }
    }
    return claim("", Integer.MAX_VALUE, limit, claim);
  }

  private List<ConsolidationJob> claim(String from, int projects, int limit, Claim claim)
      throws SQLException {
    List<ConsolidationJob> claimed = new ArrayList<>();
    String last = null;
    try (Call call = claim.prepare()) {
      call.text("after", from).integer("projects", projects).integer("limit", limit);
      ResultSet rows = call.query();
      while (rows.next()) {
        claimed.add(JobRow.read(rows));
        last = JobRow.next(rows);
      }
    }
    after = claimed.size() < limit ? null : last;
    return claimed;
  }

  /** Prepares {@link JobSql#claimOfAll}. */
  interface Claim {
    Call prepare() throws SQLException;
  }
}
