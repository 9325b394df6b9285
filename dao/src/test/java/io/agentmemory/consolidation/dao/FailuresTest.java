package io.agentmemory.consolidation.dao;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.sql.BatchUpdateException;
import java.sql.SQLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.util.PSQLException;
import org.postgresql.util.PSQLState;
import org.postgresql.util.ServerErrorMessage;

class FailuresTest {

  private static PSQLException server(String severity, String state) {
    return new PSQLException(
        new ServerErrorMessage("S%s\0C%s\0Msaid so\0Dwith details\0\0".formatted(severity, state)));
  }

  private static Outcome whileCommitting(SQLException failure) {
    return Failures.translate("x", failure, true).outcome();
  }

  @Test
  void anErrorOfTheServersMeansThatNothingHappened() {
    assertThat(whileCommitting(server("ERROR", "23514"))).isEqualTo(Outcome.DID_NOT_HAPPEN);
    assertThat(whileCommitting(server("ERROR", "53100"))).isEqualTo(Outcome.DID_NOT_HAPPEN);
  }

  @ParameterizedTest
  @ValueSource(strings = {"40001", "40P01", "55P03", "57014", "25006", "P0001"})
  void whatIsOnlyEverAnErrorMeansTheSameInWhateverLanguage(String state) {
    assertThat(whileCommitting(server("FEHLER", state))).isEqualTo(Outcome.DID_NOT_HAPPEN);
  }

  @Test
  void theEndOfAConnectionWhileCommittingMeansThatNobodyKnows() {
    assertThat(whileCommitting(server("FATAL", "57P01"))).isEqualTo(Outcome.UNKNOWN);
    assertThat(whileCommitting(server("PANIC", "53100"))).isEqualTo(Outcome.UNKNOWN);
    assertThat(whileCommitting(server("TÖDLICH", "57P01"))).isEqualTo(Outcome.UNKNOWN);
    assertThat(whileCommitting(server("FEHLER", "53100"))).isEqualTo(Outcome.UNKNOWN);
    SQLException lost = new PSQLException("lost", PSQLState.CONNECTION_FAILURE);
    assertThat(whileCommitting(lost)).isEqualTo(Outcome.UNKNOWN);
    assertThat(Failures.translate("x", lost, false).outcome()).isEqualTo(Outcome.DID_NOT_HAPPEN);
  }

  @Test
  void whatTheServerSaidIsFoundHoweverItIsWrapped() {
    SQLException said = server("ERROR", "23514");
    DatabaseException wrapped =
        Failures.translate("x", new SQLException("memory id 7: no", "23514", said), true);
    assertThat(wrapped.outcome()).isEqualTo(Outcome.DID_NOT_HAPPEN);
    assertThat(wrapped).hasMessageContaining("memory id 7");
    BatchUpdateException batch = new BatchUpdateException();
    batch.setNextException(said);
    assertThat(whileCommitting(batch)).isEqualTo(Outcome.DID_NOT_HAPPEN);
    assertThat(whileCommitting(new BatchUpdateException(said))).isEqualTo(Outcome.DID_NOT_HAPPEN);
  }

  @Test
  void aCommitAnsweredByARollbackDidNotHappen() {
    PSQLException rolledBack = new PSQLException("ROLLBACK", PSQLState.IN_FAILED_SQL_TRANSACTION);
    assertThat(whileCommitting(rolledBack)).isEqualTo(Outcome.DID_NOT_HAPPEN);
  }

  @Test
  void aStatementThatWasNeverSentDidNotHappen() {
    DatabaseException late = Failures.translate("x", new Deadline.Expired(), true);
    assertThat(late.outcome()).isEqualTo(Outcome.DID_NOT_HAPPEN);
    assertThat(late.sqlState()).isEqualTo("57014");
    assertThat(late.isRetryable()).isTrue();
  }

  @Test
  void onlyWhatDidNotHappenAndMayPassIsRetryable() {
    assertThat(Failures.translate("x", server("ERROR", "40P01"), true).isRetryable()).isTrue();
    assertThat(Failures.translate("x", server("ERROR", "23505"), true).isRetryable()).isFalse();
    assertThat(Failures.translate("x", server("FATAL", "57P01"), false).isRetryable()).isTrue();
    assertThat(Failures.translate("x", server("FATAL", "57P01"), true).isRetryable()).isFalse();
  }

  @Test
  void theMessageIsTheServersWithoutItsDetails() {
    assertThat(Failures.translate("jobs.fail", server("ERROR", "23514"), true))
        .hasMessage("jobs.fail failed (SQLSTATE 23514): said so");
  }

  @Test
  void neitherTheMessageNorACauseQuotesARowOrAStatement() {
    SQLException said = server("ERROR", "23514");
    said.addSuppressed(server("FATAL", "57P01"));
    BatchUpdateException batch =
        new BatchUpdateException(
            "Batch entry 0 insert … (with details)", "23514", 0, new int[0], said);
    batch.setNextException(said);
    DatabaseException failure =
        Failures.translate("x", new SQLException("memory number 7: no", "23514", batch), true);
    StringWriter printed = new StringWriter();
    failure.printStackTrace(new PrintWriter(printed));
    assertThat(printed.toString())
        .doesNotContain("details")
        .contains("Suppressed: java.sql.SQLException: said so");
    assertThat(failure).hasRootCauseMessage("said so");
    assertThat(failure.getCause().getCause().getStackTrace()).isEqualTo(batch.getStackTrace());

    SQLException lost = new PSQLException("lost", PSQLState.CONNECTION_FAILURE);
    assertThat(Failures.translate("x", lost, true)).hasCause(lost);
    DatabaseException lostBatch =
        Failures.translate(
            "x",
            new BatchUpdateException("Batch entry 0 insert …", "08006", 0, new int[0], lost),
            true);
    assertThat(lostBatch)
        .hasMessage("x failed (SQLSTATE 08006): lost. Whether it was done is not known");
    assertThat(lostBatch.getCause()).hasMessage("lost");
  }
}
