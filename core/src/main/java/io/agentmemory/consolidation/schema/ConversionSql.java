package io.agentmemory.consolidation.schema;

import static io.agentmemory.consolidation.ddl.Identifiers.literal;

import io.agentmemory.consolidation.ddl.Change;
import io.agentmemory.consolidation.ddl.Column;
import io.agentmemory.consolidation.ddl.ColumnType;
import io.agentmemory.consolidation.ddl.QualifiedName;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The statements by which embeddings become vectors. */
final class ConversionSql {
  /** The column that is filled beside the old one, and the constraint that proves it full. */
  static final String BESIDE = "consolidation_vector";

  private static final int BATCH = 500;

  private final SchemaOptions options;
  private final QualifiedName table;
  private final QualifiedName function;
  private final String type;

  ConversionSql(SchemaOptions options, QualifiedName table, Extension extension) {
    this.options = options;
    this.table = table;
    this.function = new QualifiedName(options.schema(), "consolidation_to_vector");
    this.type =
        new QualifiedName(extension.schema(), options.vectorType().typeName()).sql()
            + "("
            + options.dimensions()
            + ")";
  }

  /** What the embeddings are to become, as {@code format_type} says it, without its schema. */
  String target() {
    return options.vectorType().typeName() + "(" + options.dimensions() + ")";
  }

  boolean isTarget(@Nullable String found) {
    return found != null && (found.equals(target()) || found.endsWith("." + target()));
  }

  /** The type of the embeddings, and that of the column beside them. */
  String look() {
    return """
        SELECT max(format_type(atttypid, atttypmod)) FILTER (WHERE attname = 'embedding'),
          max(format_type(atttypid, atttypmod)) FILTER (WHERE attname = '%s')
        FROM pg_attribute
        WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped
        """
        .formatted(BESIDE, literal(table.sql()));
  }

  String foreignObjects() {
    Change drop =
        Change.drop(
            table, Column.of(EmbeddingConverter.COLUMN, ColumnType.doublePrecision().array()));
    Plan.Step step =
        new Plan.Step("", Revision.of("conversion").change(drop), List.of(), List.of());
    Plan plan = new Plan(Plan.Direction.UP, List.of(step), 0, false, false, false, false);
    return new ForeignObjects(plan).query(drop).orElseThrow();
  }

  String unfit() {
    String largest = options.vectorType() == VectorType.VECTOR ? "3.4028234e38" : "65504";
    return """
        SELECT id FROM %s
        WHERE embedding IS NOT NULL AND (array_ndims(embedding) IS DISTINCT FROM 1
          OR cardinality(embedding) <> %d OR array_position(embedding, NULL) IS NOT NULL
          OR EXISTS (SELECT FROM unnest(embedding) AS e(x) WHERE x = 'NaN' OR abs(x) > %s))
        LIMIT 10
        """
        .formatted(table.sql(), options.dimensions(), largest);
  }

  String prepare() {
    return """
        ALTER TABLE %1$s ADD COLUMN %2$s %3$s;
        CREATE FUNCTION %4$s() RETURNS trigger LANGUAGE plpgsql
          SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
        BEGIN
          NEW.%2$s := NEW.embedding::%3$s;
          RETURN NEW;
        END $$;
        CREATE TRIGGER %2$s BEFORE INSERT OR UPDATE ON %1$s
          FOR EACH ROW EXECUTE FUNCTION %4$s();
        ALTER TABLE %1$s ADD CONSTRAINT %2$s
          CHECK (embedding IS NULL OR %2$s IS NOT NULL) NOT VALID
        """
        .formatted(table.sql(), BESIDE, type, function.sql());
  }

  String count() {
    return "SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass("
        + literal(table.sql())
        + ")";
  }

  /** Converts the next rows by key; returns the last key, how many there were, and were written. */
  String batch(@Nullable String after) {
    return """
        WITH batch AS MATERIALIZED (
            SELECT id FROM %1$s %2$s ORDER BY id LIMIT %3$d),
          written AS (
            UPDATE %1$s AS t SET %4$s = t.embedding::%5$s FROM batch
            WHERE t.id = batch.id AND t.embedding IS NOT NULL AND t.%4$s IS NULL RETURNING 1)
        SELECT max(id), count(*), (SELECT count(*) FROM written) FROM batch
        """
        .formatted(
            table.sql(), after == null ? "" : "WHERE id > " + literal(after), BATCH, BESIDE, type);
  }

  String validate() {
    return "ALTER TABLE " + table.sql() + " VALIDATE CONSTRAINT " + BESIDE;
  }

  /** Takes a conversion back that was begun; on one line, for a message. */
  String abandon() {
    return "DROP TRIGGER IF EXISTS %2$s ON %1$s; DROP FUNCTION IF EXISTS %3$s(); ALTER TABLE %1$s DROP CONSTRAINT IF EXISTS %2$s, DROP COLUMN IF EXISTS %2$s"
        .formatted(table.sql(), BESIDE, function.sql());
  }

  String swap() {
    return """
        LOCK TABLE %1$s IN ACCESS EXCLUSIVE MODE;
        DROP TRIGGER %2$s ON %1$s;
        DROP FUNCTION %3$s();
        ALTER TABLE %1$s DROP CONSTRAINT %2$s;
        ALTER TABLE %1$s DROP COLUMN embedding;
        ALTER TABLE %1$s RENAME COLUMN %2$s TO embedding
        """
        .formatted(table.sql(), BESIDE, function.sql());
  }
}
