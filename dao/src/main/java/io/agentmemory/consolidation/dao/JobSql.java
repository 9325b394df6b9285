package io.agentmemory.consolidation.dao;

import java.util.Map;

/**
 * The statements on jobs. Each transition is one statement that names the status it starts from, so
 * that the database itself lets no other happen.
 *
 * <p>The times of claims and ends come from {@code clock_timestamp()}: {@code now()} stands still
 * in a longer transaction.
 */
final class JobSql {
  private static final String RETURNING =
      """
      j.id, j.project_id, j.status, j.trigger_type, j.scope, j.phases_completed, j.metrics,
      j.started_at, j.completed_at, j.duration_seconds, j.error_message, j.retry_count,
      j.max_retries, j.created_at, j.triggered_by""";

  private static final String REVISION = "consolidation_004";

  /** Since when a pending job may be claimed; {@code idx_cj_pending} is in this order. */
  private static final String DUE = "coalesce(run_after, created_at)";

  /** What becomes of a running job whose try has ended without success. */
  private static final String TRY_ENDED =
      """
      error_message = :error,
        retry_count = j.retry_count + case when {retry} then 1 else 0 end,
        status = case when {retry} then 'pending' else 'failed' end,
        run_after = case when {retry} and :delay > 0
          then clock_timestamp() + :delay * interval '1 second' end,
        completed_at = case when {retry} then null else clock_timestamp() end,
        duration_seconds = case when {retry} then null else {seconds} end""";

  /**
   * Running since. Not written as two conditions, so that the job is found by its id: {@code
   * idx_cj_running} is empty whenever the table is analysed without a running job, and the planner
   * then takes it for the better way, past all entries that are there since.
   */
  private static final String STARTED =
      "case j.status when 'running' then j.started_at = %s else false end";

  /** Holds for the one claim that the lease came from, until the job leaves the worker. */
  private static final String LEASE =
      "j.project_id = :project and j.id = :id and " + STARTED.formatted(":startedAt");

  private static final String COMPLETED =
      "status = 'completed', completed_at = clock_timestamp(), duration_seconds = {seconds}";

  private static final String SECONDS =
      """
      cast(least(2147483647, greatest(0, round(extract(epoch from clock_timestamp() - j.started_at))))
        as integer)""";

  /**
   * By arrays and not by a join, so that the rows are found by their ids whatever the planner
   * thinks of their number: it knows no limit that is a parameter.
   */
  private static final String CLAIMED =
      """
      update {jobs} as j
      set status = 'running', heartbeat_at = clock_timestamp(), run_after = null,
        started_at = greatest(clock_timestamp(), j.started_at + interval '1 microsecond')
      where j.project_id = any (array(select project_id from next))
        and j.id = any (array(select id from next))
      returning {returning}""";

  /** The first pending job of the next project. */
  private static final String AHEAD =
      """
      lateral (
          select j.project_id, {due} as due from {jobs} as j
          where j.status = 'pending' and %s
          order by j.project_id, {due}, j.id limit 1)""";

  /**
   * Claims of each of the projects in {@code turns} the jobs that are next, locked one by one as
   * they are reached. They are read from the first on, which is known: before it may be as many
   * entries of jobs that were claimed since the index was last vacuumed. The last column is the
   * project whose turn came last.
   */
  private static final String CLAIMED_IN_TURN =
      """
      next as materialized (
        select turns.turn, heads.id, heads.project_id
        from turns cross join lateral (
          select j.id, j.project_id from {jobs} as j
          where j.project_id = turns.project_id and j.status = 'pending'
            and {due} >= turns.due and {due} <= statement_timestamp()
          order by {due}, j.id
          limit (select {share})
          for update skip locked
        ) as heads{begun}
        limit {limit}
      )
      {claimed}, (select project_id from next order by turn desc limit 1)""";

