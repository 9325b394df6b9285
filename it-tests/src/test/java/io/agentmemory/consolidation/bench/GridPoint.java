package io.agentmemory.consolidation.bench;

import java.util.ArrayList;
import java.util.List;

/** A way to search by plain SQL: a strategy with its effort. */
record GridPoint(Kind kind, int efSearch) {

  /** The strategies. */
  enum Kind {
    EXACT("exact"),
    HNSW("HNSW"),
    STRICT("iterative strict"),
    RELAXED("iterative relaxed");

    private final String text;

    Kind(String text) {
      this.text = text;
    }
  }

  private static final int[] EFFORTS = {40, 64, 100, 160, 250, 400};
  private static final int[] QUICK_EFFORTS = {40, 100};

  static List<GridPoint> all(Settings settings) {
    List<GridPoint> points = new ArrayList<>(List.of(new GridPoint(Kind.EXACT, 0)));
    for (int effort : settings.quick() ? QUICK_EFFORTS : EFFORTS) {
      for (Kind kind : List.of(Kind.HNSW, Kind.STRICT, Kind.RELAXED)) {
        points.add(new GridPoint(kind, effort));
      }
    }
    return points;
  }

  /**
   * Settings of the session. The plan is made for the values of each execution; as sorts are
   * forbidden at a price, to force the index, compiling for that price has to be forbidden too.
   */
  List<String> settings() {
    List<String> settings =
        new ArrayList<>(List.of("set plan_cache_mode = force_custom_plan", "set jit = off"));
    if (kind != Kind.EXACT) {
      settings.add("set hnsw.ef_search = " + efSearch);
      settings.add("set enable_sort = off");
    }
    if (kind == Kind.STRICT) {
      settings.add("set hnsw.iterative_scan = strict_order");
    } else if (kind == Kind.RELAXED) {
      settings.add("set hnsw.iterative_scan = relaxed_order");
    }
    return settings;
  }

  @Override
  public String toString() {
    return kind == Kind.EXACT ? kind.text : kind.text + " " + efSearch;
  }
}
