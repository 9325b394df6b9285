package io.agentmemory.consolidation;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Whole texts kept in {@code src/test/resources/golden}; {@code -Dgolden.write} renews them. */
public final class Golden {
  private Golden() {}

  public static void assertEqual(String name, String text) {
    try {
      if (Boolean.getBoolean("golden.write")) {
        Files.writeString(Path.of("src/test/resources/golden", name), text);
        return;
      }
      try (InputStream file = Golden.class.getResourceAsStream("/golden/" + name)) {
        assertThat(file).as("the golden file %s", name).isNotNull();
        assertThat(text).isEqualTo(new String(file.readAllBytes(), StandardCharsets.UTF_8));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