  /**
   * Goes from project to project through the index, on from where {@link JobTurns} says and past
   * the last to the first, and takes some jobs of each until it has enough: no row of {@code turns}
   * is made before the jobs of the one before it are locked.
   */
  private static final String CLAIM_IN_TURN =
      """
      with recursive turns as (
        select 0 as turn, cast(:after as varchar) as project_id, cast(null as timestamptz) as due,
          false as again
        union all
        select turns.turn + 1, coalesce(ahead.project_id, first.project_id),
          coalesce(ahead.due, first.due), turns.again or ahead.project_id is null
        from turns
        left join {ahead} as ahead on true
        left join {first} as first on true
        where turns.turn < :limit
          and (ahead.project_id is not null and not turns.again
            or coalesce(ahead.project_id, first.project_id) <= :after)
      ),
      """
          .concat(CLAIMED_IN_TURN)
          .replace("{ahead}", AHEAD.formatted("j.project_id > turns.project_id"))
          .replace("{first}", AHEAD.formatted("ahead.project_id is null and not turns.again"))
          .replace("{begun}", "\n  where turns.turn > 0")
          .replace("{share}", "cast(:share as bigint)");

  /**
   * Goes through all projects that have a job pending, in an order by chance, and takes an equal
   * share of each until it has enough.
   */
  private static final String CLAIM_OF_ALL =
      """
      with recursive walk as (
        select first.project_id, first.due from {first} as first
        union all
        select ahead.project_id, ahead.due from walk cross join {ahead} as ahead
      ), turns as materialized (
        select project_id, due, random() as turn from walk order by turn
      ),
      """
          .concat(CLAIMED_IN_TURN)
          .replace("{ahead}", AHEAD.formatted("j.project_id > walk.project_id"))
          .replace("{first}", AHEAD.formatted("true"))
          .replace("{begun}", "")
          .replace("{share}", "(:limit + count(*) - 1) / greatest(count(*), 1) from turns");

  /** Known only when it runs, so that one plan serves for all limits. */
  private static final String LIMIT = "(select cast(:limit as bigint))";

  /** Passes by a row that is locked: who holds the lock decides what becomes of the lease. */
  private static final String HEARTBEAT =
      """
      with free as materialized (
        select j.project_id, j.id from {jobs} as j where {lease} for update skip locked
      ), beat as (
        update {jobs} as j set heartbeat_at = clock_timestamp()
        from free where j.project_id = free.project_id and j.id = free.id
      )
      select true from {jobs} as j where {lease}""";

  /** The job of each lease: one look-up for each, whatever the planner thinks of their number. */
  private static final String HELD =
      """
      held cross join lateral (
          select j.project_id, j.id from {jobs} as j
          where j.project_id = held.project_id and j.id = held.id
            and %s
          limit 1%%s
        ) as j"""
          .formatted(STARTED.formatted("held.started_at"));

  /** The same for many leases; tells the places of those that hold. */
  private static final String HEARTBEAT_ALL =
      """
      with held as materialized (
        select project_id, id, started_at, place
        from unnest(:projects, :ids, :startedAts) with ordinality
          as lease (project_id, id, started_at, place)
      ), free as materialized (
        select j.project_id, j.id from {free}
      ), beat as (
        update {jobs} as j set heartbeat_at = clock_timestamp()
        where j.project_id = any (array(select project_id from free))
          and j.id = any (array(select id from free))
      )
      select held.place from {held}"""
          .replace("{free}", HELD.formatted(" for update skip locked"))
          .replace("{held}", HELD.formatted(""));

  final Sql enqueue;
  final Sql claim;
  final Sql claimInTurn;
  final Sql claimOfAll;
  final Sql claimJob;
  final Sql heartbeat;
  final Sql heartbeatAll;
  final Sql recordPhase;
  final Sql phaseRecorded;
  final Sql complete;
  final Sql completeAll;
  final Sql fail;
  final Sql release;
  final Sql cancel;
  final Sql find;
  final Sql list;
  final Sql listStatus;

