package io.agentmemory.consolidation.dao;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Checks that a text is a JSON object that a {@code jsonb} column takes, before it is sent. What
 * PostgreSQL refuses beyond the grammar (the escapes of U+0000 and of half a surrogate pair,
 * numbers out of all range, nesting without end) is refused too.
 */
final class JsonObjects {
  static final int MAX_BYTES = 1 << 20;

  /** Names that are nobody's are not kept; a number has at most so many characters. */
  private static final JsonFactory JSON =
      JsonFactory.builder()
          .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(201)
                  .maxNumberLength(10_000)
                  .maxNameLength(MAX_BYTES)
                  .build())
          .build();

  /** 1,000 or more; {@code numeric} takes sixteen times that. */
  private static final Pattern LARGE_EXPONENT = Pattern.compile("[eE][+-]?0*[1-9][0-9]{3}");

  private JsonObjects() {}

  /** The text, which must be a JSON object. */
  static String check(String name, @Nullable String json) {
    String text = Checks.text(name, json, MAX_BYTES);
    try (JsonParser parser = JSON.createParser(text)) {
      check(name, parser);
      return text;
    } catch (JsonProcessingException e) {
      JsonLocation where = e.getLocation();
      String at = where == null ? "" : "character %,d of ".formatted(where.getCharOffset() + 1);
      throw new InvalidInputException(
          "%s must be a JSON object: %s: %s%s"
              .formatted(name, Checks.printable(e.getOriginalMessage()), at, Checks.quoted(text)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void check(String name, JsonParser parser) throws IOException {
    if (parser.nextToken() != JsonToken.START_OBJECT) {
      throw new JsonParseException(parser, "it must begin with {");
    }
    do {
      JsonToken token = parser.nextToken();
      if (token == JsonToken.FIELD_NAME || token == JsonToken.VALUE_STRING) {
        Checks.text(name, parser.getText());
      } else if (token == JsonToken.VALUE_NUMBER_FLOAT
          && LARGE_EXPONENT.matcher(parser.getText()).find()) {
        throw new JsonParseException(parser, "an exponent must be less than 1,000");
      }
    } while (!parser.getParsingContext().inRoot());
    if (parser.nextToken() != null) {
      throw new JsonParseException(parser, "nothing may follow the object");
    }
  }
}
