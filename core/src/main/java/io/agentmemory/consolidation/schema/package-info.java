/**
 * The schema of consolidated memories, its revisions, and how a database moves between them.
 *
 * <p>Start at {@link Schema}, made of a data source and {@link SchemaOptions}. The rest, by
 * purpose:
 *
 * <ul>
 *   <li>what the schema looks like: {@link HostTable}, {@link HnswParameters}, {@link VectorType}
 *   <li>what was done: {@link UpgradeResult}, {@link DowngradeResult}, {@link ConversionResult};
 *       what is there: {@link SchemaStatus}
 *   <li>what would be done: {@link UpgradePlan} and {@link DowngradePlan} of {@link
 *       PlannedStatement}s; as a script without a connection, by {@link ScriptContext}
 *   <li>what is wrong: {@link Difference} of {@code verify()}, {@link Finding} of {@code checkUp()}
 *   <li>revisions of the application's own: {@link Changelog} of {@link Revision}s
 *   <li>loads without indexes: {@link BulkLoad}, {@link BulkLoadResult}; how indexes are built:
 *       {@link IndexBuilds}, {@link ProgressListener}
 *   <li>what is thrown: {@link ConsolidationException} and those below it
 * </ul>
 *
 * <p>{@link SearchIndexes}, {@link SchemaState} and {@link Schema#inspect} serve the data access
 * objects and may change; applications need none of them.
 *
 * <p>What is logged, by SLF4J's fluent API; {@code schema} is a field of all of it but the last
 * three. Of other sessions that are in the way their statements are told, without values.
 *
 * <table>
 * <caption>Events of the loggers of this package</caption>
 * <tr><th>of</th><th>level</th><th>fields</th></tr>
 * <tr><td>revisions that were applied, taken back or adopted</td><td>info</td>
 *     <td>{@code revisions}, {@code elapsedMillis} (not of those adopted)</td></tr>
 * <tr><td>waiting for others</td><td>info</td><td>{@code attempt}, {@code sqlState} of a lock that
 *     was not to be had</td></tr>
 * <tr><td>an index that is built, built again, or was built</td><td>info</td>
 *     <td>{@code index}; {@code attempt}, {@code sqlState}; {@code elapsedMillis}</td></tr>
 * <tr><td>a bulk load that begins, failed, or has ended</td><td>info, warn</td>
 *     <td>{@code indexes}, {@code loadMillis}, {@code buildMillis}</td></tr>
 * <tr><td>embeddings that are, or were, converted</td><td>info</td>
 *     <td>{@code rows}, {@code elapsedMillis}</td></tr>
 * <tr><td>a progress listener that failed</td><td>warn</td><td>{@code index}, but {@code schema}
 *     of a conversion</td></tr>
 * <tr><td>a version of pgvector that has known faults</td><td>warn</td><td>{@code version}</td></tr>
 * <tr><td>a connection that was lost, and what was lost with it</td><td>debug</td><td>none</td></tr>
 * </table>
 */
@NullMarked
package io.agentmemory.consolidation.schema;

import org.jspecify.annotations.NullMarked;
