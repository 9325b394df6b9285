package io.agentmemory.consolidation.it.dao;

import static org.assertj.core.api.Assertions.assertThat;

import io.agentmemory.consolidation.dao.ConsolidatedMemoryDao;
import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.SearchResult;
import io.agentmemory.consolidation.dao.TextHit;
import io.agentmemory.consolidation.dao.TextQuery;
import io.agentmemory.consolidation.dao.WordMatch;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** How often words are counted, and what becomes of searches where they cannot be. */
class WordCountsTest {
  private static final TextQuery WORDS =
      TextQuery.of("word7 word30", 10).withMatch(WordMatch.ANY_WORD);

  @RegisterExtension
  static final TestDatabase database =
      TestDatabase.withDimensions(3)
          .filledBy(
              """
              insert into consolidated_memories (id, project_id, content, memory_type,
                abstraction_level, source_memory_ids, created_at, updated_at, consolidated_at,
                source_count)
              select 'm' || i, 'p', 'word' || i % 50, 'decision', 1, '{}', now(), now(), now(), 0
              from generate_series(1, 3000) as i;
              """);

  /** Connections of a pool that count how often words are. */
  private static final class Counting {
    final AtomicInteger counts = new AtomicInteger();

    DataSource over(DataSource source) {
      return proxy(DataSource.class, source);
    }

    private <T> T proxy(Class<T> type, Object target) {
      return type.cast(
          Proxy.newProxyInstance(
              type.getClassLoader(),
              new Class<?>[] {type},
              (self, method, arguments) -> {
                if (method.getName().equals("prepareStatement")
                    && ((String) arguments[0]).contains("ts_stat")) {
                  counts.incrementAndGet();
                }
                try {
                  Object result = method.invoke(target, arguments);
                  return method.getName().equals("getConnection")
                      ? proxy(Connection.class, result)
                      : result;
                } catch (InvocationTargetException e) {
                  throw e.getCause();
                }
              }));
    }
  }

  @Test
  void threads_that_search_at_once_have_the_words_counted_once() throws Exception {
    Counting counting = new Counting();
    Consolidation consolidation =
        Consolidation.on(counting.over(database.pool()), database.options());
    List<Object> found =
        Race.of(4, worker -> consolidation.memories().searchByText("p", WORDS).hits().size());
    assertThat(found).containsOnly(10);
    assertThat(counting.counts).hasValue(1);
  }

  @Test
  void searches_go_on_with_old_counts_where_words_cannot_be_counted_again() throws SQLException {
    Counting counting = new Counting();
    DataSource reader = counting.over(database.dataSource("-c role=pg_read_all_data"));
    ConsolidatedMemoryDao memories = Consolidation.on(reader, database.options()).memories();
    SearchResult<TextHit> found = memories.searchByText("p", WORDS);
    assertThat(found.hits()).hasSize(10);
    database.execute("revoke execute on function ts_stat(text) from public");
    try {
      long end = System.nanoTime() + Duration.ofMinutes(2).toNanos();
      while (counting.counts.get() < 2 && System.nanoTime() < end) {
        assertThat(memories.searchByText("p", WORDS)).isEqualTo(found);
      }
      assertThat(memories.searchByText("p", WORDS)).isEqualTo(found);
      assertThat(counting.counts).hasValue(2);
    } finally {
      database.execute("grant execute on function ts_stat(text) to public");
    }
  }
}
