package io.agentmemory.consolidation.quickstart;

import com.github.freva.asciitable.AsciiTable;
import com.github.freva.asciitable.Column;
import com.github.freva.asciitable.ColumnData;
import com.github.freva.asciitable.HorizontalAlign;
import com.github.freva.asciitable.OverflowBehaviour;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Stream;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/**
 * Where the quickstart prints text, tables and progress bars; in ASCII where that is all there is.
 */
final class Screen {
  private static final int BAR_WIDTH = 90;
  private static final int QUOTE_WIDTH = 100;
  private static final String BOX = "┌─┬┐│││├─┼┤│││%s├─┼┤│││└─┴┘";
  private static final Character[] PLAIN = border(BOX.formatted("    "));
  private static final Character[] RULED = border(BOX.formatted("├─┼┤"));

  private final PrintStream out;
  private final PrintStream errors;
  private final boolean unicode;

  private Screen(PrintStream out, PrintStream errors, boolean unicode) {
    this.out = out;
    this.errors = errors;
    this.unicode = unicode;
  }

  /** The terminal, in the encoding that Java has found out. */
  static Screen terminal() {
    String name =
        Objects.requireNonNullElse(
            System.getProperty("stdout.encoding"),
            Objects.requireNonNullElse(
                System.getProperty("sun.stdout.encoding"), Charset.defaultCharset().name()));
    boolean unicode = Charset.forName(name).newEncoder().canEncode(BOX);
    return new Screen(System.out, System.err, unicode);
  }

  /** A stream, in Unicode, without progress bars. */
  static Screen of(PrintStream out) {
    return new Screen(out, new PrintStream(OutputStream.nullOutputStream()), true);
  }

  private static Character[] border(String characters) {
    return characters.chars().mapToObj(c -> c == ' ' ? null : (char) c).toArray(Character[]::new);
  }

  void say(String text) {
    out.println(text);
  }

  /** Says what has gone wrong. */
  void complain(String text) {
    errors.println(text);
  }

  /** A heading of a step. */
  void heading(String text) {
    out.println();
    out.println(text);
    out.println((unicode ? "─" : "-").repeat(text.length()));
  }

  /** A text of several lines, set in and wrapped. */
  void quote(String text) {
    text.lines().flatMap(Screen::wrap).forEach(line -> out.println("  " + line));
  }

  private static Stream<String> wrap(String line) {
    Stream.Builder<String> lines = Stream.builder();
    StringBuilder current = new StringBuilder();
    for (String word : line.split(" ", -1)) {
      if (!current.isEmpty() && current.length() + 1 + word.length() > QUOTE_WIDTH) {
        lines.add(current.toString());
        current.setLength(0);
      }
      current.append(current.isEmpty() ? "" : " ").append(word);
    }
    return lines.add(current.toString()).build();
  }

  ProgressBar progress(String task, int steps) {
    return new ProgressBarBuilder()
        .setTaskName(task)
        .setInitialMax(steps)
        .setStyle(unicode ? ProgressBarStyle.UNICODE_BLOCK : ProgressBarStyle.ASCII)
        .setConsumer(new ConsoleProgressBarConsumer(errors, BAR_WIDTH))
        .setUpdateIntervalMillis(200)
        .build();
  }

  /** One line a row; texts that do not fit are cut. */
  <T> void table(Collection<T> rows, List<ColumnData<T>> columns) {
    print(unicode ? PLAIN : AsciiTable.BASIC_ASCII_NO_DATA_SEPARATORS, rows, columns);
  }

  /** Rows of several lines with rules between them. */
  <T> void ruledTable(Collection<T> rows, List<ColumnData<T>> columns) {
    print(unicode ? RULED : AsciiTable.BASIC_ASCII, rows, columns);
  }

  private <T> void print(Character[] border, Collection<T> rows, List<ColumnData<T>> columns) {
    out.println(AsciiTable.builder().border(border).data(rows, columns).asString());
  }

  <T> ColumnData<T> text(String header, int width, Function<T, String> value) {
    return left(header)
        .maxWidth(width, unicode ? OverflowBehaviour.ELLIPSIS_RIGHT : OverflowBehaviour.CLIP_RIGHT)
        .with(value);
  }

  <T> ColumnData<T> wrapped(String header, int width, Function<T, String> value) {
    return left(header).maxWidth(width, OverflowBehaviour.NEWLINE).with(value);
  }

  <T> ColumnData<T> number(String header, Function<T, String> value) {
    return new Column()
        .header(header)
        .headerAlign(HorizontalAlign.RIGHT)
        .dataAlign(HorizontalAlign.RIGHT)
        .with(value);
  }

  private static Column left(String header) {
    return new Column()
        .header(header)
        .headerAlign(HorizontalAlign.LEFT)
        .dataAlign(HorizontalAlign.LEFT);
  }
}
