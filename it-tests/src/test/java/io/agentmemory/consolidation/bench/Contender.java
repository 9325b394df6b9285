package io.agentmemory.consolidation.bench;

import java.sql.SQLException;
import java.util.List;

/** One way to answer a question; safe for use by several threads where it says so. */
interface Contender extends AutoCloseable {
  String name();

  /** The ids of the rows found, best first. */
  List<String> ask(Question question) throws Exception;

  @Override
  default void close() throws SQLException {}
}
