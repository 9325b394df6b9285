package io.agentmemory.consolidation.quickstart;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.counting;
import static java.util.stream.Collectors.groupingBy;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.agentmemory.consolidation.dao.MemoryType;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MemoryFileTest {
  private static final String GOOD =
      """
      {"project_id":"p","task_id":"t","execution_summary":"s","success":true}""";

  @Test
  void theIncludedFileHoldsAllTypesInThreeProjects() throws Exception {
    List<AgentMemory> memories = MemoryFile.included();

    assertThat(memories).hasSizeGreaterThanOrEqualTo(80);
    Map<MemoryType, Long> types =
        memories.stream().collect(groupingBy(AgentMemory::type, counting()));
    assertThat(types).hasSize(6).doesNotContainKey(MemoryType.UNKNOWN);
    assertThat(memories.stream().map(AgentMemory::projectId).distinct()).hasSize(3);
    assertThat(memories.stream().map(AgentMemory::id).distinct()).hasSize(memories.size());
  }

  @Test
  void aLineMayHoldEveryFieldOfTheTable() {
    AgentMemory memory =
        parse(
                """
                {"id":"m-1","project_id":"p","task_id":"t","execution_summary":"s","memory_type":"warning",\
                "goal":"g","result":"r","feedback":null,"tool_usage":{"bash":2},"success":false,\
                "error_patterns":["boom"],"learned_at":"2025-05-30T16:07:00+02:00","reused_count":3}""")
            .get(0);

    assertThat(memory)
        .isEqualTo(
            new AgentMemory(
                "m-1",
                "p",
                "t",
                "s",
                MemoryType.WARNING,
                "g",
                "r",
                null,
                "{\"bash\":2}",
                false,
                "[\"boom\"]",
                Instant.parse("2025-05-30T14:07:00Z")));
  }

  @Test
  void aMemoryWithoutAnIdHasTheSameOneEachTimeItIsRead() {
    String id = parse(GOOD).get(0).id();

    assertThat(parse(GOOD).get(0).id()).isEqualTo(id);
    assertThat(parse(GOOD.replace("\"s\"", "\"other\"")).get(0).id()).isNotEqualTo(id);
  }

  @Test
  void emptyLinesAndWindowsLineEndsAreFine() {
    assertThat(parse("\uFEFF" + GOOD + "\r\n\r\n  \n" + GOOD.replace("\"s\"", "\"other\"")))
        .hasSize(2);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"project_id\": | is not JSON",
        "[1] | is not a JSON object",
        "{} {} | is not JSON",
        "{\"a\":1,\"a\":2} | is not JSON",
        "{\"task_id\":\"t\",\"execution_summary\":\"s\",\"success\":true} | has no project_id",
        "{\"project_id\":\"p\",\"task_id\":\"t\",\"execution_summary\":\" \",\"success\":true}"
            + " | has no execution_summary",
        "{\"project_id\":\"p\",\"task_id\":7,\"execution_summary\":\"s\",\"success\":true}"
            + " | has a task_id that is not text",
        "{\"project_id\":\"p\",\"task_id\":\"t\",\"execution_summary\":\"s\"} | has no success",
        "{\"project_id\":\"p\",\"task_id\":\"t\",\"execution_summary\":\"s\",\"success\":true,"
            + "\"memory_type\":\"lesson\"} | has the memory_type \"lesson\": use one of error_fix",
        "{\"project_id\":\"p\",\"task_id\":\"t\",\"execution_summary\":\"s\",\"success\":true,"
            + "\"memorytype\":\"x\"} | has unknown fields [memorytype]",
        "{\"project_id\":\"p\",\"task_id\":\"t\",\"execution_summary\":\"s\",\"success\":true,"
            + "\"learned_at\":\"yesterday\"} | has the learned_at \"yesterday\"",
        "{\"project_id\":\"p\",\"task_id\":\"t\",\"execution_summary\":\"a\\u0000b\",\"success\":true}"
            + " | has U+0000 in execution_summary",
        "{\"project_id\":\"p\",\"task_id\":\"t\",\"execution_summary\":\"s\",\"success\":true,"
            + "\"tool_usage\":{\"a\":\"\\u0000\"}} | has U+0000 in tool_usage",
        "{\"project_id\":\"p\",\"task_id\":\"t\",\"execution_summary\":\"\\ud800\",\"success\":true}"
            + " | has half a surrogate pair",
      })
  void aBadLineIsNamedWithWhatIsWrong(String line, String problem) {
    assertThatThrownBy(() -> parse(GOOD + "\n\n" + line))
        .isInstanceOf(BadMemoriesException.class)
        .hasMessageStartingWith("test.jsonl was refused, nothing was stored:")
        .hasMessageContaining("line 3 " + problem);
  }

  @Test
  void jsonThatOnlyTalksOfNulIsFine() {
    assertThat(parse(GOOD.replace("true", "true,\"tool_usage\":{\"a\":\"\\\\u0000\"}"))).hasSize(1);
  }

  @Test
  void theSameIdTwiceIsRefused() {
    assertThatThrownBy(() -> parse(GOOD + "\n" + GOOD))
        .hasMessageContaining("line 2 has the id")
        .hasMessageContaining("of line 1");
  }

  @Test
  void anotherEncodingIsRefused() {
    byte[] latin = GOOD.replace("\"s\"", "\"\u00e9\"").getBytes(ISO_8859_1);

    assertThatThrownBy(() -> MemoryFile.parse("test.jsonl", latin))
        .hasMessageContaining("line 1 is not UTF-8");
  }

  @Test
  void allBadLinesAreNamedUpToTen() {
    assertThatThrownBy(() -> parse("x\n".repeat(12)))
        .hasMessageContaining("line 1 ")
        .hasMessageContaining("line 10 ")
        .hasMessageEndingWith("and 2 more");
  }

  @Test
  void anEmptyOrMissingFileIsRefused() {
    assertThatThrownBy(() -> parse("\n")).hasMessageContaining("holds no memory");
    assertThatThrownBy(() -> MemoryFile.read(Path.of("no-such-file.jsonl")))
        .hasMessageContaining("no-such-file.jsonl was refused")
        .hasMessageContaining("no such file");
  }

  private static List<AgentMemory> parse(String lines) {
    return MemoryFile.parse("test.jsonl", lines.getBytes(UTF_8));
  }
}
