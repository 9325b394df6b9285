package io.agentmemory.consolidation.it.dao;

import static io.agentmemory.consolidation.it.dao.Samples.memory;
import static org.assertj.core.api.Assertions.assertThat;

import io.agentmemory.consolidation.dao.AbstractionLevel;
import io.agentmemory.consolidation.dao.ConsolidatedMemory;
import io.agentmemory.consolidation.dao.MemoryFilter;
import io.agentmemory.consolidation.dao.MemoryType;
import io.agentmemory.consolidation.dao.NewMemory;
import io.agentmemory.consolidation.dao.OnLineage;
import io.agentmemory.consolidation.dao.Page;
import io.agentmemory.consolidation.dao.PageRequest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class MemoryListTest {
  @RegisterExtension final TestDatabase database = TestDatabase.withDimensions(3);

  private static final Instant START = Instant.parse("2024-01-01T00:00:00Z");

  private static final List<MemoryType> TYPES =
      List.of(
          MemoryType.ERROR_FIX,
          MemoryType.DISCOVERY,
          MemoryType.DECISION,
          MemoryType.LEARNING,
          MemoryType.WARNING,
          MemoryType.CODEBASE_KNOWLEDGE);

  private void fill(int rows) {
    List<NewMemory> memories = new ArrayList<>();
    for (int i = 0; i < rows; i++) {
      memories.add(
          NewMemory.builder(
                  "p", TYPES.get(i % 6), AbstractionLevel.of(i % 3 + 1), "memory number " + i)
              .id("m%03d".formatted(i))
              .tags("t" + i % 5, "even" + i % 2)
              .patternType(i % 4 == 0 ? null : "pattern" + i % 4)
              .confidence(i % 10 == 0 ? null : i % 10 / 10.0)
              .createdAt(START.plusSeconds(i / 2))
              .consolidatedAt(START.plusSeconds(i))
              .build());
      memories.add(memory("q", "in the way").id("m%03dq".formatted(i)).build());
    }
    database.memories().insertAll(memories);
  }

  private List<List<String>> pages(MemoryFilter filter, int size) {
    List<List<String>> pages = new ArrayList<>();
    PageRequest next = PageRequest.first(size);
    while (next != null) {
      Page<ConsolidatedMemory> page = database.memories().list("p", filter, next);
      pages.add(page.items().stream().map(ConsolidatedMemory::id).toList());
      next = page.next();
    }
    return pages;
  }

  private List<Integer> numbers(MemoryFilter filter) {
    return pages(filter, 7).stream()
        .flatMap(List::stream)
        .map(id -> Integer.valueOf(id.substring(1)))
        .toList();
  }

  @Test
  void pages_hold_every_memory_once_the_newest_first_and_the_last_one_knows_that_it_is() {
    fill(10);
    assertThat(pages(MemoryFilter.none(), 5))
        .containsExactly(
            List.of("m009", "m008", "m007", "m006", "m005"),
            List.of("m004", "m003", "m002", "m001", "m000"));
    assertThat(pages(MemoryFilter.none(), 4)).extracting(List::size).containsExactly(4, 4, 2);
    assertThat(pages(MemoryFilter.none(), 100)).hasSize(1);
    assertThat(database.memories().list("nobody", MemoryFilter.none(), PageRequest.first(3)))
        .isEqualTo(new Page<>(List.of(), null));
  }

  @Test
  void what_comes_and_goes_between_pages_neither_shifts_nor_repeats_the_rest() {
    fill(6);
    Page<ConsolidatedMemory> first =
        database.memories().list("p", MemoryFilter.none(), PageRequest.first(3));
    database.memories().delete("p", "m004", OnLineage.REFUSE);
    database.memories().delete("p", "m003", OnLineage.REFUSE);
    database.memories().insert(memory("p", "newer").id("new").build());
    Page<ConsolidatedMemory> second =
        database.memories().list("p", MemoryFilter.none(), first.next());
    assertThat(second.items())
        .extracting(ConsolidatedMemory::id)
        .containsExactly("m002", "m001", "m000");
  }

  @Test
  void filters_let_through_what_they_say() {
    fill(60);
    MemoryFilter none = MemoryFilter.none();
    assertThat(numbers(none)).hasSize(60);
    assertThat(numbers(none.types(MemoryType.DECISION, MemoryType.WARNING)))
        .hasSize(20)
        .allMatch(i -> i % 6 == 2 || i % 6 == 4);
    assertThat(numbers(none.levels(AbstractionLevel.GENERALIZED)))
        .hasSize(20)
        .allMatch(i -> i % 3 == 1);
    assertThat(numbers(none.anyTag(List.of("t1", "t2")))).hasSize(24);
    assertThat(numbers(none.allTags(List.of("t1", "even0"))))
        .hasSize(6)
        .allMatch(i -> i % 5 == 1 && i % 2 == 0);
    assertThat(numbers(none.patternTypes(List.of("pattern1", "pattern3"))))
        .hasSize(30)
        .allMatch(i -> i % 2 == 1);
    assertThat(none.anyTag("t1", "t2")).isEqualTo(none.anyTag(List.of("t1", "t2")));
    assertThat(none.allTags("t1", "even0")).isEqualTo(none.allTags(List.of("t1", "even0")));
    assertThat(none.patternTypes("a", "b")).isEqualTo(none.patternTypes(List.of("a", "b")));
    assertThat(numbers(none.minConfidence(0.8))).hasSize(12).allMatch(i -> i % 10 >= 8);
    assertThat(numbers(none.from(START.plusSeconds(10)).to(START.plusSeconds(13))))
        .containsExactly(12, 11, 10);
    assertThat(
            numbers(
                none.types(MemoryType.DISCOVERY)
                    .levels(AbstractionLevel.GENERALIZED)
                    .anyTag(List.of("t2"))
                    .allTags(List.of("even1"))
                    .patternTypes(List.of("pattern3"))
                    .minConfidence(0.5)
                    .from(START)
                    .to(START.plusSeconds(60))))
        .containsExactly(7);
  }
}
