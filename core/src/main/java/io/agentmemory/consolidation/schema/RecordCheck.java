package io.agentmemory.consolidation.schema;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Compares what the history records with what is defined here. */
final class RecordCheck {
  private final SchemaOptions options;
  private final Map<String, List<Revision>> streams;

  RecordCheck(SchemaOptions options, Map<String, List<Revision>> streams) {
    this.options = options;
    this.streams = streams;
  }

  /**
   * Refuses other options, other definitions of the same revisions, and revisions of a newer
   * version that do not only add.
   */
  void check(Snapshot now) {
    checkOptions(options, now);
    if (now.has(OwnRevisions.CONSOLIDATION_005) && !options.rowLevelSecurity()) {
      throw new SchemaMismatchException(
          "Row-level security is on in the schema "
              + options.schema()
              + ". Use SchemaOptions.Builder.rowLevelSecurity(true)",
          List.of("row-level security: recorded true, given false"));
    }
    List<String> differences = new ArrayList<>();
    for (Applied row : now.applied()) {
      List<Revision> stream = streams.get(row.stream());
      if (stream == null) {
        continue; // an application's, whose changelog was not given: none of our business
      }
      Optional<Revision> known =
          stream.stream().filter(revision -> revision.id().equals(row.revision())).findFirst();
      if (known.isEmpty() && !row.additive()) {
        differences.add(
            row.revision() + " is not known here, and not additive: a newer version applied it");
      } else if (known.isPresent() && !known.get().checksum().equals(row.checksum())) {
        differences.add(
            row.revision()
                + ": recorded checksum "
                + row.checksum()
                + ", defined here "
                + known.get().checksum());
      }
    }
    if (!differences.isEmpty()) {
      throw new SchemaMismatchException(
          "The history in " + options.schema() + " records other definitions than these",
          differences);
    }
  }

  static void checkOptions(SchemaOptions options, Snapshot now) {
    for (Applied row : now.applied()) {
      List<String> differences =
          OptionsJson.read(row.options()).recorded().differencesTo(options.recorded());
      if (!differences.isEmpty()) {
        throw new SchemaMismatchException(
            "The schema "
                + options.schema()
                + " was upgraded with other options. Use those recorded",
            differences);
      }
    }
  }
}
