package io.agentmemory.consolidation.schema;

import io.agentmemory.consolidation.ddl.QualifiedName;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Builds an index and records that it is there in one transaction, so that there is both or
 * nothing. Writes of the table wait meanwhile; reads do not.
 */
final class BlockingBuild {
  private static final Logger LOG = LoggerFactory.getLogger(BlockingBuild.class);

  private final Session session;
  private final BuildSizing sizing;
  private final Waiting waiting;

  BlockingBuild(Session session, BuildSizing sizing, Waiting waiting) {
    this.session = session;
    this.sizing = sizing;
    this.waiting = waiting;
  }

  /**
   * Builds it; waits for the table until the deadline.
   *
   * @return what a person should know of it
   */
  Optional<String> make(QualifiedName name, List<Statements.Planned> statements) {
    long end = waiting.end();
    Optional<String> note = Optional.empty();
    for (int attempt = 0; ; attempt++) {
      try {
        inTransaction(statements);
        return note;
      } catch (SchemaSqlException e) {
        Optional<String> alone = sizing.withoutWorkers(name, e);
        if (alone.isPresent()) {
          note = alone;
          continue;
        }
        if (!Runner.worthAnotherTry(e)) {
          throw e;
        }
        if (Waiting.isOver(end)) {
          throw new SchemaBusyException(
              "Gave up after "
                  + waiting.deadline()
                  + ": index "
                  + name
                  + " is still to be built, by the next upgrade: "
                  + e.getMessage(),
              e);
        }
        LOG.atInfo()
            .addKeyValue("schema", name.schema())
            .addKeyValue("index", name)
            .addKeyValue("attempt", attempt + 1)
            .addKeyValue("sqlState", e.sqlState())
            .log("Building an index again: {}", e.getMessage());
        Pause.after(attempt, end);
      }
    }
  }

  private void inTransaction(List<Statements.Planned> statements) {
    try {
      Runner.committed(
          session,
          waiting,
          begun -> {
            statements.forEach(begun::execute);
            return statements.size();
          });
    } catch (SQLException e) {
      throw SchemaSqlException.of("commit an index", "COMMIT", null, e);
    }
  }
}
