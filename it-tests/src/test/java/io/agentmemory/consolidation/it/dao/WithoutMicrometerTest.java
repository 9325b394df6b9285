package io.agentmemory.consolidation.it.dao;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.ConsolidationObserver;
import io.agentmemory.consolidation.dao.MicrometerObserver;
import io.agentmemory.consolidation.dao.SlowCallLog;
import io.agentmemory.consolidation.schema.SchemaOptions;
import java.net.URLClassLoader;
import java.time.Duration;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;

/** Micrometer is for those who have it. */
class WithoutMicrometerTest {

  @Test
  void allButItsObserverWorks() throws Exception {
    try (URLClassLoader loader = ClassPath.without("micrometer")) {
      Class<?> consolidation = loader.loadClass(Consolidation.class.getName());
      Class<?> options = loader.loadClass(SchemaOptions.class.getName());
      Object dataSource =
          loader
              .loadClass("org.postgresql.ds.PGSimpleDataSource")
              .getDeclaredConstructor()
              .newInstance();
      Object on =
          consolidation
              .getMethod("on", DataSource.class, options)
              .invoke(null, dataSource, options.getMethod("defaults").invoke(null));
      Object observer =
          loader
              .loadClass(SlowCallLog.class.getName())
              .getMethod("from", Duration.class)
              .invoke(null, Duration.ofSeconds(1));
      Class<?> observers = loader.loadClass(ConsolidationObserver.class.getName());
      assertThat(consolidation.getMethod("observedBy", observers).invoke(on, observer))
          .isInstanceOf(consolidation);
      Class<?> binding = loader.loadClass(MicrometerObserver.class.getName());
      assertThatThrownBy(binding::getDeclaredMethods)
          .isInstanceOf(NoClassDefFoundError.class)
          .hasMessageContaining("io/micrometer");
    }
  }
}
