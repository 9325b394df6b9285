package io.agentmemory.consolidation.bench;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;

/** A table of a Markdown report. */
final class Table {
  private final int columns;
  private final StringBuilder text = new StringBuilder();
  private boolean empty = true;

  Table(String... headers) {
    columns = headers.length;
    line(List.of(headers));
    line(Collections.nCopies(columns, "---"));
  }

  private void line(List<String> cells) {
    text.append(cells.stream().collect(Collectors.joining(" | ", "| ", " |\n")));
  }

  Table row(Object... cells) {
    if (cells.length != columns) {
      throw new IllegalArgumentException(cells.length + " cells in a table of " + columns);
    }
    List<String> texts = new ArrayList<>();
    for (Object cell : cells) {
      texts.add(cell instanceof Double number ? Spread.number(number) : Objects.toString(cell));
    }
    empty = false;
    line(texts);
    return this;
  }

  boolean isEmpty() {
    return empty;
  }

  String markdown() {
    return text.toString();
  }
}
