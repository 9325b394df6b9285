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

  /** Holds for the one claim that the lease came from, until the job leaves the worker. */
  private static final String LEASE =
      """
      j.project_id = :project and j.id = :id and j.status = 'running' and j.started_at = :startedAt""";

  private static final String SECONDS =
      """
      cast(least(2147483647, greatest(0, round(extract(epoch from clock_timestamp() - j.started_at))))
        as integer)""";

  private static final String CLAIMED =
      """
      claimed as (
        update {jobs} as j
        set status = 'running', heartbeat_at = clock_timestamp(), run_after = null,
          started_at = greatest(clock_timestamp(), j.started_at + interval '1 microsecond')
        from next
        where j.project_id = next.project_id and j.id = next.id
        returning {returning}
      )
      select * from claimed order by created_at, id""";

  /**
   * Goes from project to project through the index, then through the projects in an order by chance
   * and takes an equal share of each until it has enough. Jobs are locked one by one as they are
   * reached.
   */
  private static final String CLAIM_OF_ALL =
      """
      with recursive waiting as (
        (select project_id from {jobs} where status = 'pending' order by project_id limit 1)
        union all
        select (
          select j.project_id from {jobs} as j
          where j.status = 'pending' and j.project_id > waiting.project_id
          order by j.project_id limit 1)
        from waiting where waiting.project_id is not null
      ), turns as materialized (
        select project_id from waiting where project_id is not null order by random()
      ), next as materialized (
        select due.id, due.project_id
        from turns cross join lateral (
          select j.id, j.project_id from {jobs} as j
          where j.project_id = turns.project_id and j.status = 'pending'
            and {due} <= statement_timestamp()
          order by {due}, j.id
          limit (select (:limit + count(*) - 1) / greatest(count(*), 1) from turns)
          for update skip locked
        ) as due
        limit :limit
      ), {claimed}""";

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

  final String enqueue;
  final String claim;
  final Sql claimOfAll;
  final String claimJob;
  final String heartbeat;
  final String recordPhase;
  final String phaseRecorded;
  final Sql complete;
  final String fail;
  final String release;
  final String cancel;
  final String find;
  final String list;
  final String listStatus;

  JobSql(Names names) {
    names.state().require(REVISION, "consolidation jobs");
    enqueue =
        format(
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
        format(
            "claim",
            names,
            """
            with next as materialized (
              select id, project_id from {jobs}
              where project_id = :project and status = 'pending' and {due} <= statement_timestamp()
              order by {due}, id
              limit :limit
              for update skip locked
            ), {claimed}""");
    claimOfAll = prepared("claimOfAll", names, CLAIM_OF_ALL);
    claimJob =
        format(
            "claimJob",
            names,
            """
            with next as materialized (
              select id, project_id from {jobs}
              where project_id = :project and id = :id and status = 'pending'
              for update skip locked
            ), {claimed}""");
    heartbeat = format("heartbeat", names, HEARTBEAT);
    recordPhase =
        format(
            "recordPhase",
            names,
            """
            update {jobs} as j
            set phases_completed =
                array_append(coalesce(j.phases_completed, '{}'), cast(:phase as varchar)),
              metrics = coalesce(j.metrics, '{}') || cast(:metrics as jsonb),
              heartbeat_at = clock_timestamp()
            where {lease} and not (:phase = any (coalesce(j.phases_completed, '{}')))
            returning {returning}""");
    phaseRecorded =
        format(
            "phaseRecorded",
            names,
            """
            select true from {jobs} as j
            where {lease} and :phase = any (coalesce(j.phases_completed, '{}'))""");
    complete =
        prepared(
            "complete",
            names,
            """
            update {jobs} as j
            set status = 'completed', completed_at = clock_timestamp(), duration_seconds = {seconds},
              metrics = coalesce(j.metrics, '{}') || cast(:metrics as jsonb)
            where {lease}
            returning {returning}""");
    fail =
        format(
            "fail", names, "update {jobs} as j set {tryEnded} where {lease} returning {returning}");
    release =
        format(
            "release",
            names,
            """
            update {jobs} as j set status = 'pending', run_after = null where {lease}
            returning {returning}""");
    cancel =
        format(
            "cancel",
            names,
            """
            update {jobs} as j
            set status = 'cancelled', completed_at = clock_timestamp(),
              duration_seconds = case when j.status = 'running' then {seconds} end
            where j.project_id = :project and j.id = :id and j.status in ('pending', 'running')
            returning {returning}""");
    find =
        format(
            "find",
            names,
            "select {returning} from {jobs} as j where j.project_id = :project and j.id = :id");
    list = list(names, "");
    listStatus = list(names, " and j.status = :status");
  }

  private static String list(Names names, String filter) {
    return format(
        "list",
        names,
        """
        select {returning} from {jobs} as j
        where j.project_id = :project and (j.created_at, j.id) < (:afterTime, :afterId)%s
        order by j.created_at desc, j.id desc
        limit :limit"""
            .formatted(filter));
  }

  /** The same for JDBC itself. */
  private static Sql prepared(String tag, Names names, String template) {
    return Sql.of(format(tag, names, template), Map.of("", "{}"));
  }

  /** The statement of a template, with a comment after its first word that names it. */
  static String format(String tag, Names names, String template) {
    return template
        .replaceFirst(" ", " /* consolidation jobs.%s */ ".formatted(tag))
        .replace("{claimed}", CLAIMED)
        .replace("{tryEnded}", TRY_ENDED)
        .replace("{due}", DUE)
        .replace("{returning}", RETURNING)
        .replace("{lease}", LEASE)
        .replace("{retry}", "(:again and j.retry_count < j.max_retries)")
        .replace("{seconds}", SECONDS)
        .replace("{jobs}", names.jobs());
  }
}
