package io.agentmemory.consolidation.quickstart;

import java.util.List;

/** A file of memories was refused as a whole; the message names each bad line. */
final class BadMemoriesException extends RuntimeException {
  private static final long serialVersionUID = 1L;
  private static final int MOST = 10;

  BadMemoriesException(String file, List<String> problems) {
    super(message(file, problems));
  }

  private static String message(String file, List<String> problems) {
    StringBuilder text = new StringBuilder(file).append(" was refused, nothing was stored:");
    problems.stream().limit(MOST).forEach(problem -> text.append("\n  ").append(problem));
    if (problems.size() > MOST) {
      text.append("\n  and ").append(problems.size() - MOST).append(" more");
    }
    return text.toString();
  }
}
