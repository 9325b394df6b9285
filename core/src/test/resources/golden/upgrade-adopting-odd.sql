-- Upgrade of the consolidation schema: task_memories_001, consolidation_001, consolidation_002, consolidation_003, consolidation_004, my_001.
-- Run it in one transaction, which this script neither begins nor commits:
--   psql --single-transaction --set ON_ERROR_STOP=1 --file=SCRIPT
-- or as a migration of a tool that opens one.

CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA "ext";

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
  IF NOT (to_regclass('"Memory ""Banks"""."consolidation_history"') IS NULL) THEN
    RAISE EXCEPTION USING MESSAGE = 'The schema Memory "Banks" has been upgraded already: this script starts from nothing';
  END IF;
  IF NOT EXISTS (SELECT FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'vector' AND n.nspname = 'ext' AND string_to_array(substring(e.extversion FROM '^[0-9.]+'), '.')::integer[] >= '{0,8,0}') THEN
    RAISE EXCEPTION USING MESSAGE = 'The extension vector, 0.8.0 or newer, must stand in the schema "ext"';
  END IF;
  SELECT * INTO obstacle FROM (
SELECT CASE
  WHEN c.oid IS NULL THEN 'it does not exist'
  WHEN c.relkind NOT IN ('r', 'p') THEN 'it is no table'
  WHEN k.oid IS NULL THEN 'it has no primary key'
  WHEN cardinality(k.conkey) > 1 THEN 'its primary key has several columns'
  WHEN a.attname <> 'key' THEN 'its primary key is the column ' || a.attname
  WHEN y.typcategory <> 'S' THEN 'its primary key is of the type ' || y.typname
END
FROM (SELECT to_regclass('"app"."task_memories"') AS oid) AS host
LEFT JOIN pg_class c ON c.oid = host.oid
LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p'
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[1]
LEFT JOIN pg_type y ON y.oid = a.atttypid) AS problem(text);
  IF obstacle IS NOT NULL THEN
    RAISE EXCEPTION USING MESSAGE = 'The host''s table "app"."task_memories" cannot be adopted; it needs the primary key key, one column of a text type, but ' || obstacle;
  END IF;
  IF (SELECT CASE WHEN c.relkind = 'p'
    THEN (SELECT coalesce(sum(pg_table_size(p.relid)), 0) FROM pg_partition_tree(c.oid) p)
    ELSE pg_table_size(c.oid) END FROM pg_class c WHERE c.oid = to_regclass('"app"."task_memories"')) >= 67108864 THEN
    RAISE EXCEPTION USING MESSAGE = 'Refused: others would wait for long, because the table "app"."task_memories" is large and this script reads or writes all of it. Run Schema.upgrade() or the script of Schema.plan(), which build indexes online, or allow it by Hazard.BLOCKS_FOR_LONG';
  END IF;
END $consolidation$;

CREATE SCHEMA "Memory ""Banks""";

CREATE TABLE "Memory ""Banks"""."consolidation_history" (
  "stream" varchar(100) NOT NULL,
  "position" integer NOT NULL,
  "revision" varchar(100) NOT NULL,
  "requires" varchar(100),
  "checksum" varchar(64) NOT NULL,
  "options" jsonb NOT NULL,
  "additive" boolean NOT NULL,
  "created" varchar(100)[] NOT NULL DEFAULT '{}',
  "pending" jsonb NOT NULL DEFAULT '[]',
  "applied_at" timestamptz NOT NULL DEFAULT now(),
  "applied_by" varchar NOT NULL DEFAULT CURRENT_USER,
  CONSTRAINT "consolidation_history_pkey" PRIMARY KEY ("revision")
);

-- task_memories_001

