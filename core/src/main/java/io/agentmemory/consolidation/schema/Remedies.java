package io.agentmemory.consolidation.schema;

import static io.agentmemory.consolidation.ddl.Identifiers.quoted;

import io.agentmemory.consolidation.ddl.Change;
import io.agentmemory.consolidation.ddl.Column;
import io.agentmemory.consolidation.ddl.Index;
import io.agentmemory.consolidation.ddl.Renderer;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Says of differences what would have to change in the database. */
final class Remedies {
  private static final String ABSENT = Verifier.ABSENT;
  private static final String GENERATED = "generated as ";

  private final Definition definition;
  private final Renderer renderer;

  Remedies(Definition definition, Renderer renderer) {
    this.definition = definition;
    this.renderer = renderer;
  }

  /** The difference in a sentence, with the statement that would mend it, where there is one. */
  String describe(Difference difference) {
    String sentence =
        "%s: expected %s, found %s"
            .formatted(difference.path(), difference.expected(), difference.actual());
    String remedy =
        definition.parts().stream()
            .filter(part -> (difference.path() + " ").startsWith(table(part) + " "))
            .map(part -> remedy(part, difference))
            .findFirst()
            .orElse("");
    return remedy.isEmpty() ? sentence : sentence + "; " + remedy.replaceAll("\\s+", " ");
  }

  private static String table(Definition.Part part) {
    return part.table().name().sql();
  }

  private String remedy(Definition.Part part, Difference difference) {
    if (difference.path().equals(table(part))) {
      return Stream.concat(
              Stream.of(Change.create(part.table())), part.indexes().stream().map(Change::create))
          .map(change -> renderer.render(change).sql())
          .collect(Collectors.joining("; "));
    }
    String path = difference.path().substring(table(part).length() + 1);
    String alter = "ALTER TABLE " + table(part) + " ";
    if (path.startsWith("index ")) {
      return ofIndex(part, path.substring("index ".length()), difference);
    }
    if (path.startsWith("constraint ")) {
      String name = quoted(path.substring("constraint ".length()));
      String drop = difference.actual().equals(ABSENT) ? "" : "DROP CONSTRAINT " + name;
      String add =
          difference.expected().equals(ABSENT)
              ? ""
              : "ADD CONSTRAINT " + name + " " + difference.expected();
      return alter + drop + (drop.isEmpty() || add.isEmpty() ? "" : ", ") + add;
    }
    int end = path.lastIndexOf(' ');
    String name = path.substring("column ".length(), end);
    return ofColumn(part, name, path.substring(end + 1), alter, difference);
  }

  private String ofIndex(Definition.Part part, String name, Difference difference) {
    for (Index index : part.indexes()) {
      if (index.name().equals(name)) {
        String drop =
            difference.actual().equals(ABSENT)
                ? ""
                : "DROP INDEX " + index.qualifiedName().sql() + "; ";
        return drop + renderer.render(Change.create(index)).sql();
      }
      if (name.equals(index.name() + " state") && !difference.actual().equals(ABSENT)) {
        return "REINDEX INDEX CONCURRENTLY " + index.qualifiedName().sql();
      }
    }
    return "";
  }

  /** A column that is missing or too many differs in each aspect; its type has the remedy. */
  private String ofColumn(
      Definition.Part part, String name, String aspect, String alter, Difference difference) {
    String expected = difference.expected();
    String column = "ALTER COLUMN " + quoted(name) + " ";
    for (Column each : part.table().columns()) {
      if (each.name().equals(name)) {
        String again = renderer.render(Change.add(part.table().name(), each)).sql();
        return switch (aspect) {
          case "type" ->
              difference.actual().equals(ABSENT)
                  ? again
                  : EmbeddingConverter.COLUMN.equals(name) && difference.actual().endsWith("[]")
                      ? "Schema.convertEmbeddings() turns it into that online"
                      : alter + column + "TYPE " + expected;
          case "null" ->
              difference.actual().equals(ABSENT)
                  ? ""
                  : alter + column + (expected.equals("null") ? "DROP" : "SET") + " NOT NULL";
          default ->
              expected.equals(ABSENT)
                  ? alter + column + "DROP DEFAULT"
                  : expected.startsWith(GENERATED)
                      ? alter + "DROP COLUMN IF EXISTS " + quoted(name) + "; " + again
                      : alter + column + "SET DEFAULT " + expected;
        };
      }
    }
    return aspect.equals("type") ? alter + "DROP COLUMN " + quoted(name) : "";
  }
}
