package io.agentmemory.consolidation.quickstart;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Reads memories from a file in UTF-8 with one JSON object a line; empty lines are passed over. */
final class MemoryFile {
  private static final String INCLUDED = "memories.jsonl";

  private MemoryFile() {}

  /** The memories that come with the quickstart. */
  static List<AgentMemory> included() throws IOException {
    try (InputStream in =
        Objects.requireNonNull(MemoryFile.class.getResourceAsStream(INCLUDED), INCLUDED)) {
      return parse(INCLUDED, in.readAllBytes());
    }
  }

  /** The memories of a file; throws {@link BadMemoriesException} that names every bad line. */
  static List<AgentMemory> read(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new BadMemoriesException(
          file.toString(),
          List.of("there is no such file: give the path of a file with one JSON object a line"));
    }
    return parse(file.toString(), Files.readAllBytes(file));
  }

  static List<AgentMemory> parse(String name, byte[] content) {
    List<AgentMemory> memories = new ArrayList<>();
    List<String> problems = new ArrayList<>();
    Map<String, Integer> lineOfId = new HashMap<>();
    int number = 0;
    for (int start = 0; start < content.length; ) {
      int end = start;
      while (end < content.length && content[end] != '\n') {
        end++;
      }
      number++;
      try {
        String line = decode(Arrays.copyOfRange(content, start, end));
        if (!line.isBlank()) {
          AgentMemory memory = MemoryLine.parse(line);
          Integer other = lineOfId.putIfAbsent(memory.id(), number);
          if (other != null) {
            throw new BadLineException(
                "has the id \"%s\" of line %d: give each memory an id of its own, or none"
                    .formatted(memory.id(), other));
          }
          memories.add(memory);
        }
      } catch (BadLineException e) {
        problems.add("line %d %s".formatted(number, e.getMessage()));
      }
      start = end + 1;
    }
    if (memories.isEmpty() && problems.isEmpty()) {
      problems.add("it holds no memory: write one JSON object a line");
    }
    if (!problems.isEmpty()) {
      throw new BadMemoriesException(name, problems);
    }
    return memories;
  }

  private static String decode(byte[] line) {
    try {
      String text =
          UTF_8
              .newDecoder()
              .onMalformedInput(CodingErrorAction.REPORT)
              .onUnmappableCharacter(CodingErrorAction.REPORT)
              .decode(ByteBuffer.wrap(line))
              .toString();
      return text.startsWith("\uFEFF") ? text.substring(1) : text;
    } catch (CharacterCodingException e) {
      throw new BadLineException("is not UTF-8: save the file in UTF-8", e);
    }
  }
}
