package io.agentmemory.consolidation.schema;

import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The indexes that searches by vector use: {@value #AMONG_ALL} of revision {@code
 * consolidation_001}, and those that {@code consolidation_002} creates beside it.
 *
 * <p>An HNSW index takes one column and knows no projects: one over all rows has to pass by the
 * rows of other projects. {@value #BY_PROJECT} is over the embedding with a code of the project
 * appended to it, so that rows of one project are near each other in the graph and far from the
 * rest, while among themselves they keep the order of their cosine distance. {@value #COVER} holds
 * ids and embeddings in order of their projects and types, for searches that compare every
 * embedding of a small project, or every one of a type.
 */
public final class SearchIndexes {
  /** The revision that creates them. */
  public static final String REVISION = OwnRevisions.CONSOLIDATION_002;

  /** The name of the HNSW index that keeps projects apart. */
  public static final String BY_PROJECT = "idx_cm_embedding_project";

  /** The name of the b-tree that holds ids and embeddings by project and type. */
  public static final String COVER = "idx_cm_project_cover";

  /**
   * How many bytes of UTF-8 a project and an id may have each: two of them, an embedding and what
   * the server keeps with them must fit an entry of {@value #COVER}, or rows could not be inserted.
   */
  public static final int MAX_KEY_BYTES = 512;

  /** The name of the HNSW index of {@code consolidation_001}, over all projects. */
  public static final String AMONG_ALL = "idx_cm_embedding";

  /** The dimensions of a project's code. */
  private static final int CODE = 16;

  /** What an entry of a b-tree may have. */
  private static final int MAX_ENTRY_BYTES = 2_704;

  /**
   * The lengths in front of an entry (8 bytes), of its two texts (4 each) and of its vector (8),
   * and what else is in it: the longest type (20), the level (4) and the time (8).
   */
  private static final int HEADER_BYTES = 56;

  private SearchIndexes() {}

  /**
   * Whether there is an index that keeps projects apart: a {@code halfvec} of at most 4,000
   * dimensions must hold embedding and code.
   *
   * @param options what the schema looks like
   * @return true up to 3,984 dimensions
   */
  public static boolean keepsProjectsApart(SchemaOptions options) {
    return codedDimensions(options) <= VectorType.HALFVEC.maxDimensions();
  }

  /** How many dimensions an embedding and a code have together. */
  static int codedDimensions(SchemaOptions options) {
    return options.dimensions() + CODE;
  }

  /**
   * Whether there is a b-tree that holds the embeddings by project: an entry must hold the longest
   * project, the longest id and an embedding.
   *
   * @param options what the schema looks like
   * @return true up to 406 dimensions of {@code vector} and 812 of {@code halfvec}
   */
  public static boolean coversEmbeddings(SchemaOptions options) {
    int bytesPerNumber = options.vectorType() == VectorType.VECTOR ? Float.BYTES : Float.BYTES / 2;
    return HEADER_BYTES + 2 * MAX_KEY_BYTES + bytesPerNumber * options.dimensions()
        <= MAX_ENTRY_BYTES;
  }

  /**
   * What {@value #BY_PROJECT} is over, as SQL. Written as the server writes it back, so that it is
   * the same after a dump and a restore.
   *
   * @param options what the schema looks like
   * @param extension the quoted name of the schema that pgvector lives in
   * @return an expression over the columns {@code embedding} and {@code project_id}
   */
  public static String coded(SchemaOptions options, String extension) {
    String embedding =
        options.vectorType() == VectorType.VECTOR
            ? extension + ".l2_normalize(embedding)"
            : "(" + extension + ".l2_normalize(embedding))::" + extension + ".vector";
    return appended(options, extension, embedding, code(extension, "(project_id)::text"));
  }

  /**
   * What to compare {@link #coded} with by the negative inner product, as SQL: a query with the
   * code of its project. The code weighs eight times as much as in the index, so that a search that
   * starts among other projects goes to its own first; among the rows of the project it changes
   * nothing.
   *
   * @param options what the schema looks like
   * @param extension the quoted name of the schema that pgvector lives in
   * @param query an expression of the type {@code vector}
   * @param project an expression of the type {@code text}
   * @return an expression of the type {@code halfvec}
   */
  public static String codedQuery(
      SchemaOptions options, String extension, String query, String project) {
    return appended(
        options,
        extension,
        "%s.l2_normalize(%s)".formatted(extension, query),
        "(%s OPERATOR(%s.*) (array_fill('8'::real, ARRAY[%d]))::%s.vector)"
            .formatted(code(extension, project), extension, CODE, extension));
  }

  private static String appended(
      SchemaOptions options, String extension, String vector, String code) {
    return "((%s OPERATOR(%s.||) %s))::%s.halfvec(%d)"
        .formatted(vector, extension, code, extension, codedDimensions(options));
  }

  /**
   * A direction for each project: fifteen hashes without a mean, and a constant that is common to
   * all. Of a length of 1 in all, the hashes have about 0.55: with less, projects mix; with more,
   * the graph falls apart into islands that a search cannot reach.
   */
  private static String code(String extension, String project) {
    String hashes =
        IntStream.range(1, CODE)
            .mapToObj(seed -> "(hashtextextended(%s, (%d)::bigint))::real".formatted(project, seed))
            .collect(Collectors.joining(", "));
    return "%s.l2_normalize((ARRAY['3e+19'::real, %s])::%s.vector)"
        .formatted(extension, hashes, extension);
  }
}
