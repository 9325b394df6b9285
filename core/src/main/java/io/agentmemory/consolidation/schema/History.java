package io.agentmemory.consolidation.schema;

import static io.agentmemory.consolidation.ddl.Identifiers.literal;

import io.agentmemory.consolidation.ddl.Change;
import io.agentmemory.consolidation.ddl.Column;
import io.agentmemory.consolidation.ddl.ColumnType;
import io.agentmemory.consolidation.ddl.QualifiedName;
import io.agentmemory.consolidation.ddl.SqlStatement;
import io.agentmemory.consolidation.ddl.Table;
import java.util.List;
import java.util.stream.Collectors;

/** The table that records what was applied: a row for each applied revision of each stream. */
final class History {
  static final String TABLE = "consolidation_history";

  /** What a revision may have created, beside what it says itself. */
  static final String CREATED_SCHEMA = "schema";

  static final String CREATED_HOST_TABLE = "host_table";

  private final SchemaOptions options;
  private final QualifiedName name;

  History(SchemaOptions options) {
    this.options = options;
    this.name = new QualifiedName(options.schema(), TABLE);
  }

  QualifiedName name() {
    return name;
  }

  /**
   * The column {@code pending} names the indexes that a revision leaves to be made after its
   * transaction; see {@link Applied}.
   */
  Table table() {
    return Table.of(
            name,
            Column.of("stream", ColumnType.varchar(100)).notNull(),
            Column.of("position", ColumnType.integer()).notNull(),
            Column.of("revision", ColumnType.varchar(100)).notNull(),
            Column.of("requires", ColumnType.varchar(100)),
            Column.of("checksum", ColumnType.varchar(64)).notNull(),
            Column.of("options", ColumnType.jsonb()).notNull(),
            Column.of("additive", ColumnType.bool()).notNull(),
            Column.of("created", ColumnType.varchar(100).array()).notNull().withDefault("'{}'"),
            Column.of("pending", ColumnType.jsonb()).notNull().withDefault("'[]'"),
            Column.of("applied_at", ColumnType.timestamptz()).notNull().withDefault("now()"),
            Column.of("applied_by", ColumnType.varchar()).notNull().withDefault("CURRENT_USER"))
        .withPrimaryKey("revision");
  }

  Change creation() {
    return Change.create(table());
  }

  SqlStatement record(
      String stream, int position, Revision revision, List<String> created, List<String> pending) {
    String sql =
        "INSERT INTO "
            + name.sql()
            + " (stream, position, revision, requires, checksum, options, additive, created"
            + (pending.isEmpty() ? "" : ", pending")
            + ")\nVALUES ("
            + List.of(
                    literal(stream),
                    String.valueOf(position),
                    literal(revision.id()),
                    revision.requires() == null ? "NULL" : literal(revision.requires()),
                    literal(revision.checksum()),
                    literal(options.recorded().toJson()),
                    String.valueOf(revision.additive()),
                    literal("{" + String.join(",", created) + "}")
                        + (pending.isEmpty() ? "" : ", " + literal(Json.write(pending))))
                .stream()
                .collect(Collectors.joining(", "))
            + ")";
    return new SqlStatement("record " + revision.id(), sql);
  }

  /** Records that an index was made that had been left for later. */
  SqlStatement settle(PendingIndex pending) {
    return new SqlStatement(
        "record index " + pending.index().name(),
        "UPDATE "
            + name.sql()
            + " SET pending = pending - "
            + literal(pending.index().qualifiedName().sql())
            + " WHERE revision = "
            + literal(pending.revision()));
  }

  /** Records that an index is to be made again. */
  SqlStatement reopen(PendingIndex index) {
    String sqlName = index.index().qualifiedName().sql();
    return new SqlStatement(
        "record index " + index.index().name() + " as still to be built",
        "UPDATE "
            + name.sql()
            + " SET pending = (pending - "
            + literal(sqlName)
            + ") || "
            + literal(Json.write(List.of(sqlName)))
            + " WHERE revision = "
            + literal(index.revision()));
  }

  SqlStatement forget(Revision revision) {
    return new SqlStatement(
        "forget " + revision.id(),
        "DELETE FROM " + name.sql() + " WHERE revision = " + literal(revision.id()));
  }
}
