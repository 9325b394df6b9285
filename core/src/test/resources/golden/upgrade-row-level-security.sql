-- Upgrade of the consolidation schema: consolidation_005.
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
    RAISE EXCEPTION USING MESSAGE = 'The schema public was upgraded with other options: SchemaOptions{"schema": "public", "dimensions": 1536, "vectorType": "vector", "m": 16, "efConstruction": 64, "textSearchConfiguration": "english", "hostTable": {"schema": "public", "name": "task_memories", "idColumn": "id", "project": "project_id", "text": "execution_summary", "embedding": "context_embedding", "type": "memory_type", "success": "success", "time": "learned_at"}, "rowLevelSecurity": true}';
  END IF;
  IF EXISTS (SELECT FROM "public"."consolidation_history" WHERE position = 1 AND created <> '{host_table}') THEN
    RAISE EXCEPTION USING MESSAGE = 'The history records that the first upgrade created other things than {host_table}';
  END IF;
  IF NOT EXISTS (SELECT FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'vector' AND n.nspname = 'public' AND string_to_array(substring(e.extversion FROM '^[0-9.]+'), '.')::integer[] >= '{0,8,0}') THEN
    RAISE EXCEPTION USING MESSAGE = 'The extension vector, 0.8.0 or newer, must stand in the schema "public"';
  END IF;
END $consolidation$;

-- consolidation_005

CREATE POLICY "consolidation_project" ON "public"."consolidated_memories"
  USING (project_id = (SELECT NULLIF(current_setting('consolidation.project', true), '')))
  WITH CHECK (project_id = (SELECT NULLIF(current_setting('consolidation.project', true), '')));

ALTER TABLE "public"."consolidated_memories"
  ENABLE ROW LEVEL SECURITY,
  FORCE ROW LEVEL SECURITY;

CREATE POLICY "consolidation_project" ON "public"."consolidation_jobs"
  USING (project_id = (SELECT NULLIF(current_setting('consolidation.project', true), '')))
  WITH CHECK (project_id = (SELECT NULLIF(current_setting('consolidation.project', true), '')));

ALTER TABLE "public"."consolidation_jobs"
  ENABLE ROW LEVEL SECURITY,
  FORCE ROW LEVEL SECURITY;

INSERT INTO "public"."consolidation_history" (stream, position, revision, requires, checksum, options, additive, created)
VALUES ('consolidation', 6, 'consolidation_005', NULL, 'ad35b98858c293bfc0fe63fdcb42fb1fc85577fc252c645ce1cee595b1d624e4', '{"schema": "public", "dimensions": 1536, "vectorType": "vector", "m": 16, "efConstruction": 64, "textSearchConfiguration": "english", "hostTable": {"schema": "public", "name": "task_memories", "idColumn": "id", "project": "project_id", "text": "execution_summary", "embedding": "context_embedding", "type": "memory_type", "success": "success", "time": "learned_at"}}', false, '{}');

SELECT set_config('lock_timeout', current_setting('consolidation.lock_timeout'), true),
  set_config('search_path', current_setting('consolidation.search_path'), true);
