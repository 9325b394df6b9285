package io.agentmemory.consolidation.it.dao;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.schema.SchemaOptions;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.URLClassLoader;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;

/** HikariCP is for those who want the library to open the pool; nobody else needs it. */
class WithoutHikariTest {

  @Test
  void aDataSourceIsEnoughAndOpenSaysWhatIsMissing() throws Exception {
    try (URLClassLoader loader = ClassPath.without("HikariCP")) {
      Class<?> consolidation = loader.loadClass(Consolidation.class.getName());
      Class<?> options = loader.loadClass(SchemaOptions.class.getName());
      Object defaults = options.getMethod("defaults").invoke(null);
      Object dataSource =
          loader
              .loadClass("org.postgresql.ds.PGSimpleDataSource")
              .getDeclaredConstructor()
              .newInstance();
      assertThat(consolidation.getMethod("on", DataSource.class, options))
          .satisfies(
              on -> assertThat(on.invoke(null, dataSource, defaults)).isInstanceOf(consolidation));
      Method open =
          consolidation.getMethod("open", String.class, String.class, String.class, options);
      assertThatThrownBy(() -> open.invoke(null, "jdbc:postgresql://x/y", "u", "p", defaults))
          .isInstanceOf(InvocationTargetException.class)
          .cause()
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("com.zaxxer:HikariCP");
    }
  }
}
