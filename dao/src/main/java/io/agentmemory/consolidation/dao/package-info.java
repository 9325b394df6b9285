/**
 * Consolidated memories, their sources and the jobs that make them, in and out of PostgreSQL. The
 * way in is {@link io.agentmemory.consolidation.dao.Consolidation}.
 *
 * <table>
 * <caption>What there is, and where to begin</caption>
 * <tr><th>for</th><th>look at</th></tr>
 * <tr><td>memories, written and read</td>
 *     <td>{@link io.agentmemory.consolidation.dao.ConsolidatedMemoryDao}, {@link
 *     io.agentmemory.consolidation.dao.NewMemory}, {@link
 *     io.agentmemory.consolidation.dao.ConsolidatedMemory}, {@link
 *     io.agentmemory.consolidation.dao.MemoryUpdate}</td></tr>
 * <tr><td>search</td>
 *     <td>{@link io.agentmemory.consolidation.dao.VectorQuery}, {@link
 *     io.agentmemory.consolidation.dao.TextQuery}, {@link
 *     io.agentmemory.consolidation.dao.FusedQuery}, {@link
 *     io.agentmemory.consolidation.dao.BatchQuery}, {@link
 *     io.agentmemory.consolidation.dao.MemoryFilter}; {@link
 *     io.agentmemory.consolidation.dao.RecallProbe} measures what searches find</td></tr>
 * <tr><td>consolidating</td>
 *     <td>{@link io.agentmemory.consolidation.dao.TaskMemoryDao}, {@link
 *     io.agentmemory.consolidation.dao.PairQuery}, {@link
 *     io.agentmemory.consolidation.dao.Sources}, {@link
 *     io.agentmemory.consolidation.dao.Lineage}; {@link
 *     io.agentmemory.consolidation.dao.ConsolidationFlow} does it for a whole project</td></tr>
 * <tr><td>loads</td>
 *     <td>{@link io.agentmemory.consolidation.dao.LoadOptions}, {@link
 *     io.agentmemory.consolidation.dao.LoadResult}</td></tr>
 * <tr><td>jobs</td>
 *     <td>{@link io.agentmemory.consolidation.dao.JobWorker}, {@link
 *     io.agentmemory.consolidation.dao.JobHandler}, {@link
 *     io.agentmemory.consolidation.dao.JobRun}, {@link
 *     io.agentmemory.consolidation.dao.ConsolidationJobDao}, {@link
 *     io.agentmemory.consolidation.dao.NewJob}</td></tr>
 * <tr><td>watching</td>
 *     <td>{@link io.agentmemory.consolidation.dao.ConsolidationObserver}, {@link
 *     io.agentmemory.consolidation.dao.MicrometerObserver}, {@link
 *     io.agentmemory.consolidation.dao.SlowCallLog}</td></tr>
 * <tr><td>failures</td>
 *     <td>{@link io.agentmemory.consolidation.dao.DatabaseException} and the table below</td></tr>
 * </table>
 *
 * <p>What a {@link io.agentmemory.consolidation.dao.DatabaseException} says of a call in a
 * transaction of its own. A call that {@code isRetryable()} left nothing behind, so making it again
 * is safe. The library itself repeats no call, save that a {@link
 * io.agentmemory.consolidation.dao.JobWorker} goes on claiming, and writes the end of a job again,
 * which the job's lease makes harmless.
 *
 * <table>
 * <caption>Failures of the database</caption>
 * <tr><th>failure</th><th>SQLSTATE</th><th>{@code outcome()}</th><th>{@code isRetryable()}</th></tr>
 * <tr><td>no connection: server away, pool exhausted, too many connections</td>
 *     <td>08001, none, 53300</td><td>{@code DID_NOT_HAPPEN}</td><td>yes</td></tr>
 * <tr><td>connection cut or server restarted during a read, or before the commit of a call of
 *     several statements</td>
 *     <td>08006, 57P01 to 57P03</td><td>{@code DID_NOT_HAPPEN}</td><td>yes</td></tr>
 * <tr><td>the same during a commit, or during a call that writes by one statement</td>
 *     <td>08006, 57P01 to 57P03</td><td>{@code UNKNOWN}</td><td>no: look first</td></tr>
 * <tr><td>the same during a load that commits in between</td>
 *     <td>as above</td><td>{@link io.agentmemory.consolidation.dao.PartialLoadException} says how
 *     much was committed; of the part that failed, its cause</td><td>no</td></tr>
 * <tr><td>a batch of a call that deletes in several transactions</td>
 *     <td>as of any other</td><td>of that batch; those before it stay deleted</td>
 *     <td>of that batch; the next call goes on with what is left</td></tr>
 * <tr><td>timeout of the call or of the server, lock timeout</td>
 *     <td>57014, 55P03</td><td>{@code DID_NOT_HAPPEN}</td><td>yes</td></tr>
 * <tr><td>deadlock, serialization failure, conflict with recovery on a standby</td>
 *     <td>40P01, 40001</td><td>{@code DID_NOT_HAPPEN}</td><td>yes</td></tr>
 * <tr><td>write on a read-only server</td>
 *     <td>25006</td><td>{@code DID_NOT_HAPPEN}</td><td>no</td></tr>
 * <tr><td>disk full</td>
 *     <td>53100</td><td>{@code DID_NOT_HAPPEN}; of a call that writes by one statement {@code
 *     UNKNOWN}, where the server's {@code lc_messages} is not English</td>
 *     <td>no: somebody must make room</td></tr>
 * </table>
 *
 * <p>What is logged, by SLF4J's fluent API, and never with contents, embeddings or the values of a
 * statement. A field that is in brackets is there only where there is such a thing; {@code project}
 * is missing where a worker is of all projects.
 *
 * <table>
 * <caption>Events of the loggers of this package</caption>
 * <tr><th>of</th><th>level</th><th>fields</th></tr>
 * <tr><td>a load that ended, or failed</td><td>info, warn</td>
 *     <td>{@code operation}, {@code read}, {@code inserted}, {@code skipped}, {@code replaced} (all
 *     as committed), {@code elapsedMillis}, ({@code sqlState})</td></tr>
 * <tr><td>a worker that started, stopped, or cannot claim</td><td>info, warn</td>
 *     <td>({@code project}), {@code concurrency}; {@code allDone}; ({@code sqlState}), {@code
 *     attempt}</td></tr>
 * <tr><td>heartbeats that failed</td><td>warn</td>
 *     <td>({@code project}), ({@code sqlState}), {@code runs} (how many jobs they were for)</td></tr>
 * <tr><td>a job that was claimed, completed</td><td>debug</td>
 *     <td>{@code job}, {@code project}, {@code retries}, ({@code elapsedMillis})</td></tr>
 * <tr><td>a job that was handed back, or whose lease is lost</td><td>info</td>
 *     <td>{@code job}, {@code project}, {@code retries}</td></tr>
 * <tr><td>a job that failed, was rescued, or that the worker could not write of</td><td>warn</td>
 *     <td>{@code job}, {@code project}, {@code retries}, ({@code sqlState}, {@code status}, {@code
 *     attempt}, {@code elapsedMillis})</td></tr>
 * <tr><td>a cluster that a flow skipped</td><td>info</td>
 *     <td>({@code job}), {@code project}, {@code cluster}</td></tr>
 * <tr><td>memories that a flow left out, as task memories have their ids</td><td>warn</td>
 *     <td>({@code job}), {@code project}</td></tr>
 * <tr><td>a slow call, see {@link io.agentmemory.consolidation.dao.SlowCallLog}</td><td>warn</td>
 *     <td>{@code operation}, ({@code project}), {@code elapsedMillis}, {@code result}, ({@code
 *     sqlState}, {@code rows}, {@code strategy}, {@code candidates})</td></tr>
 * <tr><td>an observer that failed</td><td>warn</td><td>{@code observer}</td></tr>
 * <tr><td>a connection that could not be put, or given, back</td><td>debug</td><td>none</td></tr>
 * </table>
 */
@NullMarked
package io.agentmemory.consolidation.dao;

import org.jspecify.annotations.NullMarked;
