package io.agentmemory.consolidation.dao;

/** The statements on many jobs at once, and those that keep a project to one active job. */
final class JobUpkeepSql {
  /** The time of the last sign of life; a worker of an older version leaves no heartbeat. */
  private static final String RESCUE =
      """
      with stale as materialized (
        select project_id, id from {jobs}
        where %sstatus = 'running'
          and greatest(heartbeat_at, started_at, created_at)
            < statement_timestamp() - :silence * interval '1 second'
        order by project_id, id
        limit :limit
        for update skip locked
      ), rescued as (
        update {jobs} as j set {tryEnded}
        from stale where j.project_id = stale.project_id and j.id = stale.id
        returning {returning}
      )
      select * from rescued order by created_at, id""";

  /**
   * No job ends before it is created, so that none is due that was created later: the index in the
   * order of creation leads to the old ones, and the others are not read. By arrays as in {@link
   * JobSql}.
   */
  private static final String PRUNE =
      """
      with doomed as materialized (
        select project_id, id from {jobs}
        where %sstatus in ('completed', 'failed', 'cancelled')
          and coalesce(completed_at, created_at)
            < statement_timestamp() - :age * interval '1 second'
          and created_at < statement_timestamp() - :age * interval '1 second'
        order by created_at
        limit :limit
        for update skip locked
      )
      delete from {jobs}
      where project_id = any (array(select project_id from doomed))
        and id = any (array(select id from doomed))""";

  private static final String STATISTICS =
      """
      select count(*) filter (where status = 'pending'),
        count(*) filter (where status = 'running'),
        count(*) filter (where status = 'completed'),
        count(*) filter (where status = 'failed'),
        count(*) filter (where status = 'cancelled'),
        min({due}) filter (where status = 'pending'),
        avg(duration_seconds) filter (where status = 'completed'),
        max(duration_seconds) filter (where status = 'completed')
      from {jobs}""";

  final Sql lockProject;
  final Sql active;
  final Sql rescue;
  final Sql rescueOfAll;
  final Sql prune;
  final Sql pruneOfAll;
  final Sql statistics;
  final Sql statisticsOfAll;

  JobUpkeepSql(Names names) {
    lockProject =
        JobSql.of(
            "lockProject",
            names,
            """
            select current_setting('transaction_isolation'),
              pg_advisory_xact_lock(hashtextextended(:table || ' ' || :project, 0))""");
    active =
        JobSql.of(
            "active",
            names,
            """
            with active as materialized (
              select {returning} from {jobs} as j
              where j.project_id = :project and j.status in ('pending', 'running')
            )
            select * from active order by created_at, id limit 1""");
    rescue = JobSql.of("rescue", names, RESCUE.formatted("project_id = :project and "));
    rescueOfAll = JobSql.of("rescueOfAll", names, RESCUE.formatted(""));
    prune = JobSql.of("prune", names, PRUNE.formatted("project_id = :project and "));
    pruneOfAll = JobSql.of("pruneOfAll", names, PRUNE.formatted(""));
    statistics = JobSql.of("statistics", names, STATISTICS.concat("\nwhere project_id = :project"));
    statisticsOfAll = JobSql.of("statisticsOfAll", names, STATISTICS);
  }
}
