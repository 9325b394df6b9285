package io.agentmemory.consolidation.it.dao;

import static io.agentmemory.consolidation.it.dao.Samples.embedding;
import static io.agentmemory.consolidation.it.dao.Samples.memory;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.agentmemory.consolidation.dao.AbstractionLevel;
import io.agentmemory.consolidation.dao.ConsolidatedMemoryDao;
import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.Embedding;
import io.agentmemory.consolidation.dao.FusedQuery;
import io.agentmemory.consolidation.dao.InvalidInputException;
import io.agentmemory.consolidation.dao.MemoryFilter;
import io.agentmemory.consolidation.dao.MemoryType;
import io.agentmemory.consolidation.dao.MemoryUpdate;
import io.agentmemory.consolidation.dao.NewMemory;
import io.agentmemory.consolidation.dao.OnLineage;
import io.agentmemory.consolidation.dao.PageRequest;
import io.agentmemory.consolidation.dao.TextQuery;
import io.agentmemory.consolidation.dao.VectorQuery;
import io.agentmemory.consolidation.schema.SchemaOptions;
import io.agentmemory.consolidation.schema.VectorType;
import java.time.Instant;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.postgresql.ds.PGSimpleDataSource;

/** What is refused before anything is sent: there is no server behind these data sources. */
class InputChecksTest {
  private static final Embedding GOOD = embedding(3, 1);
  private static final String LONG_ID = "é".repeat(513);
  private static final MemoryFilter NONE = MemoryFilter.none();

  private static ConsolidatedMemoryDao memories(VectorType type) {
    PGSimpleDataSource nowhere = new PGSimpleDataSource();
    nowhere.setUrl("jdbc:postgresql://localhost:1/nowhere");
    return Consolidation.on(nowhere, SchemaOptions.builder().dimensions(3).vectorType(type).build())
        .memories();
  }

  private static final ConsolidatedMemoryDao MEMORIES = memories(VectorType.VECTOR);
  private static final ConsolidatedMemoryDao HALVES = memories(VectorType.HALFVEC);

  private static Named<ThrowingCallable> refused(String what, ThrowingCallable call) {
    return Named.of(what, call);
  }

  private static NewMemory.Builder good() {
    return memory("p", "text");
  }

  private static List<String> names(int count) {
    return IntStream.range(0, count).mapToObj(i -> "name" + i).toList();
  }

  private static void insert(NewMemory.Builder memory) {
    MEMORIES.insert(memory.build());
  }

  static Stream<Named<ThrowingCallable>> embeddings() {
    Embedding four = embedding(4, 1);
    return Stream.of(
        refused("empty", () -> Embedding.of(new float[0])),
        refused("null", () -> Embedding.of((float[]) null)),
        refused("NaN", () -> Embedding.of(1, Float.NaN)),
        refused("infinite", () -> Embedding.of(1, Float.POSITIVE_INFINITY)),
        refused("infinite as a float", () -> Embedding.of(new double[] {1, 1e300})),
        refused("zero", () -> Embedding.of(0, -0f)),
        refused("zero as a float", () -> Embedding.of(new double[] {0, 1e-300})),
        refused("too short for single precision", () -> Embedding.of(1e-30f, 0)),
        refused("too long for single precision", () -> Embedding.of(1e30f, 0)),
        refused("insert: dimensions", () -> insert(good().embedding(four))),
        refused(
            "insertAll: dimensions",
            () -> MEMORIES.insertAll(List.of(good().build(), good().embedding(four).build()))),
        refused(
            "update: dimensions",
            () ->
                MEMORIES.update(
                    "p", "x", MemoryUpdate.builder().embedding(four).build(), Instant.EPOCH)),
        refused("search: dimensions", () -> MEMORIES.searchByVector("p", VectorQuery.of(four, 1))),
        refused("fused: dimensions", () -> MEMORIES.searchFused("p", FusedQuery.of("x", four, 1))),
        refused(
            "zero in half precision",
            () -> HALVES.insert(good().embedding(Embedding.of(2e-8f, 0, -1e-8f)).build())),
        refused(
            "infinite in half precision",
            () -> HALVES.insert(good().embedding(Embedding.of(65520, 1, 1)).build())),
        refused(
            "query infinite in half precision",
            () -> HALVES.searchByVector("p", VectorQuery.of(Embedding.of(1e6f, 1, 1), 1))));
  }

