package io.agentmemory.consolidation.quickstart;

import static org.assertj.core.api.Assertions.assertThat;

import io.agentmemory.consolidation.dao.Embedding;
import io.agentmemory.consolidation.dao.MemoryType;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class DigestTest {
  private static final Note REDIS =
      note("a", "Sessions live in Redis.", MemoryType.DECISION, "2025-01-02", 1, 0);
  private static final Note LOST =
      note(
          "b",
          "Sessions in Redis were lost. The failover drops the newest writes.",
          MemoryType.WARNING,
          "2025-02-03",
          1,
          0.2f);
  private static final Note POSTGRES =
      note("c", "Sessions live in PostgreSQL.", MemoryType.DECISION, "2025-03-04", 1, 0.5f);
  private static final List<Note> GROUP = List.of(POSTGRES, REDIS, LOST);

  @Test
  void theNoteNearestToAllSpeaksAndTheOthersAddWhatIsNew() {
    assertThat(Digest.of(GROUP, GROUP).content())
        .isEqualTo(
            """
            Sessions in Redis were lost. The failover drops the newest writes.
            Noted 3 times from 2025-01-02 to 2025-03-04; this is the note of 2025-02-03.
            2025-03-04: Sessions live in PostgreSQL.""");
  }

  @Test
  void typeSourcesTagsAndLikenessComeFromTheGroup() {
    Digest digest = Digest.of(GROUP, GROUP);

    assertThat(digest.type()).isEqualTo(MemoryType.DECISION);
    assertThat(digest.sources()).containsExactly("a", "b", "c");
    assertThat(digest.tags()).containsExactlyInAnyOrder("redis", "sessions", "live");
    assertThat(digest.likeness()).isBetween(0.9, 1.0);
  }

  @Test
  void theOrderOfTheNotesDoesNotMatter() {
    Digest digest = Digest.of(List.of(REDIS, LOST), List.of(LOST, REDIS));

    assertThat(digest).isEqualTo(Digest.of(List.of(LOST, REDIS), List.of(REDIS, LOST)));
  }

  private static Note note(
      String id, String text, MemoryType type, String day, float... embedding) {
    return new Note(id, text, type, Instant.parse(day + "T12:00:00Z"), Embedding.of(embedding));
  }
}
