package io.agentmemory.consolidation.it.postgres;

/** Why a {@link Way} leads to no server here. */
final class Unavailable extends Exception {
  private static final long serialVersionUID = 1L;

  Unavailable(String reason) {
    super(reason);
  }

  Unavailable(String reason, Throwable cause) {
    super(reason, cause);
  }
}