  JobSql(Names names) {
    names.state().require(REVISION, "consolidation jobs");
    enqueue =
        of(
            "enqueue",
            names,
            """
            insert into {jobs} as j (
              id, project_id, status, trigger_type, scope, phases_completed, metrics, retry_count,
              max_retries, created_at, triggered_by)
            values (
              :id, :project, 'pending', :trigger, cast(:scope as jsonb), '{}', '{}', 0,
              :maxRetries, statement_timestamp(), :triggeredBy)
            on conflict (id) do nothing
            returning {returning}""");
    claim =
        of(
            "claim",
            names,
            """
            with next as materialized (
              select id, project_id from {jobs}
              where project_id = :project and status = 'pending' and {due} <= statement_timestamp()
              order by {due}, id
              limit {limit}
              for update skip locked
            )
            {claimed}""");
    claimInTurn = of("claimInTurn", names, CLAIM_IN_TURN);
    claimOfAll = of("claimOfAll", names, CLAIM_OF_ALL);
    claimJob =
        of(
            "claimJob",
            names,
            """
            with next as materialized (
              select id, project_id from {jobs}
              where project_id = :project and id = :id and status = 'pending'
              for update skip locked
            )
            {claimed}""");
    heartbeat = of("heartbeat", names, HEARTBEAT);
    heartbeatAll = of("heartbeatAll", names, HEARTBEAT_ALL);
    recordPhase =
        of(
            "recordPhase",
            names,
            """
            update {jobs} as j
            set phases_completed =
                array_append(coalesce(j.phases_completed, '{}'), cast(:phase as varchar)),
              metrics = coalesce(j.metrics, '{}') || cast(:metrics as jsonb),
              heartbeat_at = clock_timestamp()
            where {lease} and (:phase = any (j.phases_completed)) is not true
            returning {returning}""");
    phaseRecorded =
        of(
            "phaseRecorded",
            names,
            """
            select true from {jobs} as j
            where {lease} and :phase = any (coalesce(j.phases_completed, '{}'))""");
    complete =
        of(
            "complete",
            names,
            """
            update {jobs} as j
            set {completed}, metrics = coalesce(j.metrics, '{}') || cast(:metrics as jsonb)
            where {lease}
            returning {returning}""");
    completeAll =
        of(
            "completeAll",
            names,
            """
            update {jobs} as j
            set {completed}, metrics = coalesce(j.metrics, '{}') || held.metrics
            from unnest(:projects, :ids, :startedAts, :metrics) with ordinality
              as held (project_id, id, started_at, metrics, place)
            where j.project_id = held.project_id and j.id = held.id
              and %s
            returning held.place"""
                .formatted(STARTED.formatted("held.started_at")));
    fail =
        of("fail", names, "update {jobs} as j set {tryEnded} where {lease} returning {returning}");
    release =
        of(
            "release",
            names,
            """
            update {jobs} as j set status = 'pending', run_after = null where {lease}
            returning {returning}""");
    cancel =
        of(
            "cancel",
            names,
            """
            update {jobs} as j
            set status = 'cancelled', completed_at = clock_timestamp(),
              duration_seconds = case when j.status = 'running' then {seconds} end
            where j.project_id = :project and j.id = :id and j.status in ('pending', 'running')
            returning {returning}""");
    find =
        of(
            "find",
            names,
            "select {returning} from {jobs} as j where j.project_id = :project and j.id = :id");
    list = list(names, "");
    listStatus = list(names, " and j.status = :status");
  }

  private static Sql list(Names names, String filter) {
    return of(
        "list",
        names,
        """
        select {returning} from {jobs} as j
        where j.project_id = :project and (j.created_at, j.id) < (:afterTime, :afterId)%s
        order by j.created_at desc, j.id desc
        limit :limit"""
            .formatted(filter));
  }

  /** The statement of a template, with a comment after its first word that names it. */
  static Sql of(String tag, Names names, String template) {
    String text =
        template
            .replaceFirst(" ", " /* consolidation jobs.%s */ ".formatted(tag))
            .replace("{claimed}", CLAIMED)
            .replace("{limit}", LIMIT)
            .replace("{tryEnded}", TRY_ENDED)
            .replace("{completed}", COMPLETED)
            .replace("{due}", DUE)
            .replace("{returning}", RETURNING)
            .replace("{lease}", LEASE)
            .replace("{retry}", "(:again and j.retry_count < j.max_retries)")
            .replace("{seconds}", SECONDS)
            .replace("{jobs}", names.jobs());
    return Sql.of(text, Map.of("", "{}"));
  }
}
