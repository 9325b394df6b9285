package io.agentmemory.consolidation.quickstart;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.agentmemory.consolidation.dao.Embedding;
import io.agentmemory.consolidation.dao.MemoryType;
import io.agentmemory.consolidation.it.postgres.EmptyDatabase;
import io.agentmemory.consolidation.schema.Schema;
import io.agentmemory.consolidation.schema.SchemaOptions;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.StringWriter;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The examples in README.md compile as they stand there, and do what is said of them. */
class ReadmeExampleTest {
  private static final Pattern EXAMPLE =
      Pattern.compile("<!-- ReadmeExampleTest.*?-->\\s*```java\\n(.*?)```", Pattern.DOTALL);

  private static final String UPGRADED =
      """
      var options = io.agentmemory.consolidation.schema.SchemaOptions.builder().dimensions(384).build();
      io.agentmemory.consolidation.schema.Schema.on(dataSource, options).upgrade();
      Consolidation consolidation = Consolidation.on(dataSource, options);
      """;

  private static final String LIKE_MEMORIES =
      UPGRADED
          + """
          for (String content : new String[] {"a lesson", "the same"}) {
            consolidation.memories().insert(
                NewMemory.builder("shop", MemoryType.LEARNING, AbstractionLevel.CONCRETE, content)
                    .embedding(embed(content)).build());
          }
          """;

  /** Stands in for a model. */
  private static Embedding embed(String text) {
    float[] values = new float[384];
    values[0] = text.isEmpty() ? -1 : 1;
    return Embedding.of(values);
  }

  @RegisterExtension final EmptyDatabase database = new EmptyDatabase();

  @TempDir Path classes;

  @Test
  void theExampleRuns() throws Exception {
    SchemaOptions options = SchemaOptions.builder().dimensions(384).build();
    Schema.on(database.dataSource(), options).upgrade();
    List<AgentMemory> memories = List.of(memory("t-1"), memory("t-2"));
    new TaskMemoryTable(database.dataSource(), options)
        .insert(memories, List.of(embed("a"), embed("b")));
    compile(wrap(example(0), "", ""));

    assertThat(run()).startsWith("1.0 No remote call between begin and commit");
    assertThat(new TaskMemoryTable(database.dataSource(), options).stored(memories))
        .containsExactlyInAnyOrder("t-1", "t-2");
  }

  @Test
  void theExampleFindsNothingInAnEmptyDatabase() throws Exception {
    compile(wrap(example(0), "", ""));

    assertThat(run()).isEmpty();
  }

  @Test
  void theExampleOfAFlowRuns() throws Exception {
    compile(
        wrap(
            example(1),
            LIKE_MEMORIES,
            """
            while (consolidation.jobs().statistics("shop").completed() == 0) {
              java.util.concurrent.locks.LockSupport.parkNanos(10_000_000);
            }
            worker.close();
            consolidation.memories().list("shop", MemoryFilter.none(), PageRequest.first(10)).items()
                .forEach(memory -> System.out.println(memory.content()));
            """));

    assertThat(run().lines()).containsExactlyInAnyOrder("a lesson", "the same", "both in one");
  }

  @Test
  void theExampleOfPairsRuns() throws Exception {
    compile(wrap(example(2), LIKE_MEMORIES, ""));

    assertThat(run().lines()).singleElement().asString().endsWith(" 1.0");
  }

  @Test
  void theExampleOfABulkLoadRuns() throws Exception {
    compile(
        wrap(
            example(3),
            UPGRADED
                + """
                java.util.List<NewMemory> memories = java.util.List.of(
                    NewMemory.builder("shop", MemoryType.LEARNING, AbstractionLevel.CONCRETE, "a lesson")
                        .embedding(embed("a lesson")).build());
                """,
            ""));

    assertThat(run())
        .startsWith(
            "[\"public\".\"idx_cm_embedding\", \"public\".\"idx_cm_embedding_project\"] []");
    assertThat(
            Schema.on(database.dataSource(), SchemaOptions.builder().dimensions(384).build())
                .status()
                .upToDate())
        .isTrue();
  }

