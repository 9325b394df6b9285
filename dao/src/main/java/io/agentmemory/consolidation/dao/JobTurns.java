package io.agentmemory.consolidation.dao;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedDeque;

/**
 * Whose turn it is, where claims of all projects go round: each goes on after the project that one
 * before it came to, so that none passes by more projects than it needs. Claims at the same time go
 * on from different ones, so that they seldom meet. Each process has its own, which begin by
 * chance. Thread-safe.
 */
final class JobTurns {
  /** The projects that claims came to and that none goes on from yet. */
  private final Deque<String> reached = new ConcurrentLinkedDeque<>();

  /** Claims at most so many; from all projects if those whose turn it is have none. */
  List<ConsolidationJob> claim(int limit, Claim claim) throws SQLException {
    int share = (int) Math.sqrt(limit);
    String after = reached.poll();
    if (after != null) {
      try (Call call = claim.prepare(true)) {
        call.text("after", after).integer("share", share);
        List<ConsolidationJob> claimed = claim(call, limit, share);
        if (!claimed.isEmpty()) {
          return claimed;
        }
      }
    }
    try (Call call = claim.prepare(false)) {
      return claim(call, limit, share);
    }
  }

  /** There are turns to take while there are projects enough for a claim that takes shares. */
  private List<ConsolidationJob> claim(Call call, int limit, int share) throws SQLException {
    List<ConsolidationJob> claimed = new ArrayList<>(limit);
    Set<String> projects = new HashSet<>();
    String last = null;
    ResultSet rows = call.integer("limit", limit).query();
    while (rows.next()) {
      ConsolidationJob job = JobRow.read(rows);
      claimed.add(job);
      projects.add(job.projectId());
      last = JobRow.turn(rows);
    }
    if (last != null && claimed.size() == limit && projects.size() * share >= limit) {
      reached.push(last);
    }
    claimed.sort(JobRow.OLDEST_FIRST);
    return claimed;
  }

  /** Prepares {@link JobSql#claimInTurn} or {@link JobSql#claimOfAll}. */
  interface Claim {
    Call prepare(boolean inTurn) throws SQLException;
  }
}
