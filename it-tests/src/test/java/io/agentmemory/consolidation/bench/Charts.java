package io.agentmemory.consolidation.bench;

import java.awt.BasicStroke;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.BitmapEncoder.BitmapFormat;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.internal.chartpart.Chart;
import org.knowm.xchart.style.Styler.ChartTheme;
import org.knowm.xchart.style.Styler.LegendPosition;

/** The charts of the report, as PNG files of twice the size they are shown in. */
final class Charts {
  private static final int WIDTH = 900;
  private static final int HEIGHT = 480;

  /** Dots per inch; a chart's own unit is a 72nd of one. */
  private static final int RESOLUTION = 144;

  private final Path folder;

  Charts(Path folder) {
    this.folder = folder;
  }

  /** Lines over the size of the project; both axes logarithmic if the values are times. */
  String lines(
      String file,
      String title,
      String unit,
      boolean logarithmic,
      List<Integer> sizes,
      Map<String, List<Double>> series)
      throws IOException {
    XYChart chart =
        new XYChartBuilder()
            .width(WIDTH)
            .height(HEIGHT)
            .theme(ChartTheme.Matlab)
            .title(title)
            .xAxisTitle("rows in the project")
            .yAxisTitle(unit)
            .build();
    chart
        .getStyler()
        .setXAxisLogarithmic(true)
        .setYAxisLogarithmic(logarithmic)
        .setLegendPosition(LegendPosition.OutsideE)
        .setMarkerSize(6);
    if (!logarithmic) {
      chart.getStyler().setYAxisMin(0.0);
    }
    series.forEach(
        (name, values) ->
            chart
                .addSeries(name, sizes.stream().map(Integer::doubleValue).toList(), values)
                .setLineStyle(new BasicStroke(1.6f)));
    return save(chart, file);
  }

  /** One bar for each name. */
  String bars(String file, String title, String unit, Map<String, Double> values)
      throws IOException {
    CategoryChart chart =
        new CategoryChartBuilder()
            .width(WIDTH)
            .height(HEIGHT)
            .theme(ChartTheme.Matlab)
            .title(title)
            .yAxisTitle(unit)
            .build();
    chart.getStyler().setXAxisLabelRotation(20).setYAxisMin(0.0);
    chart.getStyler().setLabelsVisible(true).setLegendVisible(false);
    chart.addSeries(
        unit, List.copyOf(values.keySet()), values.values().stream().map(Math::round).toList());
    return save(chart, file);
  }

  private String save(Chart<?, ?> chart, String name) throws IOException {
    Files.createDirectories(folder);
    BitmapEncoder.saveBitmapWithDPI(
        chart, folder.resolve(name).toString(), BitmapFormat.PNG, RESOLUTION);
    return name + ".png";
  }
}
