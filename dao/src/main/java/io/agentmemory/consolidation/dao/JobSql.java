package io.agentmemory.consolidation.dao;

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

  /** Holds for the one claim that the lease came from, until the job leaves the worker. */
  private static final String LEASE =
      """
      j.project_id = :project and j.id = :id and j.status = 'running' and j.started_at = :startedAt""";

  private static final String SECONDS =
      """
      cast(least(2147483647, greatest(0, round(extract(epoch from clock_timestamp() - j.started_at))))
        as integer)""";

  final String enqueue;
  final String claim;
  final String recordPhase;
  final String phaseRecorded;
  final String complete;
  final String fail;
  final String cancel;
  final String find;
  final String list;
  final String listStatus;

  JobSql(Names names) {
    enqueue =
        format(
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
            names,
            """
            with next as materialized (
              select id from {jobs}
              where project_id = :project and status = 'pending'
              order by created_at, id
              limit :limit
              for update skip locked
            ), claimed as (
              update {jobs} as j
              set status = 'running',
                started_at = greatest(clock_timestamp(), j.started_at + interval '1 microsecond')
              from next
              where j.project_id = :project and j.id = next.id
              returning {returning}
            )
            select * from claimed order by created_at, id""");
    recordPhase =
        format(
            names,
            """
            update {jobs} as j
            set phases_completed =
                array_append(coalesce(j.phases_completed, '{}'), cast(:phase as varchar)),
              metrics = coalesce(j.metrics, '{}') || cast(:metrics as jsonb)
            where {lease} and not (:phase = any (coalesce(j.phases_completed, '{}')))
            returning {returning}""");
    phaseRecorded =
        format(
            names,
            """
            select true from {jobs} as j
            where {lease} and :phase = any (coalesce(j.phases_completed, '{}'))""");
    complete =
        format(
            names,
            """
            update {jobs} as j
            set status = 'completed', completed_at = clock_timestamp(), duration_seconds = {seconds},
              metrics = coalesce(j.metrics, '{}') || cast(:metrics as jsonb)
            where {lease}
            returning {returning}""");
    fail =
        format(
            names,
            """
            update {jobs} as j
            set error_message = :error,
              retry_count = j.retry_count + case when {retry} then 1 else 0 end,
              status = case when {retry} then 'pending' else 'failed' end,
              completed_at = case when {retry} then null else clock_timestamp() end,
              duration_seconds = case when {retry} then null else {seconds} end
            where {lease}
            returning {returning}""");
    cancel =
        format(
            names,
            """
            update {jobs} as j
            set status = 'cancelled', completed_at = clock_timestamp(),
              duration_seconds = case when j.status = 'running' then {seconds} end
            where j.project_id = :project and j.id = :id and j.status in ('pending', 'running')
            returning {returning}""");
    find =
        format(
            names,
            "select {returning} from {jobs} as j where j.project_id = :project and j.id = :id");
    list = list(names, "");
    listStatus = list(names, " and j.status = :status");
  }

  private static String list(Names names, String filter) {
    return format(
        names,
        """
        select {returning} from {jobs} as j
        where j.project_id = :project and (j.created_at, j.id) < (:afterTime, :afterId)%s
        order by j.created_at desc, j.id desc
        limit :limit"""
            .formatted(filter));
  }

  private static String format(Names names, String template) {
    return template
        .replace("{returning}", RETURNING)
        .replace("{lease}", LEASE)
        .replace("{retry}", "j.retry_count < j.max_retries")
        .replace("{seconds}", SECONDS)
        .replace("{jobs}", names.jobs());
  }
}
