package io.agentmemory.consolidation.quickstart;

/** A line is no memory; the message continues the words "line 12 …" and ends with what to do. */
final class BadLineException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  BadLineException(String message) {
    super(message);
  }

  BadLineException(String message, Throwable cause) {
    super(message, cause);
  }
}