  @Test
  void theExampleOfObserversRuns() throws Exception {
    compile(
        wrap(
            example(4),
            UPGRADED
                + "var registry = new io.micrometer.core.instrument.simple.SimpleMeterRegistry();",
            """
            watched.jobs().statisticsOfAllProjects();
            System.out.println(registry.get("consolidation.dao.calls").timer().count());
            """));

    assertThat(run().lines()).containsExactly("1");
  }

  private static String example(int number) throws Exception {
    String readme =
        Files.readString(
            Path.of(Objects.requireNonNull(System.getProperty("build.root"))).resolve("README.md"));
    List<String> examples =
        EXAMPLE.matcher(readme).results().map(example -> example.group(1)).toList();
    assertThat(examples)
        .as("examples in README.md, each of which is run here")
        .hasSize(readme.split("```java").length - 1)
        .hasSize(5);
    return examples.get(number);
  }

  /** An example as the body of a method, with what it takes from its surroundings. */
  private static String wrap(String example, String before, String after) {
    String imports =
        example
            .lines()
            .filter(line -> line.startsWith("import "))
            .collect(Collectors.joining("\n"));
    String statements =
        example
            .lines()
            .filter(line -> !line.startsWith("import "))
            .collect(Collectors.joining("\n"));
    return """
        %s
        public final class Example {
          private static java.util.function.Function<String, io.agentmemory.consolidation.dao.Embedding> model;
          private static io.agentmemory.consolidation.dao.Embedding embed(String text) {
            return model.apply(text);
          }
          private static io.agentmemory.consolidation.dao.NewMemory merge(
              io.agentmemory.consolidation.dao.MemoryCluster cluster) {
            return io.agentmemory.consolidation.dao.NewMemory.builder(
                cluster.projectId(),
                io.agentmemory.consolidation.dao.MemoryType.LEARNING,
                io.agentmemory.consolidation.dao.AbstractionLevel.GENERALIZED,
                "both in one").build();
          }
          public static void run(
              javax.sql.DataSource dataSource,
              java.util.function.Function<String, io.agentmemory.consolidation.dao.Embedding> model) {
            Example.model = model;
            %s
            %s
            %s
          }
        }
        """
        .formatted(imports, before, statements, after);
  }

  private void compile(String source) {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    StringWriter messages = new StringWriter();
    JavaFileObject file =
        new SimpleJavaFileObject(URI.create("string:///Example.java"), JavaFileObject.Kind.SOURCE) {
          @Override
          public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return source;
          }
        };
    List<String> options =
        List.of(
            "-classpath",
            System.getProperty("java.class.path"),
            "-d",
            classes.toString(),
            "-proc:none",
            "-Xlint:all,-path",
            "-Werror");
    boolean compiled = compiler.getTask(messages, null, null, options, null, List.of(file)).call();
    assertThat(compiled).as("%s%n%s", messages, source).isTrue();
  }

  private String run() throws Exception {
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    PrintStream out = System.out;
    try (URLClassLoader loader =
            new URLClassLoader(new URL[] {classes.toUri().toURL()}, getClass().getClassLoader());
        PrintStream captured = new PrintStream(printed, true, UTF_8)) {
      System.setOut(captured);
      loader
          .loadClass("Example")
          .getMethod("run", DataSource.class, Function.class)
          .invoke(
              null, database.dataSource(), (Function<String, Embedding>) ReadmeExampleTest::embed);
    } finally {
      System.setOut(out);
    }
    return printed.toString(UTF_8);
  }

  private static AgentMemory memory(String id) {
    return new AgentMemory(
        id,
        "shop",
        id,
        "The pool ran dry.",
        MemoryType.WARNING,
        null,
        null,
        null,
        null,
        true,
        null,
        null);
  }
}
