package io.agentmemory.consolidation.ddl;

/** How an index is kept. */
public enum IndexMethod {
  /** Sorted: equality, ranges and order. */
  BTREE,
  /** Inverted: the elements of arrays, the lexemes of texts. */
  GIN,
  /** pgvector's graph: the nearest vectors, approximately. */
  HNSW
}
