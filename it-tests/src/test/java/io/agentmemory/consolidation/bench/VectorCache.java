package io.agentmemory.consolidation.bench;

import dev.langchain4j.model.embedding.onnx.allminilml6v2q.AllMiniLmL6V2QuantizedEmbeddingModel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

/**
 * Embeddings by the model all-MiniLM-L6-v2 (quantised), kept on disk: a file of one text a line,
 * and one of its vectors in the same order, little-endian floats.
 */
final class VectorCache {
  static final String MODEL = "all-MiniLM-L6-v2 (quantised)";
  static final int DIMENSIONS = 384;

  private final Path folder;
  private final Log log;

  VectorCache(Path folder, Log log) {
    this.folder = folder;
    this.log = log;
  }

  /** The texts kept under a name; empty where none are. */
  List<String> texts(String textFile) throws IOException {
    Path file = folder.resolve(textFile);
    return Files.exists(file) ? Files.readAllLines(file) : List.of();
  }

  /** The embeddings of the texts, from the disk where it has these very texts. */
  float[][] embed(String textFile, String vectorFile, List<String> texts) throws Exception {
    List<String> lines = texts.stream().map(text -> text.replaceAll("\\R", " ")).toList();
    List<String> kept = texts(textFile);
    Path vectors = folder.resolve(vectorFile);
    if (kept.size() >= lines.size()
        && kept.subList(0, lines.size()).equals(lines)
        && Files.exists(vectors)
        && Files.size(vectors) >= 4L * DIMENSIONS * lines.size()) {
      return read(vectors, lines.size());
    }
    float[][] embedded = compute(lines);
    Files.createDirectories(folder);
    write(vectors, embedded);
    Files.write(folder.resolve(textFile), lines);
    return embedded;
  }

  private float[][] compute(List<String> texts) throws InterruptedException {
    int threads = Runtime.getRuntime().availableProcessors();
    ExecutorService executor = Executors.newFixedThreadPool(threads);
    try {
      var model = new AllMiniLmL6V2QuantizedEmbeddingModel(executor);
      float[][] vectors = new float[texts.size()][];
      AtomicInteger next = new AtomicInteger();
      List<Thread> workers =
          IntStream.range(0, threads)
              .mapToObj(
                  worker ->
                      new Thread(
                          () -> {
                            for (int i = next.getAndIncrement();
                                i < vectors.length;
                                i = next.getAndIncrement()) {
                              vectors[i] =
                                  Vectors.normalised(model.embed(texts.get(i)).content().vector());
                              if (i % 10_000 == 0) {
                                log.say("embedding " + i + " of " + vectors.length);
                              }
                            }
                          }))
              .toList();
      workers.forEach(Thread::start);
      for (Thread worker : workers) {
        worker.join();
      }
      return vectors;
    } finally {
      executor.shutdown();
    }
  }

  private static float[][] read(Path file, int count) throws IOException {
    float[][] vectors = new float[count][];
    ByteBuffer row = ByteBuffer.allocate(4 * DIMENSIONS).order(ByteOrder.LITTLE_ENDIAN);
    try (FileChannel channel = FileChannel.open(file)) {
      ByteBuffer bytes =
          channel
              .map(FileChannel.MapMode.READ_ONLY, 0, (long) count * row.capacity())
              .order(ByteOrder.LITTLE_ENDIAN);
      FloatBuffer floats = bytes.asFloatBuffer();
      for (int i = 0; i < count; i++) {
        float[] vector = new float[DIMENSIONS];
        floats.get(vector);
        vectors[i] = Vectors.normalised(vector);
      }
    }
    return vectors;
  }

  private static void write(Path file, float[][] vectors) throws IOException {
    ByteBuffer bytes =
        ByteBuffer.allocate(4 * DIMENSIONS * vectors.length).order(ByteOrder.LITTLE_ENDIAN);
    for (float[] vector : vectors) {
      for (float value : vector) {
        bytes.putFloat(value);
      }
    }
    bytes.flip();
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    }
  }
}
