package io.agentmemory.consolidation.dao;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

class ChecksTest {

  @Test
  void anIdHasAtMost512BytesInUtf8() {
    for (String character : List.of("a", "é", "€", "😀")) {
      int bytes = character.getBytes(StandardCharsets.UTF_8).length;
      String longest = character.repeat(512 / bytes);
      assertThat(Checks.id("id", longest)).isSameAs(longest);
      refuses(() -> Checks.id("id", longest + character), "at most 512 bytes");
    }
  }

  @Test
  void textIsWhatPostgresqlCanHold() {
    assertThat(Checks.text("text", "")).isEmpty();
    assertThat(Checks.text("text", "😀 \u0001 \u202E \uFFFF")).hasSize(8);
    refuses(() -> Checks.text("text", null), "text must not be null");
    refuses(() -> Checks.text("text", "ab\0"), "U+0000");
    refuses(() -> Checks.text("text", "ab\0"), "character 3");
    refuses(() -> Checks.text("text", "\uD83D"), "surrogate");
    refuses(() -> Checks.text("text", "\uD83Dx"), "surrogate");
    refuses(() -> Checks.text("text", "\uDE00\uD83D"), "surrogate");
  }

  @Test
  void aNameIsCountedInCharacters() {
    assertThat(Checks.name("tag", "😀".repeat(50), 50)).hasSize(100);
    refuses(() -> Checks.name("tag", "😀".repeat(51), 50), "at most 50 characters");
    refuses(() -> Checks.name("tag", "", 50), "empty");
  }

  @Test
  void messagesShortenWhatTheyShow() {
    assertThat(Checks.quoted("short")).isEqualTo("\"short\"");
    assertThat(Checks.quoted("x".repeat(40))).isEqualTo("\"" + "x".repeat(40) + "\"");
    assertThat(Checks.quoted("x".repeat(41))).isEqualTo("\"" + "x".repeat(40) + "…\"");
    assertThat(Checks.quoted("😀".repeat(40))).isEqualTo("\"" + "😀".repeat(40) + "\"");
    assertThat(Checks.quoted("😀".repeat(1_000_000))).hasSizeLessThan(100);
    assertThat(Checks.quoted("a\u001B[31m\n\u202E\uD800"))
        .isEqualTo("\"a\\u001B[31m\\u000A\\u202E\\uD800\"");
    assertThat(Checks.some(List.of("a", "b"))).isEqualTo("\"a\", \"b\"");
    assertThat(Checks.some(List.of("a", "b", "c", "d", "e", "f", "g")))
        .isEqualTo("\"a\", \"b\", \"c\", \"d\", \"e\" and 2 more");
  }

  @Test
  void aListOfIdsNamesTheOneThatIsWrong() {
    refuses(() -> Checks.ids("ids", Arrays.asList("a", null)), "ids[1]");
    refuses(() -> Checks.ids("ids", List.of("a", "b", "a")), "\"a\" twice");
  }

  private static void refuses(ThrowingCallable call, String message) {
    assertThatThrownBy(call)
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(message);
  }
}
