-- Downgrade of the consolidation schema: my_001, consolidation_004, consolidation_003, consolidation_002, consolidation_001, task_memories_001.
-- Run it in one transaction, which this script neither begins nor commits:
--   psql --single-transaction --set ON_ERROR_STOP=1 --file=SCRIPT
-- or as a migration of a tool that opens one.

DO $consolidation$
#variable_conflict use_column
DECLARE
  obstacle pg_catalog.text;
  hidden pg_catalog.text[];
BEGIN
  PERFORM pg_catalog.set_config(
    'consolidation.search_path', pg_catalog.current_setting('search_path'), true);
  PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  PERFORM pg_advisory_xact_lock(-2224195017965981555);
  PERFORM set_config(
    'consolidation.lock_timeout', current_setting('lock_timeout'), true);
  IF current_setting('lock_timeout') = '0' THEN
    PERFORM set_config('lock_timeout', '2000ms', true);
  END IF;
  IF to_regclass('"Memory ""Banks"""."consolidation_history"') IS NULL THEN
    RAISE EXCEPTION USING MESSAGE = 'The schema Memory "Banks" has not been upgraded';
  END IF;
  IF (SELECT string_agg(revision, ',' ORDER BY position) FROM "Memory ""Banks"""."consolidation_history") IS DISTINCT FROM 'task_memories_001,consolidation_001,consolidation_002,consolidation_003,consolidation_004,my_001' THEN
    RAISE EXCEPTION USING MESSAGE = 'The history in Memory "Banks" holds other revisions than this script starts from: task_memories_001,consolidation_001,consolidation_002,consolidation_003,consolidation_004,my_001';
  END IF;
  IF EXISTS (SELECT FROM "Memory ""Banks"""."consolidation_history" WHERE options <>  E'{"schema": "Memory \\"Banks\\"", "dimensions": 3072, "vectorType": "halfvec", "m": 24, "efConstruction": 200, "textSearchConfiguration": "app.plain", "hostTable": {"schema": "app", "name": "task_memories", "idColumn": "key", "project": "(select p from app.tasks t where t.id = task_memories.task)", "text": null, "embedding": null, "type": null, "success": null, "time": null}}') THEN
    RAISE EXCEPTION USING MESSAGE =  E'The schema Memory "Banks" was upgraded with other options: SchemaOptions{"schema": "Memory \\"Banks\\"", "dimensions": 3072, "vectorType": "halfvec", "m": 24, "efConstruction": 200, "textSearchConfiguration": "app.plain", "hostTable": {"schema": "app", "name": "task_memories", "idColumn": "key", "project": "(select p from app.tasks t where t.id = task_memories.task)", "text": null, "embedding": null, "type": null, "success": null, "time": null}}';
  END IF;
  IF EXISTS (SELECT FROM "Memory ""Banks"""."consolidation_history" WHERE position = 1 AND created <> '{schema}') THEN
    RAISE EXCEPTION USING MESSAGE = 'The history records that the first upgrade created other things than {schema}';
  END IF;
  LOCK TABLE "app"."notes", "Memory ""Banks"""."consolidation_jobs", "app"."task_memories", "Memory ""Banks"""."consolidated_memories" IN ACCESS EXCLUSIVE MODE;
  SET LOCAL row_security = off;
  SELECT string_agg(object, ', ') INTO obstacle FROM (
SELECT CASE WHEN d.classid = 'pg_rewrite'::regclass
  THEN pg_describe_object('pg_class'::regclass,
    (SELECT ev_class FROM pg_rewrite WHERE oid = d.objid), 0)
  ELSE pg_describe_object(d.classid, d.objid, d.objsubid) END
FROM pg_depend d
WHERE (d.refclassid = 'pg_class'::regclass AND d.refobjid = '"app"."notes"'::regclass
    OR d.refclassid = 'pg_type'::regclass AND d.refobjid IN (
      SELECT y.oid FROM pg_type y, pg_class c WHERE c.oid = '"app"."notes"'::regclass
      AND (y.oid = c.reltype OR y.typelem = c.reltype)))
  AND NOT (d.classid = 'pg_type'::regclass)
  AND NOT (d.classid = 'pg_class'::regclass AND EXISTS (
    SELECT FROM pg_class c, pg_class t WHERE c.oid = d.objid AND t.oid = '"app"."notes"'::regclass
      AND (c.oid = t.oid OR c.relkind = 't'
        OR c.relkind IN ('i', 'I') AND c.relnamespace = t.relnamespace AND c.relname IN ('idx_cj_running', 'idx_cj_pending', 'idx_tm_unconsolidated', 'idx_cj_project_created', 'idx_cm_project_created', 'idx_cm_embedding_project', 'idx_tm_consolidated_into', 'idx_tm_consolidated', 'idx_cj_trigger_type', 'idx_cj_created', 'idx_cj_project_status', 'idx_cm_content_tsv', 'idx_cm_embedding', 'idx_cm_source_ids', 'idx_cm_tags', 'idx_cm_created', 'idx_cm_pattern', 'idx_cm_type', 'idx_cm_abstraction', 'idx_cm_project'))))
  AND NOT (d.classid = 'pg_constraint'::regclass AND EXISTS (
    SELECT FROM pg_constraint k WHERE k.oid = d.objid AND k.conrelid = '"app"."notes"'::regclass
      AND (k.contype = 'n' OR k.conname IN ('notes_pkey'))))
  AND NOT (d.classid = 'pg_attrdef'::regclass AND EXISTS (
    SELECT FROM pg_attrdef f, pg_attribute a WHERE f.oid = d.objid
      AND f.adrelid = '"app"."notes"'::regclass AND a.attrelid = f.adrelid AND a.attnum = f.adnum AND a.attname IN ('id')))
  AND NOT (d.classid = 'pg_policy'::regclass AND EXISTS (
    SELECT FROM pg_policy p WHERE p.oid = d.objid AND p.polrelid = '"app"."notes"'::regclass AND p.polname IN ('consolidation_all_projects')))
UNION
SELECT 'column ' || quote_ident(attname) || ' of table ' || '"app"."notes"'::regclass::text
FROM pg_attribute
WHERE attrelid = '"app"."notes"'::regclass AND attnum > 0 AND NOT attisdropped AND NOT attname IN ('id')
UNION
SELECT CASE WHEN d.classid = 'pg_rewrite'::regclass
  THEN pg_describe_object('pg_class'::regclass,
    (SELECT ev_class FROM pg_rewrite WHERE oid = d.objid), 0)
  ELSE pg_describe_object(d.classid, d.objid, d.objsubid) END
FROM pg_depend d
WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = '"Memory ""Banks"""."consolidation_jobs"'::regclass
  AND d.refobjsubid IN (SELECT attnum FROM pg_attribute WHERE attrelid = '"Memory ""Banks"""."consolidation_jobs"'::regclass AND attname IN ('heartbeat_at', 'run_after'))
  AND NOT (d.classid = 'pg_type'::regclass)
  AND NOT (d.classid = 'pg_class'::regclass AND EXISTS (
    SELECT FROM pg_class c, pg_class t WHERE c.oid = d.objid AND t.oid = '"Memory ""Banks"""."consolidation_jobs"'::regclass
      AND (c.oid = t.oid OR c.relkind = 't'
        OR c.relkind IN ('i', 'I') AND c.relnamespace = t.relnamespace AND c.relname IN ('idx_cj_running', 'idx_cj_pending', 'idx_tm_unconsolidated', 'idx_cj_project_created', 'idx_cm_project_created', 'idx_cm_embedding_project', 'idx_tm_consolidated_into', 'idx_tm_consolidated', 'idx_cj_trigger_type', 'idx_cj_created', 'idx_cj_project_status', 'idx_cm_content_tsv', 'idx_cm_embedding', 'idx_cm_source_ids', 'idx_cm_tags', 'idx_cm_created', 'idx_cm_pattern', 'idx_cm_type', 'idx_cm_abstraction', 'idx_cm_project'))))
  AND NOT (d.classid = 'pg_constraint'::regclass AND EXISTS (
    SELECT FROM pg_constraint k WHERE k.oid = d.objid AND k.conrelid = '"Memory ""Banks"""."consolidation_jobs"'::regclass
      AND (k.contype = 'n' OR false)))
  AND NOT (d.classid = 'pg_attrdef'::regclass AND EXISTS (
    SELECT FROM pg_attrdef f, pg_attribute a WHERE f.oid = d.objid
      AND f.adrelid = '"Memory ""Banks"""."consolidation_jobs"'::regclass AND a.attrelid = f.adrelid AND a.attnum = f.adnum AND a.attname IN ('heartbeat_at', 'run_after')))
  AND NOT (d.classid = 'pg_policy'::regclass AND EXISTS (
    SELECT FROM pg_policy p WHERE p.oid = d.objid AND p.polrelid = '"Memory ""Banks"""."consolidation_jobs"'::regclass AND p.polname IN ('consolidation_all_projects')))
UNION
SELECT CASE WHEN d.classid = 'pg_rewrite'::regclass
  THEN pg_describe_object('pg_class'::regclass,
    (SELECT ev_class FROM pg_rewrite WHERE oid = d.objid), 0)
  ELSE pg_describe_object(d.classid, d.objid, d.objsubid) END
FROM pg_depend d
WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = '"app"."task_memories"'::regclass
  AND d.refobjsubid IN (SELECT attnum FROM pg_attribute WHERE attrelid = '"app"."task_memories"'::regclass AND attname IN ('consolidated_into_id', 'is_consolidated'))
  AND NOT (d.classid = 'pg_type'::regclass)
  AND NOT (d.classid = 'pg_class'::regclass AND EXISTS (
    SELECT FROM pg_class c, pg_class t WHERE c.oid = d.objid AND t.oid = '"app"."task_memories"'::regclass
      AND (c.oid = t.oid OR c.relkind = 't'
        OR c.relkind IN ('i', 'I') AND c.relnamespace = t.relnamespace AND c.relname IN ('idx_cj_running', 'idx_cj_pending', 'idx_tm_unconsolidated', 'idx_cj_project_created', 'idx_cm_project_created', 'idx_cm_embedding_project', 'idx_tm_consolidated_into', 'idx_tm_consolidated', 'idx_cj_trigger_type', 'idx_cj_created', 'idx_cj_project_status', 'idx_cm_content_tsv', 'idx_cm_embedding', 'idx_cm_source_ids', 'idx_cm_tags', 'idx_cm_created', 'idx_cm_pattern', 'idx_cm_type', 'idx_cm_abstraction', 'idx_cm_project'))))
  AND NOT (d.classid = 'pg_constraint'::regclass AND EXISTS (
    SELECT FROM pg_constraint k WHERE k.oid = d.objid AND k.conrelid = '"app"."task_memories"'::regclass
      AND (k.contype = 'n' OR false)))
  AND NOT (d.classid = 'pg_attrdef'::regclass AND EXISTS (
    SELECT FROM pg_attrdef f, pg_attribute a WHERE f.oid = d.objid
      AND f.adrelid = '"app"."task_memories"'::regclass AND a.attrelid = f.adrelid AND a.attnum = f.adnum AND a.attname IN ('consolidated_into_id', 'is_consolidated')))
  AND NOT (d.classid = 'pg_policy'::regclass AND EXISTS (
    SELECT FROM pg_policy p WHERE p.oid = d.objid AND p.polrelid = '"app"."task_memories"'::regclass AND p.polname IN ('consolidation_all_projects')))
UNION
SELECT CASE WHEN d.classid = 'pg_rewrite'::regclass
  THEN pg_describe_object('pg_class'::regclass,
    (SELECT ev_class FROM pg_rewrite WHERE oid = d.objid), 0)
  ELSE pg_describe_object(d.classid, d.objid, d.objsubid) END
FROM pg_depend d
WHERE (d.refclassid = 'pg_class'::regclass AND d.refobjid = '"Memory ""Banks"""."consolidation_jobs"'::regclass
    OR d.refclassid = 'pg_type'::regclass AND d.refobjid IN (
      SELECT y.oid FROM pg_type y, pg_class c WHERE c.oid = '"Memory ""Banks"""."consolidation_jobs"'::regclass
      AND (y.oid = c.reltype OR y.typelem = c.reltype)))
  AND NOT (d.classid = 'pg_type'::regclass)
  AND NOT (d.classid = 'pg_class'::regclass AND EXISTS (
    SELECT FROM pg_class c, pg_class t WHERE c.oid = d.objid AND t.oid = '"Memory ""Banks"""."consolidation_jobs"'::regclass
      AND (c.oid = t.oid OR c.relkind = 't'
        OR c.relkind IN ('i', 'I') AND c.relnamespace = t.relnamespace AND c.relname IN ('idx_cj_running', 'idx_cj_pending', 'idx_tm_unconsolidated', 'idx_cj_project_created', 'idx_cm_project_created', 'idx_cm_embedding_project', 'idx_tm_consolidated_into', 'idx_tm_consolidated', 'idx_cj_trigger_type', 'idx_cj_created', 'idx_cj_project_status', 'idx_cm_content_tsv', 'idx_cm_embedding', 'idx_cm_source_ids', 'idx_cm_tags', 'idx_cm_created', 'idx_cm_pattern', 'idx_cm_type', 'idx_cm_abstraction', 'idx_cm_project'))))
  AND NOT (d.classid = 'pg_constraint'::regclass AND EXISTS (
    SELECT FROM pg_constraint k WHERE k.oid = d.objid AND k.conrelid = '"Memory ""Banks"""."consolidation_jobs"'::regclass
      AND (k.contype = 'n' OR k.conname IN ('consolidation_jobs_status_check', 'consolidation_jobs_trigger_check', 'consolidation_jobs_pkey'))))
  AND NOT (d.classid = 'pg_attrdef'::regclass AND EXISTS (
    SELECT FROM pg_attrdef f, pg_attribute a WHERE f.oid = d.objid
      AND f.adrelid = '"Memory ""Banks"""."consolidation_jobs"'::regclass AND a.attrelid = f.adrelid AND a.attnum = f.adnum AND a.attname IN ('id', 'project_id', 'status', 'trigger_type', 'scope', 'phases_completed', 'metrics', 'started_at', 'completed_at', 'duration_seconds', 'error_message', 'retry_count', 'max_retries', 'created_at', 'triggered_by', 'heartbeat_at', 'run_after')))
  AND NOT (d.classid = 'pg_policy'::regclass AND EXISTS (
    SELECT FROM pg_policy p WHERE p.oid = d.objid AND p.polrelid = '"Memory ""Banks"""."consolidation_jobs"'::regclass AND p.polname IN ('consolidation_all_projects')))
UNION
SELECT 'column ' || quote_ident(attname) || ' of table ' || '"Memory ""Banks"""."consolidation_jobs"'::regclass::text
FROM pg_attribute
WHERE attrelid = '"Memory ""Banks"""."consolidation_jobs"'::regclass AND attnum > 0 AND NOT attisdropped AND NOT attname IN ('id', 'project_id', 'status', 'trigger_type', 'scope', 'phases_completed', 'metrics', 'started_at', 'completed_at', 'duration_seconds', 'error_message', 'retry_count', 'max_retries', 'created_at', 'triggered_by', 'heartbeat_at', 'run_after')
UNION
SELECT CASE WHEN d.classid = 'pg_rewrite'::regclass
  THEN pg_describe_object('pg_class'::regclass,
    (SELECT ev_class FROM pg_rewrite WHERE oid = d.objid), 0)
  ELSE pg_describe_object(d.classid, d.objid, d.objsubid) END
FROM pg_depend d
WHERE (d.refclassid = 'pg_class'::regclass AND d.refobjid = '"Memory ""Banks"""."consolidated_memories"'::regclass
    OR d.refclassid = 'pg_type'::regclass AND d.refobjid IN (
      SELECT y.oid FROM pg_type y, pg_class c WHERE c.oid = '"Memory ""Banks"""."consolidated_memories"'::regclass
      AND (y.oid = c.reltype OR y.typelem = c.reltype)))
  AND NOT (d.classid = 'pg_type'::regclass)
  AND NOT (d.classid = 'pg_class'::regclass AND EXISTS (
    SELECT FROM pg_class c, pg_class t WHERE c.oid = d.objid AND t.oid = '"Memory ""Banks"""."consolidated_memories"'::regclass
      AND (c.oid = t.oid OR c.relkind = 't'
        OR c.relkind IN ('i', 'I') AND c.relnamespace = t.relnamespace AND c.relname IN ('idx_cj_running', 'idx_cj_pending', 'idx_tm_unconsolidated', 'idx_cj_project_created', 'idx_cm_project_created', 'idx_cm_embedding_project', 'idx_tm_consolidated_into', 'idx_tm_consolidated', 'idx_cj_trigger_type', 'idx_cj_created', 'idx_cj_project_status', 'idx_cm_content_tsv', 'idx_cm_embedding', 'idx_cm_source_ids', 'idx_cm_tags', 'idx_cm_created', 'idx_cm_pattern', 'idx_cm_type', 'idx_cm_abstraction', 'idx_cm_project'))))
  AND NOT (d.classid = 'pg_constraint'::regclass AND EXISTS (
    SELECT FROM pg_constraint k WHERE k.oid = d.objid AND k.conrelid = '"Memory ""Banks"""."consolidated_memories"'::regclass
      AND (k.contype = 'n' OR k.conname IN ('consolidated_memories_abstraction_check', 'consolidated_memories_type_check', 'consolidated_memories_pkey'))))
  AND NOT (d.classid = 'pg_attrdef'::regclass AND EXISTS (
    SELECT FROM pg_attrdef f, pg_attribute a WHERE f.oid = d.objid
      AND f.adrelid = '"Memory ""Banks"""."consolidated_memories"'::regclass AND a.attrelid = f.adrelid AND a.attnum = f.adnum AND a.attname IN ('id', 'project_id', 'content', 'memory_type', 'abstraction_level', 'pattern_type', 'confidence_score', 'source_memory_ids', 'embedding', 'tags', 'consolidation_method', 'created_at', 'updated_at', 'consolidated_at', 'source_count', 'reuse_count', 'content_tsv')))
  AND NOT (d.classid = 'pg_policy'::regclass AND EXISTS (
    SELECT FROM pg_policy p WHERE p.oid = d.objid AND p.polrelid = '"Memory ""Banks"""."consolidated_memories"'::regclass AND p.polname IN ('consolidation_all_projects')))
UNION
SELECT 'column ' || quote_ident(attname) || ' of table ' || '"Memory ""Banks"""."consolidated_memories"'::regclass::text
FROM pg_attribute
WHERE attrelid = '"Memory ""Banks"""."consolidated_memories"'::regclass AND attnum > 0 AND NOT attisdropped AND NOT attname IN ('id', 'project_id', 'content', 'memory_type', 'abstraction_level', 'pattern_type', 'confidence_score', 'source_memory_ids', 'embedding', 'tags', 'consolidation_method', 'created_at', 'updated_at', 'consolidated_at', 'source_count', 'reuse_count', 'content_tsv')) AS objects(object);
  IF obstacle IS NOT NULL THEN
    RAISE EXCEPTION USING MESSAGE = 'Refused: these objects are not the library''s and would go along. Drop or move them first: ' || obstacle;
  END IF;
