-- Downgrade of the consolidation schema: consolidation_004, consolidation_003, consolidation_002, consolidation_001, task_memories_001.
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
  PERFORM pg_advisory_xact_lock(-4724537801840364900);
  PERFORM set_config(
    'consolidation.lock_timeout', current_setting('lock_timeout'), true);
  IF current_setting('lock_timeout') = '0' THEN
    PERFORM set_config('lock_timeout', '2000ms', true);
  END IF;
  IF to_regclass('"public"."consolidation_history"') IS NULL THEN
    RAISE EXCEPTION USING MESSAGE = 'The schema public has not been upgraded';
  END IF;
  IF (SELECT string_agg(revision, ',' ORDER BY position) FROM "public"."consolidation_history") IS DISTINCT FROM 'task_memories_001,consolidation_001,consolidation_002,consolidation_003,consolidation_004' THEN
    RAISE EXCEPTION USING MESSAGE = 'The history in public holds other revisions than this script starts from: task_memories_001,consolidation_001,consolidation_002,consolidation_003,consolidation_004';
  END IF;
  IF EXISTS (SELECT FROM "public"."consolidation_history" WHERE options <> '{"schema": "public", "dimensions": 1536, "vectorType": "vector", "m": 16, "efConstruction": 64, "textSearchConfiguration": "english", "hostTable": {"schema": "public", "name": "task_memories", "idColumn": "id", "project": "project_id", "text": "execution_summary", "embedding": "context_embedding", "type": "memory_type", "success": "success", "time": "learned_at"}}') THEN
    RAISE EXCEPTION USING MESSAGE = 'The schema public was upgraded with other options: SchemaOptions{"schema": "public", "dimensions": 1536, "vectorType": "vector", "m": 16, "efConstruction": 64, "textSearchConfiguration": "english", "hostTable": {"schema": "public", "name": "task_memories", "idColumn": "id", "project": "project_id", "text": "execution_summary", "embedding": "context_embedding", "type": "memory_type", "success": "success", "time": "learned_at"}}';
  END IF;
  IF EXISTS (SELECT FROM "public"."consolidation_history" WHERE position = 1 AND created <> '{host_table}') THEN
    RAISE EXCEPTION USING MESSAGE = 'The history records that the first upgrade created other things than {host_table}';
  END IF;
  LOCK TABLE "public"."consolidation_jobs", "public"."task_memories", "public"."consolidated_memories" IN ACCESS EXCLUSIVE MODE;
  SET LOCAL row_security = off;
  SELECT string_agg(object, ', ') INTO obstacle FROM (
SELECT CASE WHEN d.classid = 'pg_rewrite'::regclass
  THEN pg_describe_object('pg_class'::regclass,
    (SELECT ev_class FROM pg_rewrite WHERE oid = d.objid), 0)
  ELSE pg_describe_object(d.classid, d.objid, d.objsubid) END
FROM pg_depend d
WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = '"public"."consolidation_jobs"'::regclass
  AND d.refobjsubid IN (SELECT attnum FROM pg_attribute WHERE attrelid = '"public"."consolidation_jobs"'::regclass AND attname IN ('heartbeat_at', 'run_after'))
  AND NOT (d.classid = 'pg_type'::regclass)
  AND NOT (d.classid = 'pg_class'::regclass AND EXISTS (
    SELECT FROM pg_class c, pg_class t WHERE c.oid = d.objid AND t.oid = '"public"."consolidation_jobs"'::regclass
      AND (c.oid = t.oid OR c.relkind = 't'
        OR c.relkind IN ('i', 'I') AND c.relnamespace = t.relnamespace AND c.relname IN ('idx_cj_running', 'idx_cj_pending', 'idx_tm_unconsolidated', 'idx_cj_project_created', 'idx_cm_project_created', 'idx_cm_embedding_project', 'idx_tm_consolidated_into', 'idx_tm_consolidated', 'idx_cj_trigger_type', 'idx_cj_created', 'idx_cj_project_status', 'idx_cm_content_tsv', 'idx_cm_embedding', 'idx_cm_source_ids', 'idx_cm_tags', 'idx_cm_created', 'idx_cm_pattern', 'idx_cm_type', 'idx_cm_abstraction', 'idx_cm_project'))))
  AND NOT (d.classid = 'pg_constraint'::regclass AND EXISTS (
    SELECT FROM pg_constraint k WHERE k.oid = d.objid AND k.conrelid = '"public"."consolidation_jobs"'::regclass
      AND (k.contype = 'n' OR false)))
  AND NOT (d.classid = 'pg_attrdef'::regclass AND EXISTS (
    SELECT FROM pg_attrdef f, pg_attribute a WHERE f.oid = d.objid
      AND f.adrelid = '"public"."consolidation_jobs"'::regclass AND a.attrelid = f.adrelid AND a.attnum = f.adnum AND a.attname IN ('heartbeat_at', 'run_after')))
  AND NOT (d.classid = 'pg_policy'::regclass AND EXISTS (
    SELECT FROM pg_policy p WHERE p.oid = d.objid AND p.polrelid = '"public"."consolidation_jobs"'::regclass AND p.polname IN ('consolidation_all_projects')))
UNION
SELECT CASE WHEN d.classid = 'pg_rewrite'::regclass
  THEN pg_describe_object('pg_class'::regclass,
    (SELECT ev_class FROM pg_rewrite WHERE oid = d.objid), 0)
  ELSE pg_describe_object(d.classid, d.objid, d.objsubid) END
FROM pg_depend d
WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = '"public"."task_memories"'::regclass
  AND d.refobjsubid IN (SELECT attnum FROM pg_attribute WHERE attrelid = '"public"."task_memories"'::regclass AND attname IN ('consolidated_into_id', 'is_consolidated'))
  AND NOT (d.classid = 'pg_type'::regclass)
  AND NOT (d.classid = 'pg_class'::regclass AND EXISTS (
    SELECT FROM pg_class c, pg_class t WHERE c.oid = d.objid AND t.oid = '"public"."task_memories"'::regclass
      AND (c.oid = t.oid OR c.relkind = 't'
        OR c.relkind IN ('i', 'I') AND c.relnamespace = t.relnamespace AND c.relname IN ('idx_cj_running', 'idx_cj_pending', 'idx_tm_unconsolidated', 'idx_cj_project_created', 'idx_cm_project_created', 'idx_cm_embedding_project', 'idx_tm_consolidated_into', 'idx_tm_consolidated', 'idx_cj_trigger_type', 'idx_cj_created', 'idx_cj_project_status', 'idx_cm_content_tsv', 'idx_cm_embedding', 'idx_cm_source_ids', 'idx_cm_tags', 'idx_cm_created', 'idx_cm_pattern', 'idx_cm_type', 'idx_cm_abstraction', 'idx_cm_project'))))
  AND NOT (d.classid = 'pg_constraint'::regclass AND EXISTS (
    SELECT FROM pg_constraint k WHERE k.oid = d.objid AND k.conrelid = '"public"."task_memories"'::regclass
      AND (k.contype = 'n' OR false)))
  AND NOT (d.classid = 'pg_attrdef'::regclass AND EXISTS (
    SELECT FROM pg_attrdef f, pg_attribute a WHERE f.oid = d.objid
      AND f.adrelid = '"public"."task_memories"'::regclass AND a.attrelid = f.adrelid AND a.attnum = f.adnum AND a.attname IN ('consolidated_into_id', 'is_consolidated')))
  AND NOT (d.classid = 'pg_policy'::regclass AND EXISTS (
    SELECT FROM pg_policy p WHERE p.oid = d.objid AND p.polrelid = '"public"."task_memories"'::regclass AND p.polname IN ('consolidation_all_projects')))
UNION
SELECT CASE WHEN d.classid = 'pg_rewrite'::regclass
  THEN pg_describe_object('pg_class'::regclass,
    (SELECT ev_class FROM pg_rewrite WHERE oid = d.objid), 0)
  ELSE pg_describe_object(d.classid, d.objid, d.objsubid) END
FROM pg_depend d
WHERE (d.refclassid = 'pg_class'::regclass AND d.refobjid = '"public"."consolidation_jobs"'::regclass
    OR d.refclassid = 'pg_type'::regclass AND d.refobjid IN (
      SELECT y.oid FROM pg_type y, pg_class c WHERE c.oid = '"public"."consolidation_jobs"'::regclass
      AND (y.oid = c.reltype OR y.typelem = c.reltype)))
  AND NOT (d.classid = 'pg_type'::regclass)
  AND NOT (d.classid = 'pg_class'::regclass AND EXISTS (
    SELECT FROM pg_class c, pg_class t WHERE c.oid = d.objid AND t.oid = '"public"."consolidation_jobs"'::regclass
      AND (c.oid = t.oid OR c.relkind = 't'
        OR c.relkind IN ('i', 'I') AND c.relnamespace = t.relnamespace AND c.relname IN ('idx_cj_running', 'idx_cj_pending', 'idx_tm_unconsolidated', 'idx_cj_project_created', 'idx_cm_project_created', 'idx_cm_embedding_project', 'idx_tm_consolidated_into', 'idx_tm_consolidated', 'idx_cj_trigger_type', 'idx_cj_created', 'idx_cj_project_status', 'idx_cm_content_tsv', 'idx_cm_embedding', 'idx_cm_source_ids', 'idx_cm_tags', 'idx_cm_created', 'idx_cm_pattern', 'idx_cm_type', 'idx_cm_abstraction', 'idx_cm_project'))))
  AND NOT (d.classid = 'pg_constraint'::regclass AND EXISTS (
    SELECT FROM pg_constraint k WHERE k.oid = d.objid AND k.conrelid = '"public"."consolidation_jobs"'::regclass
      AND (k.contype = 'n' OR k.conname IN ('consolidation_jobs_status_check', 'consolidation_jobs_trigger_check', 'consolidation_jobs_pkey'))))
  AND NOT (d.classid = 'pg_attrdef'::regclass AND EXISTS (
    SELECT FROM pg_attrdef f, pg_attribute a WHERE f.oid = d.objid
      AND f.adrelid = '"public"."consolidation_jobs"'::regclass AND a.attrelid = f.adrelid AND a.attnum = f.adnum AND a.attname IN ('id', 'project_id', 'status', 'trigger_type', 'scope', 'phases_completed', 'metrics', 'started_at', 'completed_at', 'duration_seconds', 'error_message', 'retry_count', 'max_retries', 'created_at', 'triggered_by', 'heartbeat_at', 'run_after')))
  AND NOT (d.classid = 'pg_policy'::regclass AND EXISTS (
    SELECT FROM pg_policy p WHERE p.oid = d.objid AND p.polrelid = '"public"."consolidation_jobs"'::regclass AND p.polname IN ('consolidation_all_projects')))
UNION
SELECT 'column ' || quote_ident(attname) || ' of table ' || '"public"."consolidation_jobs"'::regclass::text
FROM pg_attribute
WHERE attrelid = '"public"."consolidation_jobs"'::regclass AND attnum > 0 AND NOT attisdropped AND NOT attname IN ('id', 'project_id', 'status', 'trigger_type', 'scope', 'phases_completed', 'metrics', 'started_at', 'completed_at', 'duration_seconds', 'error_message', 'retry_count', 'max_retries', 'created_at', 'triggered_by', 'heartbeat_at', 'run_after')
UNION
SELECT CASE WHEN d.classid = 'pg_rewrite'::regclass
  THEN pg_describe_object('pg_class'::regclass,
    (SELECT ev_class FROM pg_rewrite WHERE oid = d.objid), 0)
  ELSE pg_describe_object(d.classid, d.objid, d.objsubid) END
FROM pg_depend d
WHERE (d.refclassid = 'pg_class'::regclass AND d.refobjid = '"public"."consolidated_memories"'::regclass
    OR d.refclassid = 'pg_type'::regclass AND d.refobjid IN (
      SELECT y.oid FROM pg_type y, pg_class c WHERE c.oid = '"public"."consolidated_memories"'::regclass
      AND (y.oid = c.reltype OR y.typelem = c.reltype)))
  AND NOT (d.classid = 'pg_type'::regclass)
  AND NOT (d.classid = 'pg_class'::regclass AND EXISTS (
    SELECT FROM pg_class c, pg_class t WHERE c.oid = d.objid AND t.oid = '"public"."consolidated_memories"'::regclass
      AND (c.oid = t.oid OR c.relkind = 't'
        OR c.relkind IN ('i', 'I') AND c.relnamespace = t.relnamespace AND c.relname IN ('idx_cj_running', 'idx_cj_pending', 'idx_tm_unconsolidated', 'idx_cj_project_created', 'idx_cm_project_created', 'idx_cm_embedding_project', 'idx_tm_consolidated_into', 'idx_tm_consolidated', 'idx_cj_trigger_type', 'idx_cj_created', 'idx_cj_project_status', 'idx_cm_content_tsv', 'idx_cm_embedding', 'idx_cm_source_ids', 'idx_cm_tags', 'idx_cm_created', 'idx_cm_pattern', 'idx_cm_type', 'idx_cm_abstraction', 'idx_cm_project'))))
  AND NOT (d.classid = 'pg_constraint'::regclass AND EXISTS (
    SELECT FROM pg_constraint k WHERE k.oid = d.objid AND k.conrelid = '"public"."consolidated_memories"'::regclass
      AND (k.contype = 'n' OR k.conname IN ('consolidated_memories_abstraction_check', 'consolidated_memories_type_check', 'consolidated_memories_pkey'))))
  AND NOT (d.classid = 'pg_attrdef'::regclass AND EXISTS (
    SELECT FROM pg_attrdef f, pg_attribute a WHERE f.oid = d.objid
      AND f.adrelid = '"public"."consolidated_memories"'::regclass AND a.attrelid = f.adrelid AND a.attnum = f.adnum AND a.attname IN ('id', 'project_id', 'content', 'memory_type', 'abstraction_level', 'pattern_type', 'confidence_score', 'source_memory_ids', 'embedding', 'tags', 'consolidation_method', 'created_at', 'updated_at', 'consolidated_at', 'source_count', 'reuse_count', 'content_tsv')))
  AND NOT (d.classid = 'pg_policy'::regclass AND EXISTS (
    SELECT FROM pg_policy p WHERE p.oid = d.objid AND p.polrelid = '"public"."consolidated_memories"'::regclass AND p.polname IN ('consolidation_all_projects')))
UNION
SELECT 'column ' || quote_ident(attname) || ' of table ' || '"public"."consolidated_memories"'::regclass::text
FROM pg_attribute
WHERE attrelid = '"public"."consolidated_memories"'::regclass AND attnum > 0 AND NOT attisdropped AND NOT attname IN ('id', 'project_id', 'content', 'memory_type', 'abstraction_level', 'pattern_type', 'confidence_score', 'source_memory_ids', 'embedding', 'tags', 'consolidation_method', 'created_at', 'updated_at', 'consolidated_at', 'source_count', 'reuse_count', 'content_tsv')
UNION
SELECT CASE WHEN d.classid = 'pg_rewrite'::regclass
  THEN pg_describe_object('pg_class'::regclass,
    (SELECT ev_class FROM pg_rewrite WHERE oid = d.objid), 0)
  ELSE pg_describe_object(d.classid, d.objid, d.objsubid) END
FROM pg_depend d
WHERE (d.refclassid = 'pg_class'::regclass AND d.refobjid = '"public"."task_memories"'::regclass
    OR d.refclassid = 'pg_type'::regclass AND d.refobjid IN (
      SELECT y.oid FROM pg_type y, pg_class c WHERE c.oid = '"public"."task_memories"'::regclass
      AND (y.oid = c.reltype OR y.typelem = c.reltype)))
  AND NOT (d.classid = 'pg_type'::regclass)
  AND NOT (d.classid = 'pg_class'::regclass AND EXISTS (
    SELECT FROM pg_class c, pg_class t WHERE c.oid = d.objid AND t.oid = '"public"."task_memories"'::regclass
      AND (c.oid = t.oid OR c.relkind = 't'
        OR c.relkind IN ('i', 'I') AND c.relnamespace = t.relnamespace AND c.relname IN ('idx_cj_running', 'idx_cj_pending', 'idx_tm_unconsolidated', 'idx_cj_project_created', 'idx_cm_project_created', 'idx_cm_embedding_project', 'idx_tm_consolidated_into', 'idx_tm_consolidated', 'idx_cj_trigger_type', 'idx_cj_created', 'idx_cj_project_status', 'idx_cm_content_tsv', 'idx_cm_embedding', 'idx_cm_source_ids', 'idx_cm_tags', 'idx_cm_created', 'idx_cm_pattern', 'idx_cm_type', 'idx_cm_abstraction', 'idx_cm_project'))))
  AND NOT (d.classid = 'pg_constraint'::regclass AND EXISTS (
    SELECT FROM pg_constraint k WHERE k.oid = d.objid AND k.conrelid = '"public"."task_memories"'::regclass
      AND (k.contype = 'n' OR k.conname IN ('task_memories_type_check', 'task_memories_pkey'))))
  AND NOT (d.classid = 'pg_attrdef'::regclass AND EXISTS (
    SELECT FROM pg_attrdef f, pg_attribute a WHERE f.oid = d.objid
      AND f.adrelid = '"public"."task_memories"'::regclass AND a.attrelid = f.adrelid AND a.attnum = f.adnum AND a.attname IN ('id', 'project_id', 'task_id', 'execution_summary', 'memory_type', 'goal', 'result', 'feedback', 'tool_usage', 'context_embedding', 'success', 'error_patterns', 'learned_at', 'reused_count', 'consolidated_into_id', 'is_consolidated')))
  AND NOT (d.classid = 'pg_policy'::regclass AND EXISTS (
    SELECT FROM pg_policy p WHERE p.oid = d.objid AND p.polrelid = '"public"."task_memories"'::regclass AND p.polname IN ('consolidation_all_projects')))
UNION
SELECT 'column ' || quote_ident(attname) || ' of table ' || '"public"."task_memories"'::regclass::text
FROM pg_attribute
WHERE attrelid = '"public"."task_memories"'::regclass AND attnum > 0 AND NOT attisdropped AND NOT attname IN ('id', 'project_id', 'task_id', 'execution_summary', 'memory_type', 'goal', 'result', 'feedback', 'tool_usage', 'context_embedding', 'success', 'error_patterns', 'learned_at', 'reused_count', 'consolidated_into_id', 'is_consolidated')) AS objects(object);
  IF obstacle IS NOT NULL THEN
    RAISE EXCEPTION USING MESSAGE = 'Refused: these objects are not the library''s and would go along. Drop or move them first: ' || obstacle;
  END IF;
  hidden := ARRAY(SELECT t.name FROM (VALUES ('"public"."consolidation_jobs"'), ('"public"."task_memories"'), ('"public"."consolidated_memories"')) AS t(name) WHERE row_security_active(to_regclass(t.name)));
  FOR i IN 1 .. cardinality(hidden) LOOP
    EXECUTE 'ALTER TABLE ' || hidden[i] || ' NO FORCE ROW LEVEL SECURITY';
  END LOOP;
  IF EXISTS (SELECT FROM "public"."consolidation_jobs" WHERE "heartbeat_at" IS NOT NULL)
  OR EXISTS (SELECT FROM "public"."consolidation_jobs" WHERE "run_after" IS NOT NULL) THEN
    RAISE EXCEPTION USING MESSAGE = 'Refused: data would be deleted. Save it, then allow it by Hazard.DELETES_DATA: table "public"."consolidation_jobs" has values in heartbeat_at or run_after';
  END IF;
  IF EXISTS (SELECT FROM "public"."task_memories" WHERE "consolidated_into_id" IS NOT NULL)
  OR EXISTS (SELECT FROM "public"."task_memories" WHERE "is_consolidated" = true) THEN
    RAISE EXCEPTION USING MESSAGE = 'Refused: data would be deleted. Save it, then allow it by Hazard.DELETES_DATA: table "public"."task_memories" has values in consolidated_into_id or is_consolidated';
  END IF;
  IF EXISTS (SELECT FROM "public"."consolidation_jobs") THEN
    RAISE EXCEPTION USING MESSAGE = 'Refused: data would be deleted. Save it, then allow it by Hazard.DELETES_DATA: table "public"."consolidation_jobs" has rows';
  END IF;
  IF EXISTS (SELECT FROM "public"."consolidated_memories") THEN
    RAISE EXCEPTION USING MESSAGE = 'Refused: data would be deleted. Save it, then allow it by Hazard.DELETES_DATA: table "public"."consolidated_memories" has rows';
  END IF;
  IF EXISTS (SELECT FROM "public"."task_memories") THEN
    RAISE EXCEPTION USING MESSAGE = 'Refused: data would be deleted. Save it, then allow it by Hazard.DELETES_DATA: table "public"."task_memories" has rows';
  END IF;
  FOR i IN 1 .. cardinality(hidden) LOOP
    EXECUTE 'ALTER TABLE ' || hidden[i] || ' FORCE ROW LEVEL SECURITY';
  END LOOP;
