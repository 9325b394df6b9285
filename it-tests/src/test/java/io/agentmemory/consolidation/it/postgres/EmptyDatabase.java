package io.agentmemory.consolidation.it.postgres;

import java.util.Locale;
import java.util.Optional;
import javax.sql.DataSource;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * An empty database of the shared server: in a field with {@code @RegisterExtension}, a new one for
 * each test; in a static field, one for the class.
 */
public final class EmptyDatabase
    implements BeforeAllCallback, AfterAllCallback, BeforeEachCallback, AfterEachCallback {
  private Optional<ScratchDatabase> database = Optional.empty();
  private boolean ofClass;

  @Override
  public void beforeAll(ExtensionContext context) {
    ofClass = true;
    create(context);
  }

  @Override
  public void beforeEach(ExtensionContext context) {
    if (!ofClass) {
      create(context);
    }
  }

  @Override
  public void afterEach(ExtensionContext context) {
    if (!ofClass) {
      drop();
    }
  }

  @Override
  public void afterAll(ExtensionContext context) {
    drop();
  }

  private void create(ExtensionContext context) {
    String prefix = context.getRequiredTestClass().getSimpleName().toLowerCase(Locale.ROOT);
    database = Optional.of(PostgresServer.shared().freshDatabase(prefix));
  }

  private void drop() {
    database.ifPresent(ScratchDatabase::close);
    database = Optional.empty();
  }

  public ScratchDatabase get() {
    return database.orElseThrow(
        () -> new IllegalStateException("the database is there only while a test runs"));
  }

  public String name() {
    return get().name();
  }

  public String jdbcUrl() {
    return get().jdbcUrl();
  }

  public DataSource dataSource() {
    return get().dataSource();
  }

  /** See {@link PostgresServer#dumpSchema}. */
  public String dumpSchema(String... arguments) {
    return get().dumpSchema(arguments);
  }
}