END $consolidation$;

-- my_001

DROP TABLE "app"."notes";

DELETE FROM "Memory ""Banks"""."consolidation_history" WHERE revision = 'my_001';

-- consolidation_004

DROP INDEX "Memory ""Banks"""."idx_cj_running";

DROP INDEX "Memory ""Banks"""."idx_cj_pending";

ALTER TABLE "Memory ""Banks"""."consolidation_jobs"
  DROP COLUMN "heartbeat_at",
  DROP COLUMN "run_after";

DELETE FROM "Memory ""Banks"""."consolidation_history" WHERE revision = 'consolidation_004';

-- consolidation_003

DROP INDEX "app"."idx_tm_unconsolidated";

DROP INDEX "Memory ""Banks"""."idx_cj_project_created";

DROP INDEX "Memory ""Banks"""."idx_cm_project_created";

DELETE FROM "Memory ""Banks"""."consolidation_history" WHERE revision = 'consolidation_003';

-- consolidation_002

DROP INDEX "Memory ""Banks"""."idx_cm_embedding_project";

DELETE FROM "Memory ""Banks"""."consolidation_history" WHERE revision = 'consolidation_002';

-- consolidation_001

DROP INDEX "app"."idx_tm_consolidated_into";

DROP INDEX "app"."idx_tm_consolidated";