  static Stream<Named<ThrowingCallable>> texts() {
    return Stream.of(
        refused("U+0000 in content", () -> insert(memory("p", "a\0b"))),
        refused("lone surrogate in content", () -> insert(memory("p", "a\ud800b"))),
        refused("U+0000 in id", () -> insert(good().id("a\0"))),
        refused("U+0000 in project", () -> insert(memory("p\0", "text"))),
        refused("U+0000 in tag", () -> insert(good().tags("ok", "\0"))),
        refused("U+0000 in pattern", () -> insert(good().patternType("\0"))),
        refused("U+0000 in method", () -> insert(good().consolidationMethod("\0"))),
        refused("U+0000 in source", () -> insert(good().sourceMemoryIds(List.of("\0")))),
        refused("U+0000 in query", () -> TextQuery.of("a\0", 1)),
        refused("lone surrogate in query", () -> TextQuery.of("a\udc00", 1)),
        refused("U+0000 in filter", () -> NONE.anyTag(List.of("\0"))),
        refused("U+0000 in page", () -> new PageRequest(1, "\0")),
        refused(
            "U+0000 in project of a search",
            () -> MEMORIES.searchByText("\0", TextQuery.of("x", 1))),
        refused("empty id", () -> insert(good().id(""))),
        refused("empty project", () -> insert(memory("", "text"))),
        refused("long id", () -> insert(good().id(LONG_ID))),
        refused("long project", () -> insert(memory(LONG_ID, "text"))),
        refused("long source", () -> insert(good().sourceMemoryIds(List.of(LONG_ID)))),
        refused("long project of find", () -> MEMORIES.find(LONG_ID, "x")),
        refused("long id of find", () -> MEMORIES.find("p", LONG_ID)),
        refused("long tag", () -> insert(good().tags("t".repeat(51)))),
        refused("many tags", () -> good().tags(names(10_001))),
        refused("many tags of an update", () -> MemoryUpdate.builder().tags(names(10_001))),
        refused("many sources", () -> good().sourceMemoryIds(names(10_001))),
        refused("many tags of a filter", () -> NONE.anyTag(names(10_001))),
        refused("many tags that a filter wants all", () -> NONE.allTags(names(10_001))),
        refused("many patterns of a filter", () -> NONE.patternTypes(names(10_001))),
        refused("long tag of update", () -> MemoryUpdate.builder().tags(List.of("t".repeat(51)))),
        refused("long pattern", () -> insert(good().patternType("t".repeat(51)))),
        refused("long method", () -> insert(good().consolidationMethod("t".repeat(101)))),
        refused("long content", () -> insert(memory("p", "x".repeat((16 << 20) + 1)))),
        refused("empty query", () -> TextQuery.of("", 1)),
        refused("blank query", () -> TextQuery.of(" \n\t\u2003", 1)),
        refused("empty fused query", () -> FusedQuery.of(" ", GOOD, 1)),
        refused("long query", () -> TextQuery.of("x ".repeat(20_000), 1)));
  }

  static Stream<Named<ThrowingCallable>> values() {
    VectorQuery query = VectorQuery.of(GOOD, 1);
    return Stream.of(
        refused("unknown type", () -> insert(type(MemoryType.UNKNOWN))),
        refused("unknown type of update", () -> MemoryUpdate.builder().type(MemoryType.UNKNOWN)),
        refused("unknown type of filter", () -> NONE.types(MemoryType.UNKNOWN)),
        refused("level", () -> AbstractionLevel.of(4)),
        refused("confidence NaN", () -> insert(good().confidence(Double.NaN))),
        refused("confidence over 1", () -> insert(good().confidence(1.01))),
        refused("confidence of update", () -> MemoryUpdate.builder().confidence(-0.1)),
        refused("confidence of filter", () -> NONE.minConfidence(-0.1)),
        refused("reuse count", () -> insert(good().reuseCount(-1))),
        refused("time", () -> insert(good().createdAt(Instant.MAX))),
        refused("time of filter", () -> NONE.from(Instant.MIN)),
        refused(
            "time of update",
            () ->
                MEMORIES.update(
                    "p", "x", MemoryUpdate.builder().confidence(1.0).build(), Instant.MAX)),
        refused("limit 0", () -> VectorQuery.of(GOOD, 0)),
        refused("limit 10,001", () -> VectorQuery.of(GOOD, 10_001)),
        refused("text limit 0", () -> TextQuery.of("x", 0)),
        refused("fused limit -1", () -> FusedQuery.of("x", GOOD, -1)),
        refused("depth", () -> FusedQuery.of("x", GOOD, 10).withDepth(9)),
        refused("weight", () -> FusedQuery.of("x", GOOD, 10).withTextWeight(1.5)),
        refused("page size", () -> PageRequest.first(0)),
        refused("batch size", () -> MEMORIES.deleteProject("p", 0)),
        refused("nothing to update", () -> MemoryUpdate.builder().build()),
        refused(
            "too many ids",
            () ->
                MEMORIES.findAll(
                    "p", Stream.iterate(0, i -> i + 1).limit(10_001).map(i -> "m" + i).toList())),
        refused("filter of null", () -> query.withFilter(null)));
  }

