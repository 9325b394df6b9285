package io.agentmemory.consolidation.bench;

import dev.langchain4j.store.embedding.pgvector.PgVectorEmbeddingStore;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.postgresql.Driver;
import org.springframework.ai.vectorstore.pgvector.PgVectorStore;

/** Where and with which versions the run takes place. */
final class Machine {
  private static final Pattern JAR_VERSION = Pattern.compile("-(\\d[^/]*)\\.jar");

  private Machine() {}

  static Table describe(Settings settings, String server) {
    return new Table("", "")
        .row("command", "`" + command(settings) + "`")
        .row("date", LocalDate.now(ZoneOffset.UTC))
        .row("rounds", settings.rounds() + ", medians with the lowest and the highest of them")
        .row("server", server)
        .row("hardware", hardware())
        .row("Java", System.getProperty("java.vm.name") + " " + System.getProperty("java.version"))
        .row("driver", "pgjdbc " + version(Driver.class))
        .row("LangChain4j", "langchain4j-pgvector " + version(PgVectorEmbeddingStore.class))
        .row("Spring AI", "spring-ai-pgvector-store " + version(PgVectorStore.class))
        .row("embeddings", VectorCache.MODEL + ", " + VectorCache.DIMENSIONS + " dimensions");
  }

  private static String command(Settings settings) {
    return "it-tests/with-postgres mvn -B -q -Pbenchmark test-compile -Dbench="
        + String.join(",", settings.sections())
        + (settings.quick() ? " -Dquick" : "")
        + " -Drows="
        + settings.largeRows()
        + (settings.sentences().isPresent() ? " -Dsentences=FILE" : "")
        + (settings.locomo().isPresent() ? " -Dlocomo=DIR" : "");
  }

  static long memoryBytes() {
    return ManagementFactory.getOperatingSystemMXBean()
            instanceof com.sun.management.OperatingSystemMXBean system
        ? system.getTotalMemorySize()
        : 4L << 30;
  }

  private static String hardware() {
    return "%d cores%s, %d GiB of memory, %s %s"
        .formatted(
            Runtime.getRuntime().availableProcessors(),
            processor(),
            Math.round(memoryBytes() / (double) (1L << 30)),
            System.getProperty("os.name"),
            System.getProperty("os.arch"));
  }

  private static String processor() {
    Path file = Path.of("/proc/cpuinfo");
    try {
      List<String> lines = Files.exists(file) ? Files.readAllLines(file) : List.of();
      return lines.stream()
          .filter(line -> line.startsWith("model name"))
          .map(line -> " of " + line.substring(line.indexOf(':') + 1).strip())
          .findFirst()
          .orElse("");
    } catch (IOException e) {
      return "";
    }
  }

  private static String version(Class<?> type) {
    URL place =
        Objects.requireNonNull(type.getResource(type.getSimpleName() + ".class"), type.getName());
    Matcher matcher = JAR_VERSION.matcher(place.toString());
    return matcher.find() ? matcher.group(1) : "unknown";
  }
}