ALTER TABLE "app"."task_memories"
  DROP COLUMN "consolidated_into_id",
  DROP COLUMN "is_consolidated";

DROP INDEX "Memory ""Banks"""."idx_cj_trigger_type";

DROP INDEX "Memory ""Banks"""."idx_cj_created";

DROP INDEX "Memory ""Banks"""."idx_cj_project_status";

DROP TABLE "Memory ""Banks"""."consolidation_jobs";

DROP INDEX "Memory ""Banks"""."idx_cm_content_tsv";

DROP INDEX "Memory ""Banks"""."idx_cm_embedding";

DROP INDEX "Memory ""Banks"""."idx_cm_source_ids";

DROP INDEX "Memory ""Banks"""."idx_cm_tags";

DROP INDEX "Memory ""Banks"""."idx_cm_created";

DROP INDEX "Memory ""Banks"""."idx_cm_pattern";

DROP INDEX "Memory ""Banks"""."idx_cm_type";

DROP INDEX "Memory ""Banks"""."idx_cm_abstraction";

DROP INDEX "Memory ""Banks"""."idx_cm_project";

DROP TABLE "Memory ""Banks"""."consolidated_memories";

DELETE FROM "Memory ""Banks"""."consolidation_history" WHERE revision = 'consolidation_001';

-- task_memories_001

DELETE FROM "Memory ""Banks"""."consolidation_history" WHERE revision = 'task_memories_001';

DROP TABLE "Memory ""Banks"""."consolidation_history";

DROP SCHEMA "Memory ""Banks""";

SELECT set_config('lock_timeout', current_setting('consolidation.lock_timeout'), true),
  set_config('search_path', current_setting('consolidation.search_path'), true);
