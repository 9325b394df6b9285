-- create table notes
CREATE TABLE "My ""App"""."notes" (
  "id" varchar NOT NULL,
  "part" varchar(50) NOT NULL,
  "body" text DEFAULT 'it''s',
  "level" integer NOT NULL DEFAULT 0,
  "score" double precision,
  "done" boolean,
  "made_at" timestamptz NOT NULL DEFAULT now(),
  "extra" jsonb DEFAULT '{}',
  "tags" varchar(50)[],
  "scores" double precision[],
  "near" "ext"."vector"(384),
  "far" "ext"."halfvec"(3072),
  "words" tsvector GENERATED ALWAYS AS (to_tsvector('pg_catalog.english', body)) STORED,
  CONSTRAINT "notes_level_check" CHECK (level BETWEEN 0 AND 9),
  CONSTRAINT "notes_pkey" PRIMARY KEY ("id", "part")
);

-- drop table notes
DROP TABLE "My ""App"""."notes";

-- add to table notes the columns seen, note
ALTER TABLE "My ""App"""."notes"
  ADD COLUMN "seen" boolean NOT NULL DEFAULT false,
  ADD COLUMN "note" text;

-- drop from table notes the columns seen, note
ALTER TABLE "My ""App"""."notes"
  DROP COLUMN "seen",
  DROP COLUMN "note";

-- create index notes_latest
CREATE UNIQUE INDEX "notes_latest" ON "My ""App"""."notes"
  USING btree ("level", "made_at" DESC)
  WHERE done;

-- drop index notes_latest
DROP INDEX "My ""App"""."notes_latest";

-- create index notes_body
CREATE INDEX "notes_body" ON "My ""App"""."notes"
  USING btree ((lower(body)) "pg_catalog"."text_pattern_ops");

-- drop index notes_body
DROP INDEX "My ""App"""."notes_body";

-- create index notes_tags
CREATE INDEX "notes_tags" ON "My ""App"""."notes"
  USING gin ("tags")
  WITH (fastupdate = 0);

-- drop index notes_tags
DROP INDEX "My ""App"""."notes_tags";

-- create index notes_cover
CREATE INDEX "notes_cover" ON "My ""App"""."notes"
  USING btree ("part")
  INCLUDE ("id", "near")
  WHERE done;

-- drop index notes_cover
DROP INDEX "My ""App"""."notes_cover";

-- create index notes_code
CREATE INDEX "notes_code" ON "My ""App"""."notes"
  USING hnsw (("ext".l2_normalize(near)) "ext"."vector_ip_ops");

-- drop index notes_code
DROP INDEX "My ""App"""."notes_code";

-- create index notes_near
CREATE INDEX "notes_near" ON "My ""App"""."notes"
  USING hnsw ("near" "ext"."vector_cosine_ops")
  WITH (ef_construction = 200, m = 24)
  WHERE near IS NOT NULL;

-- drop index notes_near
DROP INDEX "My ""App"""."notes_near";

-- create policy notes "mine" of notes
CREATE POLICY "notes ""mine""" ON "My ""App"""."notes"
  USING (part = current_user)
  WITH CHECK (part = current_user);

-- drop policy notes "mine" of notes
DROP POLICY "notes ""mine""" ON "My ""App"""."notes";

-- enable row-level security of notes
ALTER TABLE "My ""App"""."notes"
  ENABLE ROW LEVEL SECURITY,
  FORCE ROW LEVEL SECURITY;

-- disable row-level security of notes
ALTER TABLE "My ""App"""."notes"
  NO FORCE ROW LEVEL SECURITY,
  DISABLE ROW LEVEL SECURITY;
