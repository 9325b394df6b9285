package io.agentmemory.consolidation.it.dao;

import static io.agentmemory.consolidation.it.dao.Samples.embedding;
import static io.agentmemory.consolidation.it.dao.Samples.memory;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.agentmemory.consolidation.dao.ConsolidatedMemory;
import io.agentmemory.consolidation.dao.ConsolidatedMemoryDao;
import io.agentmemory.consolidation.dao.InvalidInputException;
import io.agentmemory.consolidation.dao.LoadOptions;
import io.agentmemory.consolidation.dao.LoadResult;
import io.agentmemory.consolidation.dao.NewMemory;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Iterator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class ExportTest {
  @RegisterExtension final TestDatabase from = TestDatabase.withDimensions(3);
  @RegisterExtension final TestDatabase to = TestDatabase.withDimensions(3);

  @BeforeEach
  void fill() {
    Iterator<NewMemory> memories =
        IntStream.range(0, 2_200)
            .mapToObj(
                i ->
                    memory(i % 2 == 0 ? "p" : "q", "content '\\N' 🐘 " + i)
                        .embedding(i % 3 == 0 ? null : embedding(3, i))
                        .tags("t" + i, "\"{}")
                        .sourceMemoryIds(List.of("s" + i))
                        .confidence(i / 2_200.0)
                        .reuseCount(i)
                        .build())
            .iterator();
    from.memories().load(memories, LoadOptions.defaults());
  }

  private static List<ConsolidatedMemory> all(ConsolidatedMemoryDao memories) {
    return memories.export("p", Stream::toList);
  }

  @Test
  void what_is_exported_loads_as_it_was() {
    LoadResult result =
        from.memories()
            .export(
                "p",
                all ->
                    to.memories()
                        .load(all.map(NewMemory::copyOf).iterator(), LoadOptions.defaults()));
    assertThat(result.inserted()).isEqualTo(1_100);
    assertThat(all(to.memories())).containsExactlyInAnyOrderElementsOf(all(from.memories()));
    assertThat(all(to.memories())).allMatch(memory -> memory.projectId().equals("p"));
  }

  @Test
  void the_connection_goes_back_whatever_the_reader_does() throws SQLException {
    for (int i = 0; i < 10; i++) {
      assertThat(from.memories().<Long>export("p", all -> all.limit(3).count())).isEqualTo(3);
      assertThatThrownBy(
              () ->
                  from.memories()
                      .export(
                          "p",
                          all -> {
                            throw new IllegalStateException("reader");
                          }))
          .isInstanceOf(IllegalStateException.class);
    }
    Iterator<ConsolidatedMemory> escaped =
        from.memories().<Iterator<ConsolidatedMemory>>export("p", Stream::iterator);
    assertThat(escaped.hasNext()).isFalse();
    assertThat(from.value("select count(*) from pg_cursors where name <> ''")).isEqualTo("0");
  }

  @Test
  void a_joined_read_only_transaction_is_enough_and_autocommit_is_not() throws SQLException {
    try (Connection connection = from.connect("")) {
      ConsolidatedMemoryDao joined = from.consolidation().joining(connection).memories();
      assertThatThrownBy(() -> all(joined)).isInstanceOf(InvalidInputException.class);
      connection.setReadOnly(true);
      connection.setAutoCommit(false);
      assertThat(all(joined)).hasSize(1_100);
      connection.rollback();
    }
  }
}