INSERT INTO "Memory ""Banks"""."consolidation_history" (stream, position, revision, requires, checksum, options, additive, created)
VALUES ('consolidation', 1, 'task_memories_001', NULL, 'f55ac603623ce047fcde7fd082a0e60999e3a9ca8ee2389b02ee8deaaefe6327',  E'{"schema": "Memory \\"Banks\\"", "dimensions": 3072, "vectorType": "halfvec", "m": 24, "efConstruction": 200, "textSearchConfiguration": "app.plain", "hostTable": {"schema": "app", "name": "task_memories", "idColumn": "key", "project": "(select p from app.tasks t where t.id = task_memories.task)", "text": null, "embedding": null, "type": null, "success": null, "time": null}}', true, '{schema}');

-- consolidation_001

CREATE TABLE "Memory ""Banks"""."consolidated_memories" (
  "id" varchar NOT NULL,
  "project_id" varchar NOT NULL,
  "content" text NOT NULL,
  "memory_type" varchar(50) NOT NULL,
  "abstraction_level" integer NOT NULL,
  "pattern_type" varchar(50),
  "confidence_score" double precision,
  "source_memory_ids" varchar[] NOT NULL,
  "embedding" "ext"."halfvec"(3072),
  "tags" varchar(50)[],
  "consolidation_method" varchar(100),
  "created_at" timestamptz NOT NULL,
  "updated_at" timestamptz NOT NULL,
  "consolidated_at" timestamptz NOT NULL,
  "source_count" integer NOT NULL,
  "reuse_count" integer NOT NULL DEFAULT 0,
  "content_tsv" tsvector GENERATED ALWAYS AS (to_tsvector('app.plain', coalesce(content, ''))) STORED,
  CONSTRAINT "consolidated_memories_abstraction_check" CHECK (abstraction_level IN (1, 2, 3)),
  CONSTRAINT "consolidated_memories_type_check" CHECK (memory_type IN ('error_fix', 'discovery', 'decision', 'learning', 'warning', 'codebase_knowledge')),
  CONSTRAINT "consolidated_memories_pkey" PRIMARY KEY ("id")
);

CREATE INDEX "idx_cm_project" ON "Memory ""Banks"""."consolidated_memories"
  USING btree ("project_id");

CREATE INDEX "idx_cm_abstraction" ON "Memory ""Banks"""."consolidated_memories"
  USING btree ("abstraction_level");

CREATE INDEX "idx_cm_type" ON "Memory ""Banks"""."consolidated_memories"
  USING btree ("memory_type");

CREATE INDEX "idx_cm_pattern" ON "Memory ""Banks"""."consolidated_memories"
  USING btree ("pattern_type");

CREATE INDEX "idx_cm_created" ON "Memory ""Banks"""."consolidated_memories"
  USING btree ("consolidated_at");

CREATE INDEX "idx_cm_tags" ON "Memory ""Banks"""."consolidated_memories"
  USING gin ("tags");

CREATE INDEX "idx_cm_source_ids" ON "Memory ""Banks"""."consolidated_memories"
  USING gin ("source_memory_ids");

CREATE INDEX "idx_cm_embedding" ON "Memory ""Banks"""."consolidated_memories"
  USING hnsw ("embedding" "ext"."halfvec_cosine_ops")
  WITH (ef_construction = 200, m = 24)
  WHERE embedding IS NOT NULL;

CREATE INDEX "idx_cm_content_tsv" ON "Memory ""Banks"""."consolidated_memories"
  USING gin ("content_tsv");

CREATE TABLE "Memory ""Banks"""."consolidation_jobs" (
  "id" varchar NOT NULL,
  "project_id" varchar NOT NULL,
  "status" varchar(50) NOT NULL,
  "trigger_type" varchar(50) NOT NULL,
  "scope" jsonb DEFAULT '{}',
  "phases_completed" varchar[] DEFAULT '{}',
  "metrics" jsonb DEFAULT '{}',
  "started_at" timestamptz,
  "completed_at" timestamptz,
  "duration_seconds" integer,
  "error_message" text,
  "retry_count" integer NOT NULL DEFAULT 0,
  "max_retries" integer NOT NULL DEFAULT 3,
  "created_at" timestamptz NOT NULL,
  "triggered_by" varchar(255),
  CONSTRAINT "consolidation_jobs_status_check" CHECK (status IN ('pending', 'running', 'completed', 'failed', 'cancelled')),
  CONSTRAINT "consolidation_jobs_trigger_check" CHECK (trigger_type IN ('scheduled', 'manual', 'threshold')),
  CONSTRAINT "consolidation_jobs_pkey" PRIMARY KEY ("id")
);

