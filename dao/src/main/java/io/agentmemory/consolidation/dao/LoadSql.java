package io.agentmemory.consolidation.dao;

/** The statements that load memories. */
final class LoadSql {
  private static final String COLUMNS =
      """
      id, project_id, content, memory_type, abstraction_level, pattern_type, confidence_score,
      source_memory_ids, embedding, tags, consolidation_method, created_at, updated_at,
      consolidated_at, source_count, reuse_count""";

  /** So many columns has a memory. */
  static final int COLUMN_COUNT = 16;

  /** The time of a load, and whether policies keep COPY off the table. */
  static final String BEGIN =
      "select /* consolidation ingest.load */ now(), row_security_active(cast({memoriesLiteral} as regclass))";

  /** Limits what comes in the transaction, unless that is limited to less; gives the old limit. */
  static final String LIMIT =
      """
      select /* consolidation ingest.limit */ setting, set_config(name,
        case when cast(setting as int8) between 1 and :millis then setting
          else cast(:millis as text) end, true)
      from pg_catalog.pg_settings where name = 'statement_timeout'""";

  /** Puts the old limit back. */
  static final String LIMIT_AGAIN =
      "select /* consolidation ingest.limit */ set_config('statement_timeout', :before, true)";

  static final String COPY =
      "copy /* consolidation ingest.load */ {memories} ("
          + COLUMNS
          + ") from stdin with (format binary)";

  /** Rows wait here when the table itself cannot take them as they come. */
  static final String CREATE_STAGE =
      """
      create /* consolidation ingest.load */ temporary table consolidation_load (
        id varchar, project_id varchar, content text, memory_type varchar, abstraction_level int,
        pattern_type varchar, confidence_score float8, source_memory_ids varchar[],
        embedding {vector}, tags varchar[], consolidation_method varchar, created_at timestamptz,
        updated_at timestamptz, consolidated_at timestamptz, source_count int, reuse_count int,
        number int8) on commit drop""";

  static final String COPY_STAGE =
      "copy /* consolidation ingest.load */ pg_temp.consolidation_load ("
          + COLUMNS
          + ", number) from stdin with (format binary)";

  static final String DROP_STAGE =
      "drop /* consolidation ingest.load */ table pg_temp.consolidation_load";

  private static final String INSERT =
      "insert into {memories} as m (" + COLUMNS + ")\nselect " + COLUMNS;

  /** Inserts, and gives the first row that could not be, with its id. */
  static final String FAIL =
      """
      with /* consolidation ingest.load */ inserted as (
        {insert} from pg_temp.consolidation_load order by number
        on conflict (id) do nothing returning id)
      select s.number, s.id
      from (select number, id, row_number() over (partition by id order by number) as nth
          from pg_temp.consolidation_load) as s
        left join inserted on inserted.id = s.id
      where inserted.id is null or s.nth > 1
      order by s.number limit 1"""
          .replace("{insert}", INSERT);

  static final String SKIP =
      INSERT.replace("insert ", "insert /* consolidation ingest.load */ ")
          + "\nfrom pg_temp.consolidation_load order by number on conflict (id) do nothing";

  /** Gives how many rows were not there before. */
  static final String REPLACE =
      """
      with /* consolidation ingest.load */ written as (
        {insert}
        from (select distinct on (id) * from pg_temp.consolidation_load
          order by id, number desc) as s
        on conflict (id) do update set
          content = excluded.content, memory_type = excluded.memory_type,
          abstraction_level = excluded.abstraction_level, pattern_type = excluded.pattern_type,
          confidence_score = excluded.confidence_score,
          source_memory_ids = excluded.source_memory_ids, embedding = excluded.embedding,
          tags = excluded.tags, consolidation_method = excluded.consolidation_method,
          created_at = excluded.created_at,
          updated_at = greatest(excluded.updated_at, m.updated_at + interval '1 microsecond'),
          consolidated_at = excluded.consolidated_at, source_count = excluded.source_count,
          reuse_count = excluded.reuse_count
        where m.project_id = excluded.project_id
        returning m.xmax = 0 as inserted)
      select count(*) filter (where inserted) from written"""
          .replace("{insert}", INSERT);

  /** The rows whose words could be too many: from about 350,000 bytes on they can be. */
  static final String LONG_CONTENTS =
      """
      select /* consolidation ingest.load */ number, id from pg_temp.consolidation_load
      where octet_length(content) > 300000 order by number""";

  /** Fails for a row that has too many words. */
  static final String TRY_WORDS =
      """
      select /* consolidation ingest.load */
      to_tsvector({configuration}, content) is null from pg_temp.consolidation_load
      where number = cast(:number as int8)""";

  /** The first row whose id is not its project's after all. */
  static final String STRANGER =
      """
      select /* consolidation ingest.load */ s.number, s.id from pg_temp.consolidation_load as s
      where not exists (
        select from {memories} as m where m.id = s.id and m.project_id = s.project_id)
      order by s.number limit 1""";

  /** The first row whose id is another project's; there is none where what had it is gone. */
  static final String TAKEN =
      """
      select /* consolidation ingest.load */ s.number, s.id from pg_temp.consolidation_load as s
      where exists (
        select from {memories} as m where m.id = s.id and m.project_id <> s.project_id)
      order by s.number limit 1""";

  /** The first row whose id is that of a row which a policy hides. */
  static final String HIDDEN =
      """
      with /* consolidation ingest.load */ inserted as (
        {insert} from pg_temp.consolidation_load as s
        where not exists (select from {memories} as o where o.id = s.id)
        order by number
        on conflict (id) do nothing returning id)
      select s.number, s.id from pg_temp.consolidation_load as s
      where not exists (select from {memories} as o where o.id = s.id)
        and not exists (select from inserted as i where i.id = s.id)
      order by s.number limit 1"""
          .replace("{insert}", INSERT);

  private LoadSql() {}
}
