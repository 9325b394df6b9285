package io.agentmemory.consolidation.dao;

import java.util.Locale;
import java.util.Map;
import java.util.StringJoiner;

/** What became of a cluster; with the cluster's key it names the phase of a job. */
enum ClusterOutcome {
  CONSOLIDATED,
  DECLINED,
  SKIPPED;

  private final String label = name().toLowerCase(Locale.ROOT);
  private final String prefix = "flow " + label + " ";

  /** The name of a cluster's phase. */
  String phase(String key) {
    return prefix + key;
  }

  /** Whether a phase is a cluster's that ended like this. */
  boolean names(String phase) {
    return phase.startsWith(prefix);
  }

  /** The key of the cluster that a phase names. */
  String key(String phase) {
    return phase.substring(prefix.length());
  }

  /** How many clusters ended how, as a job's metrics. */
  static String metrics(Map<ClusterOutcome, Integer> counts) {
    StringJoiner members = new StringJoiner(", ", "{", "}");
    for (ClusterOutcome outcome : values()) {
      members.add("\"clusters_%s\": %d".formatted(outcome.label, counts.getOrDefault(outcome, 0)));
    }
    return members.toString();
  }
}