CREATE INDEX "idx_cj_project_status" ON "Memory ""Banks"""."consolidation_jobs"
  USING btree ("project_id", "status");

CREATE INDEX "idx_cj_created" ON "Memory ""Banks"""."consolidation_jobs"
  USING btree ("created_at");

CREATE INDEX "idx_cj_trigger_type" ON "Memory ""Banks"""."consolidation_jobs"
  USING btree ("trigger_type");

ALTER TABLE "app"."task_memories"
  ADD COLUMN "consolidated_into_id" varchar,
  ADD COLUMN "is_consolidated" boolean NOT NULL DEFAULT false;

CREATE INDEX "idx_tm_consolidated" ON "app"."task_memories"
  USING btree ("is_consolidated")
  WHERE is_consolidated = true;

CREATE INDEX "idx_tm_consolidated_into" ON "app"."task_memories"
  USING btree ("consolidated_into_id")
  WHERE consolidated_into_id IS NOT NULL;

INSERT INTO "Memory ""Banks"""."consolidation_history" (stream, position, revision, requires, checksum, options, additive, created)
VALUES ('consolidation', 2, 'consolidation_001', NULL, 'dcb55860b50651f3f9874aa6186b4315fd8354a876658e33dd43f73f7feb5e7b',  E'{"schema": "Memory \\"Banks\\"", "dimensions": 3072, "vectorType": "halfvec", "m": 24, "efConstruction": 200, "textSearchConfiguration": "app.plain", "hostTable": {"schema": "app", "name": "task_memories", "idColumn": "key", "project": "(select p from app.tasks t where t.id = task_memories.task)", "text": null, "embedding": null, "type": null, "success": null, "time": null}}', true, '{}');

-- consolidation_002

CREATE INDEX "idx_cm_embedding_project" ON "Memory ""Banks"""."consolidated_memories"
  USING hnsw ((((("ext".l2_normalize(embedding))::"ext".vector OPERATOR("ext".||) "ext".l2_normalize((ARRAY['3e+19'::real, (hashtextextended((project_id)::text, (1)::bigint))::real, (hashtextextended((project_id)::text, (2)::bigint))::real, (hashtextextended((project_id)::text, (3)::bigint))::real, (hashtextextended((project_id)::text, (4)::bigint))::real, (hashtextextended((project_id)::text, (5)::bigint))::real, (hashtextextended((project_id)::text, (6)::bigint))::real, (hashtextextended((project_id)::text, (7)::bigint))::real, (hashtextextended((project_id)::text, (8)::bigint))::real, (hashtextextended((project_id)::text, (9)::bigint))::real, (hashtextextended((project_id)::text, (10)::bigint))::real, (hashtextextended((project_id)::text, (11)::bigint))::real, (hashtextextended((project_id)::text, (12)::bigint))::real, (hashtextextended((project_id)::text, (13)::bigint))::real, (hashtextextended((project_id)::text, (14)::bigint))::real, (hashtextextended((project_id)::text, (15)::bigint))::real])::"ext".vector)))::"ext".halfvec(3088)) "ext"."halfvec_ip_ops")
  WITH (ef_construction = 256, m = 16)
  WHERE embedding IS NOT NULL;

