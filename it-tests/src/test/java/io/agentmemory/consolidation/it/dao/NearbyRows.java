package io.agentmemory.consolidation.it.dao;

/**
 * Rows for searches among stored memories: 4,000 of the project {@code large}, 300 of {@code small}
 * and 2,000 of another in the way, in clusters that are not those of the projects. Every twentieth
 * row is nearly the same as the one before it. In {@code large}, 40 rows ({@code crowd…}) are all
 * alike, one ({@code blank}) has no embedding and one ({@code zero}) a zero one.
 */
final class NearbyRows {
  static final int DIMENSIONS = 16;

  private static final String STATEMENTS =
      """
      select setseed(0.5);
      create table centre as
        select c, array(select random() - 0.5 from generate_series(1, %d) where c > 0) as v
        from generate_series(1, 60) as c;
      create table row as
        select i, case when i <= 300 then 'small' when i <= 4300 then 'large' else 'other' end as p,
          (select array_agg(x + (random() - 0.5) * 0.6) from unnest(v) as x) as v
        from generate_series(1, 6300) as i join centre on c = 1 + i * 7919::bigint %% 60;
      update row set v = (select array_agg(x + (random() - 0.5) * 0.02) from unnest(o.v) as x)
        from row as o where row.i %% 20 = 0 and o.i = row.i - 1;
      update row set v = (select v from row where i = 4000) where i between 4001 and 4039;
      insert into consolidated_memories (id, project_id, content, memory_type,
        abstraction_level, source_memory_ids, embedding, created_at, updated_at,
        consolidated_at, source_count)
      select case when i between 4000 and 4039 then 'crowd' else 'm' end || i, p, 'about ' || i,
        case when i %% 10 < 2 then 'warning' else 'decision' end, 1, '{}'::varchar[], v::vector, now(), now(),
        now(), 0
      from row
      union all
      select id, 'large', id, 'decision', 1, '{}'::varchar[], case id when 'zero' then array_fill(0, array[%d])
        end::vector, now(), now(), now(), 0
      from (values ('zero'), ('blank')) as odd (id);
      """
          .formatted(DIMENSIONS, DIMENSIONS);

  private NearbyRows() {}

  static TestDatabase database() {
    return TestDatabase.withDimensions(DIMENSIONS).filledBy(STATEMENTS);
  }
}
