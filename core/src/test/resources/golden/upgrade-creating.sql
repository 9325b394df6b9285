-- Upgrade of the consolidation schema: task_memories_001, consolidation_001, consolidation_002, consolidation_003, consolidation_004.
-- Run it in one transaction, which this script neither begins nor commits:
--   psql --single-transaction --set ON_ERROR_STOP=1 --file=SCRIPT
-- or as a migration of a tool that opens one.

CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA "public";

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
  IF NOT (to_regclass('"public"."consolidation_history"') IS NULL) THEN
    RAISE EXCEPTION USING MESSAGE = 'The schema public has been upgraded already: this script starts from nothing';
  END IF;
  IF NOT EXISTS (SELECT FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'vector' AND n.nspname = 'public' AND string_to_array(substring(e.extversion FROM '^[0-9.]+'), '.')::integer[] >= '{0,8,0}') THEN
    RAISE EXCEPTION USING MESSAGE = 'The extension vector, 0.8.0 or newer, must stand in the schema "public"';
  END IF;
END $consolidation$;

CREATE TABLE "public"."consolidation_history" (
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

CREATE TABLE "public"."task_memories" (
  "id" varchar NOT NULL,
  "project_id" varchar NOT NULL,
  "task_id" varchar NOT NULL,
  "execution_summary" text NOT NULL,
  "memory_type" varchar(50) NOT NULL DEFAULT 'discovery',
  "goal" text,
  "result" text,
  "feedback" text,
  "tool_usage" jsonb,
  "context_embedding" "public"."vector"(1536),
  "success" boolean NOT NULL,
  "error_patterns" jsonb,
  "learned_at" timestamptz NOT NULL DEFAULT now(),
  "reused_count" integer NOT NULL DEFAULT 0,
  CONSTRAINT "task_memories_type_check" CHECK (memory_type IN ('error_fix', 'discovery', 'decision', 'learning', 'warning', 'codebase_knowledge')),
  CONSTRAINT "task_memories_pkey" PRIMARY KEY ("id")
);

INSERT INTO "public"."consolidation_history" (stream, position, revision, requires, checksum, options, additive, created)
VALUES ('consolidation', 1, 'task_memories_001', NULL, 'fd2b41a359531a2826e985cfad6ce5e22de5a4371f52c547f02ce19d572f1730', '{"schema": "public", "dimensions": 1536, "vectorType": "vector", "m": 16, "efConstruction": 64, "textSearchConfiguration": "english", "hostTable": {"schema": "public", "name": "task_memories", "idColumn": "id", "project": "project_id", "text": "execution_summary", "embedding": "context_embedding", "type": "memory_type", "success": "success", "time": "learned_at"}}', true, '{host_table}');

-- consolidation_001

CREATE TABLE "public"."consolidated_memories" (
  "id" varchar NOT NULL,
  "project_id" varchar NOT NULL,
  "content" text NOT NULL,
  "memory_type" varchar(50) NOT NULL,
  "abstraction_level" integer NOT NULL,
  "pattern_type" varchar(50),
  "confidence_score" double precision,
  "source_memory_ids" varchar[] NOT NULL,
  "embedding" "public"."vector"(1536),
  "tags" varchar(50)[],
  "consolidation_method" varchar(100),
  "created_at" timestamptz NOT NULL,
  "updated_at" timestamptz NOT NULL,
  "consolidated_at" timestamptz NOT NULL,
  "source_count" integer NOT NULL,
  "reuse_count" integer NOT NULL DEFAULT 0,
  "content_tsv" tsvector GENERATED ALWAYS AS (to_tsvector('pg_catalog.english', coalesce(content, ''))) STORED,
  CONSTRAINT "consolidated_memories_abstraction_check" CHECK (abstraction_level IN (1, 2, 3)),
  CONSTRAINT "consolidated_memories_type_check" CHECK (memory_type IN ('error_fix', 'discovery', 'decision', 'learning', 'warning', 'codebase_knowledge')),
  CONSTRAINT "consolidated_memories_pkey" PRIMARY KEY ("id")
);

CREATE INDEX "idx_cm_project" ON "public"."consolidated_memories"
  USING btree ("project_id");

CREATE INDEX "idx_cm_abstraction" ON "public"."consolidated_memories"
  USING btree ("abstraction_level");

CREATE INDEX "idx_cm_type" ON "public"."consolidated_memories"
  USING btree ("memory_type");

CREATE INDEX "idx_cm_pattern" ON "public"."consolidated_memories"
  USING btree ("pattern_type");

CREATE INDEX "idx_cm_created" ON "public"."consolidated_memories"
  USING btree ("consolidated_at");

CREATE INDEX "idx_cm_tags" ON "public"."consolidated_memories"
  USING gin ("tags");

CREATE INDEX "idx_cm_source_ids" ON "public"."consolidated_memories"
  USING gin ("source_memory_ids");

CREATE INDEX "idx_cm_embedding" ON "public"."consolidated_memories"
  USING hnsw ("embedding" "public"."vector_cosine_ops")
  WHERE embedding IS NOT NULL;

CREATE INDEX "idx_cm_content_tsv" ON "public"."consolidated_memories"
  USING gin ("content_tsv");

CREATE TABLE "public"."consolidation_jobs" (
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

CREATE INDEX "idx_cj_project_status" ON "public"."consolidation_jobs"
  USING btree ("project_id", "status");

CREATE INDEX "idx_cj_created" ON "public"."consolidation_jobs"
  USING btree ("created_at");

CREATE INDEX "idx_cj_trigger_type" ON "public"."consolidation_jobs"
  USING btree ("trigger_type");

ALTER TABLE "public"."task_memories"
  ADD COLUMN "consolidated_into_id" varchar,
  ADD COLUMN "is_consolidated" boolean NOT NULL DEFAULT false;

CREATE INDEX "idx_tm_consolidated" ON "public"."task_memories"
  USING btree ("is_consolidated")
  WHERE is_consolidated = true;

CREATE INDEX "idx_tm_consolidated_into" ON "public"."task_memories"
  USING btree ("consolidated_into_id")
  WHERE consolidated_into_id IS NOT NULL;

INSERT INTO "public"."consolidation_history" (stream, position, revision, requires, checksum, options, additive, created)
VALUES ('consolidation', 2, 'consolidation_001', NULL, '17750a8a6cdb81b14f0528fe6c0f4784533ea316d9f740878e78f9c75456316c', '{"schema": "public", "dimensions": 1536, "vectorType": "vector", "m": 16, "efConstruction": 64, "textSearchConfiguration": "english", "hostTable": {"schema": "public", "name": "task_memories", "idColumn": "id", "project": "project_id", "text": "execution_summary", "embedding": "context_embedding", "type": "memory_type", "success": "success", "time": "learned_at"}}', true, '{}');

-- consolidation_002

CREATE INDEX "idx_cm_embedding_project" ON "public"."consolidated_memories"
  USING hnsw (((("public".l2_normalize(embedding) OPERATOR("public".||) "public".l2_normalize((ARRAY['3e+19'::real, (hashtextextended((project_id)::text, (1)::bigint))::real, (hashtextextended((project_id)::text, (2)::bigint))::real, (hashtextextended((project_id)::text, (3)::bigint))::real, (hashtextextended((project_id)::text, (4)::bigint))::real, (hashtextextended((project_id)::text, (5)::bigint))::real, (hashtextextended((project_id)::text, (6)::bigint))::real, (hashtextextended((project_id)::text, (7)::bigint))::real, (hashtextextended((project_id)::text, (8)::bigint))::real, (hashtextextended((project_id)::text, (9)::bigint))::real, (hashtextextended((project_id)::text, (10)::bigint))::real, (hashtextextended((project_id)::text, (11)::bigint))::real, (hashtextextended((project_id)::text, (12)::bigint))::real, (hashtextextended((project_id)::text, (13)::bigint))::real, (hashtextextended((project_id)::text, (14)::bigint))::real, (hashtextextended((project_id)::text, (15)::bigint))::real])::"public".vector)))::"public".halfvec(1552)) "public"."halfvec_ip_ops")
  WITH (ef_construction = 256, m = 16)
  WHERE embedding IS NOT NULL;

INSERT INTO "public"."consolidation_history" (stream, position, revision, requires, checksum, options, additive, created)
VALUES ('consolidation', 3, 'consolidation_002', NULL, '20b705a912402f5553c55e206ce766649eae2827d7c7b159f5377d9650ddf8d5', '{"schema": "public", "dimensions": 1536, "vectorType": "vector", "m": 16, "efConstruction": 64, "textSearchConfiguration": "english", "hostTable": {"schema": "public", "name": "task_memories", "idColumn": "id", "project": "project_id", "text": "execution_summary", "embedding": "context_embedding", "type": "memory_type", "success": "success", "time": "learned_at"}}', true, '{}');

-- consolidation_003

CREATE INDEX "idx_cm_project_created" ON "public"."consolidated_memories"
  USING btree ("project_id", "created_at", "id");

CREATE INDEX "idx_cj_project_created" ON "public"."consolidation_jobs"
  USING btree ("project_id", "created_at", "id");

CREATE INDEX "idx_tm_unconsolidated" ON "public"."task_memories"
  USING btree (((project_id)::text), "id")
  WHERE is_consolidated = false;

INSERT INTO "public"."consolidation_history" (stream, position, revision, requires, checksum, options, additive, created)
VALUES ('consolidation', 4, 'consolidation_003', NULL, '0c6d17a41a2bad40d8245c389c662572451ed29a1a0cc284ccb8aef887749514', '{"schema": "public", "dimensions": 1536, "vectorType": "vector", "m": 16, "efConstruction": 64, "textSearchConfiguration": "english", "hostTable": {"schema": "public", "name": "task_memories", "idColumn": "id", "project": "project_id", "text": "execution_summary", "embedding": "context_embedding", "type": "memory_type", "success": "success", "time": "learned_at"}}', true, '{}');

-- consolidation_004

ALTER TABLE "public"."consolidation_jobs"
  ADD COLUMN "heartbeat_at" timestamptz,
  ADD COLUMN "run_after" timestamptz;

CREATE INDEX "idx_cj_pending" ON "public"."consolidation_jobs"
  USING btree ("project_id", (COALESCE(run_after, created_at)), "id")
  WHERE status = 'pending';

CREATE INDEX "idx_cj_running" ON "public"."consolidation_jobs"
  USING btree ("project_id")
  WHERE status = 'running';

INSERT INTO "public"."consolidation_history" (stream, position, revision, requires, checksum, options, additive, created)
VALUES ('consolidation', 5, 'consolidation_004', NULL, 'd01b2e220835cd5cdb2294975c4241213e5e6b1c8ac717f3d03b99c93a22b682', '{"schema": "public", "dimensions": 1536, "vectorType": "vector", "m": 16, "efConstruction": 64, "textSearchConfiguration": "english", "hostTable": {"schema": "public", "name": "task_memories", "idColumn": "id", "project": "project_id", "text": "execution_summary", "embedding": "context_embedding", "type": "memory_type", "success": "success", "time": "learned_at"}}', true, '{}');

SELECT set_config('lock_timeout', current_setting('consolidation.lock_timeout'), true),
  set_config('search_path', current_setting('consolidation.search_path'), true);