INSERT INTO "Memory ""Banks"""."consolidation_history" (stream, position, revision, requires, checksum, options, additive, created)
VALUES ('consolidation', 3, 'consolidation_002', NULL, '6b987d55ce547e2c31f107f8957e54028ec90ba3a3f1fec7728d271b69003b90',  E'{"schema": "Memory \\"Banks\\"", "dimensions": 3072, "vectorType": "halfvec", "m": 24, "efConstruction": 200, "textSearchConfiguration": "app.plain", "hostTable": {"schema": "app", "name": "task_memories", "idColumn": "key", "project": "(select p from app.tasks t where t.id = task_memories.task)", "text": null, "embedding": null, "type": null, "success": null, "time": null}}', true, '{}');

-- consolidation_003

CREATE INDEX "idx_cm_project_created" ON "Memory ""Banks"""."consolidated_memories"
  USING btree ("project_id", "created_at", "id");

CREATE INDEX "idx_cj_project_created" ON "Memory ""Banks"""."consolidation_jobs"
  USING btree ("project_id", "created_at", "id");

CREATE INDEX "idx_tm_unconsolidated" ON "app"."task_memories"
  USING btree ("key")
  WHERE is_consolidated = false;

INSERT INTO "Memory ""Banks"""."consolidation_history" (stream, position, revision, requires, checksum, options, additive, created)
VALUES ('consolidation', 4, 'consolidation_003', NULL, '9f5755d722006f9c60a29de3399fc8bf40be01ec67e3f7b0e39bfb658fa2e7a5',  E'{"schema": "Memory \\"Banks\\"", "dimensions": 3072, "vectorType": "halfvec", "m": 24, "efConstruction": 200, "textSearchConfiguration": "app.plain", "hostTable": {"schema": "app", "name": "task_memories", "idColumn": "key", "project": "(select p from app.tasks t where t.id = task_memories.task)", "text": null, "embedding": null, "type": null, "success": null, "time": null}}', true, '{}');

-- consolidation_004

ALTER TABLE "Memory ""Banks"""."consolidation_jobs"
  ADD COLUMN "heartbeat_at" timestamptz,
  ADD COLUMN "run_after" timestamptz;

CREATE INDEX "idx_cj_pending" ON "Memory ""Banks"""."consolidation_jobs"
  USING btree ("project_id", (COALESCE(run_after, created_at)), "id")
  WHERE status = 'pending';

CREATE INDEX "idx_cj_running" ON "Memory ""Banks"""."consolidation_jobs"
  USING btree ("project_id")
  WHERE status = 'running';

INSERT INTO "Memory ""Banks"""."consolidation_history" (stream, position, revision, requires, checksum, options, additive, created)
VALUES ('consolidation', 5, 'consolidation_004', NULL, 'ef5607c35197762351496d5dbd0cc29184ca6a0fe7a622431a9206e0a797dfdc',  E'{"schema": "Memory \\"Banks\\"", "dimensions": 3072, "vectorType": "halfvec", "m": 24, "efConstruction": 200, "textSearchConfiguration": "app.plain", "hostTable": {"schema": "app", "name": "task_memories", "idColumn": "key", "project": "(select p from app.tasks t where t.id = task_memories.task)", "text": null, "embedding": null, "type": null, "success": null, "time": null}}', true, '{}');

-- my_001

CREATE TABLE "app"."notes" (
  "id" text
);

INSERT INTO "Memory ""Banks"""."consolidation_history" (stream, position, revision, requires, checksum, options, additive, created)
VALUES ('my_app', 6, 'my_001', 'consolidation_001', '05dab21e1972810a6ac8e4cedec21da5ed440edd2355efbd70e8bf8cad04319b',  E'{"schema": "Memory \\"Banks\\"", "dimensions": 3072, "vectorType": "halfvec", "m": 24, "efConstruction": 200, "textSearchConfiguration": "app.plain", "hostTable": {"schema": "app", "name": "task_memories", "idColumn": "key", "project": "(select p from app.tasks t where t.id = task_memories.task)", "text": null, "embedding": null, "type": null, "success": null, "time": null}}', true, '{}');

SELECT set_config('lock_timeout', current_setting('consolidation.lock_timeout'), true),
  set_config('search_path', current_setting('consolidation.search_path'), true);