  private static NewMemory.Builder type(MemoryType type) {
    return NewMemory.builder("p", type, AbstractionLevel.CONCRETE, "text");
  }

  static Stream<Named<ThrowingCallable>> nulls() {
    MemoryUpdate update = MemoryUpdate.builder().confidence(1.0).build();
    PageRequest page = PageRequest.first(1);
    return Stream.of(
        refused("memory", () -> MEMORIES.insert(null)),
        refused("memories", () -> MEMORIES.insertAll(null)),
        refused("one memory", () -> MEMORIES.insertAll(Collections.singletonList(null))),
        refused("project", () -> insert(memory(null, "text"))),
        refused("content", () -> insert(memory("p", null))),
        refused("type", () -> insert(type(null))),
        refused("level", () -> NewMemory.builder("p", MemoryType.DECISION, null, "x").build()),
        refused("tags", () -> good().tags((String[]) null)),
        refused("tag", () -> insert(good().tags(Arrays.asList("a", null)))),
        refused("source", () -> insert(good().sourceMemoryIds(Arrays.asList("a", null)))),
        refused("find project", () -> MEMORIES.find(null, "x")),
        refused("find id", () -> MEMORIES.find("p", null)),
        refused("findAll ids", () -> MEMORIES.findAll("p", null)),
        refused("findAll id", () -> MEMORIES.findAll("p", Collections.singletonList(null))),
        refused("list filter", () -> MEMORIES.list("p", null, page)),
        refused("list page", () -> MEMORIES.list("p", NONE, null)),
        refused("update changes", () -> MEMORIES.update("p", "x", null, Instant.EPOCH)),
        refused("update expectation", () -> MEMORIES.update("p", "x", update, null)),
        refused("update content", () -> MemoryUpdate.builder().content(null, null)),
        refused("update type", () -> MemoryUpdate.builder().type(null)),
        refused("delete lineage", () -> MEMORIES.delete("p", "x", null)),
        refused("delete project", () -> MEMORIES.delete(null, "x", OnLineage.REFUSE)),
        refused("query", () -> MEMORIES.searchByVector("p", null)),
        refused("text query", () -> MEMORIES.searchByText("p", null)),
        refused("fused query", () -> MEMORIES.searchFused("p", null)),
        refused("embedding to compare with", () -> GOOD.cosineSimilarity(null)),
        refused("embedding of query", () -> VectorQuery.of(null, 1)),
        refused("text of query", () -> TextQuery.of(null, 1)),
        refused("match of query", () -> TextQuery.of("x", 1).withMatch(null)),
        refused("filter types", () -> NONE.types((MemoryType[]) null)),
        refused("filter type", () -> NONE.types((MemoryType) null)),
        refused("filter level", () -> NONE.levels((AbstractionLevel) null)),
        refused("filter tags", () -> NONE.allTags((String[]) null)),
        refused("filter collection", () -> NONE.anyTag((Collection<String>) null)),
        refused("filter pattern", () -> NONE.patternTypes("a", null)),
        refused("effort", () -> FusedQuery.of("x", GOOD, 1).withEffort(null)));
  }

  @ParameterizedTest
  @MethodSource({"embeddings", "texts", "values", "nulls"})
  void is_refused(ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOf(InvalidInputException.class).hasMessageMatching(".+");
  }
}
