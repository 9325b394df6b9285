package io.agentmemory.consolidation.dao;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;

/**
 * Memories of a project that are alike: any two of them at least as similar as was asked for.
 *
 * @param projectId the project
 * @param memories two or more, with their embeddings, in order of their ids
 * @param similarity the cosine similarity of the two that are least alike
 */
public record MemoryCluster(
    String projectId, List<ConsolidatedMemory> memories, double similarity) {
  private static final int KEY_BYTES = 16;

  /**
   * Keeps an unmodifiable copy of the list.
   *
   * @param projectId the project
   * @param memories the memories
   * @param similarity how alike the least similar two are
   */
  public MemoryCluster {
    memories = List.copyOf(memories);
  }

  /**
   * The memories' ids.
   *
   * @return the ids, in the order of the memories
   */
  public List<String> ids() {
    return memories.stream().map(ConsolidatedMemory::id).toList();
  }

  /**
   * What identifies a cluster of these memories whenever it is found again, for example to keep a
   * model's answer under.
   *
   * @return 32 hexadecimal digits, made from the ids
   */
  public String key() {
    return key(ids());
  }

  static String key(Collection<String> ids) {
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException("every Java platform has SHA-256", impossible);
    }
    ids.stream()
        .map(id -> id.getBytes(StandardCharsets.UTF_8))
        .sorted(Arrays::compareUnsigned)
        .forEach(
            id -> {
              digest.update(id);
              digest.update((byte) 0);
            });
    return HexFormat.of().formatHex(digest.digest(), 0, KEY_BYTES);
  }
}
