package io.agentmemory.consolidation.it.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.agentmemory.consolidation.ddl.Hazard;
import io.agentmemory.consolidation.it.postgres.EmptyDatabase;
import io.agentmemory.consolidation.schema.Schema;
import io.agentmemory.consolidation.schema.SchemaException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is said of a commit that the server did, where the connection is lost before its answer. */
class LostCommitTest {
  @RegisterExtension private final EmptyDatabase database = new EmptyDatabase();

  /** Connections, with or without autocommit, that are lost after their first commit. */
  private DataSource losing(boolean autoCommit) {
    return proxy(
        DataSource.class,
        (method, arguments) -> {
          Connection connection = database.dataSource().getConnection();
          connection.setAutoCommit(autoCommit);
          return losing(connection);
        });
  }

  private static Connection losing(Connection connection) {
    return proxy(
        Connection.class,
        (method, arguments) -> {
          Object result = method.invoke(connection, arguments);
          if (method.getName().equals("commit")) {
            connection.abort(Runnable::run);
            throw new SQLException("cut before the answer", "08006");
          }
          return result;
        });
  }

  private interface Call {
    Object on(Method method, Object[] arguments) throws Exception;
  }

  private static <T> T proxy(Class<T> type, Call call) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, arguments) -> {
              try {
                return call.on(method, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            }));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void ofAnUpgradeIsThatNobodyKnowsAndThatTheNextOneTells(boolean autoCommit) {
    assertThatExceptionOfType(SchemaException.class)
        .isThrownBy(() -> Schema.on(losing(autoCommit)).upgrade())
        .withMessage(
            "The commit failed with SQLSTATE 08006: cut before the answer. Whether it was done is"
                + " not known: status() tells which revisions and indexes are there");
    Schema schema = Schema.on(database.dataSource());
    assertThat(schema.status().upToDate()).isTrue();
    assertThat(schema.upgrade().applied()).isEmpty();
  }

  @Test
  void ofAConversionIsTheSameAndTheNextOneGoesOn() {
    Sql.run(
        database.dataSource(),
        """
        CREATE EXTENSION vector;
        CREATE TABLE consolidated_memories (id varchar PRIMARY KEY, embedding double precision[]);
        INSERT INTO consolidated_memories
          SELECT i::text, array_fill(i::double precision, ARRAY[1536])
          FROM generate_series(1, 10) i
        """);
    assertThatExceptionOfType(SchemaException.class)
        .isThrownBy(
            () -> Schema.on(losing(true)).allowing(Hazard.LOSES_PRECISION).convertEmbeddings())
        .withMessageContaining("The commit failed with SQLSTATE 08006: cut before the answer");
    assertThat(
            Schema.on(database.dataSource())
                .allowing(Hazard.LOSES_PRECISION)
                .convertEmbeddings()
                .notes())
        .contains("Went on with a conversion that was cut short");
  }

  @Test
  void ofACommitThatTheServerRefusesIsThatNothingIsLeft() {
    Schema schema = Schema.on(database.dataSource());
    schema.upgradeTo("task_memories_001");
    Sql.run(
        database.dataSource(),
        """
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
          BEGIN
            RAISE EXCEPTION 'as the test wants' USING ERRCODE = '23514';
          END $$;
        CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON consolidation_history
          INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()
        """);
    assertThatExceptionOfType(SchemaException.class)
        .isThrownBy(schema::upgrade)
        .withMessageContaining("23514")
        .withMessageNotContaining("not known");
    assertThat(schema.status().applied()).hasSize(1);
  }
}