END $consolidation$;

-- consolidation_004

DROP INDEX "public"."idx_cj_running";

DROP INDEX "public"."idx_cj_pending";

ALTER TABLE "public"."consolidation_jobs"
  DROP COLUMN "heartbeat_at",
  DROP COLUMN "run_after";

DELETE FROM "public"."consolidation_history" WHERE revision = 'consolidation_004';

-- consolidation_003

DROP INDEX "public"."idx_tm_unconsolidated";

DROP INDEX "public"."idx_cj_project_created";

DROP INDEX "public"."idx_cm_project_created";

DELETE FROM "public"."consolidation_history" WHERE revision = 'consolidation_003';

-- consolidation_002

DROP INDEX "public"."idx_cm_embedding_project";

DELETE FROM "public"."consolidation_history" WHERE revision = 'consolidation_002';

-- consolidation_001

DROP INDEX "public"."idx_tm_consolidated_into";

DROP INDEX "public"."idx_tm_consolidated";

ALTER TABLE "public"."task_memories"
  DROP COLUMN "consolidated_into_id",
  DROP COLUMN "is_consolidated";

DROP INDEX "public"."idx_cj_trigger_type";

DROP INDEX "public"."idx_cj_created";

DROP INDEX "public"."idx_cj_project_status";

DROP TABLE "public"."consolidation_jobs";

DROP INDEX "public"."idx_cm_content_tsv";

DROP INDEX "public"."idx_cm_embedding";

DROP INDEX "public"."idx_cm_source_ids";

DROP INDEX "public"."idx_cm_tags";

DROP INDEX "public"."idx_cm_created";

DROP INDEX "public"."idx_cm_pattern";

DROP INDEX "public"."idx_cm_type";

DROP INDEX "public"."idx_cm_abstraction";

DROP INDEX "public"."idx_cm_project";

DROP TABLE "public"."consolidated_memories";

DELETE FROM "public"."consolidation_history" WHERE revision = 'consolidation_001';

-- task_memories_001

DROP TABLE "public"."task_memories";

DELETE FROM "public"."consolidation_history" WHERE revision = 'task_memories_001';

DROP TABLE "public"."consolidation_history";

SELECT set_config('lock_timeout', current_setting('consolidation.lock_timeout'), true),
  set_config('search_path', current_setting('consolidation.search_path'), true);
