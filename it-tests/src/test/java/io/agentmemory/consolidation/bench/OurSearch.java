package io.agentmemory.consolidation.bench;

import io.agentmemory.consolidation.dao.ConsolidatedMemoryDao;
import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.Embedding;
import io.agentmemory.consolidation.dao.FusedQuery;
import io.agentmemory.consolidation.dao.MemoryFilter;
import io.agentmemory.consolidation.dao.SearchEffort;
import io.agentmemory.consolidation.dao.SearchResult;
import io.agentmemory.consolidation.dao.TextQuery;
import io.agentmemory.consolidation.dao.VectorHit;
import io.agentmemory.consolidation.dao.VectorQuery;
import io.agentmemory.consolidation.dao.WordMatch;
import java.util.List;

/** The library's searches within a project, as an application calls them. */
final class OurSearch {
  private final ConsolidatedMemoryDao memories;
  private final String project;
  private final MemoryFilter filter;

  OurSearch(Consolidation consolidation, int project, boolean filtered) {
    this(
        consolidation,
        project,
        filtered ? MemoryFilter.none().types(DataSet.RARE) : MemoryFilter.none());
  }

  private OurSearch(Consolidation consolidation, int project, MemoryFilter filter) {
    this.memories = consolidation.memories();
    this.project = DataSet.projectId(project);
    this.filter = filter;
  }

  /** Among the rows with a tag. */
  static OurSearch tagged(Consolidation consolidation, int project, String tag) {
    return new OurSearch(consolidation, project, MemoryFilter.none().allTags(List.of(tag)));
  }

  private VectorQuery query(Question question, int limit) {
    return VectorQuery.of(Embedding.of(question.vector()), limit).withFilter(filter);
  }

  SearchResult<VectorHit> byVector(Question question) {
    return memories.searchByVector(project, query(question, Settings.K));
  }

  private static List<String> ids(SearchResult<VectorHit> result) {
    return result.hits().stream().map(hit -> hit.memory().id()).toList();
  }

  /** With default settings. */
  Contender vector(String name, int limit) {
    return contender(
        name, question -> ids(memories.searchByVector(project, query(question, limit))));
  }

  Contender vector(String name) {
    return vector(name, Settings.K);
  }

  /** With a lower or a higher effort than the default's. */
  Contender vectorWithEffort(String name, int candidates) {
    SearchEffort effort = new SearchEffort(candidates);
    return contender(
        name,
        question ->
            ids(memories.searchByVector(project, query(question, Settings.K).withEffort(effort))));
  }

  /** By any of the words of the question. */
  Contender text(String name, int limit) {
    return contender(
        name,
        question ->
            memories
                .searchByText(
                    project,
                    TextQuery.of(question.text(), limit)
                        .withMatch(WordMatch.ANY_WORD)
                        .withFilter(filter))
                .hits()
                .stream()
                .map(hit -> hit.memory().id())
                .toList());
  }

  /** With default settings. */
  Contender fused(String name) {
    return contender(
        name,
        question ->
            memories
                .searchFused(
                    project,
                    FusedQuery.of(question.text(), Embedding.of(question.vector()), Settings.K)
                        .withFilter(filter))
                .hits()
                .stream()
                .map(hit -> hit.memory().id())
                .toList());
  }

  /** A way to find ids. */
  private interface Search {
    List<String> ids(Question question) throws Exception;
  }

  private static Contender contender(String name, Search search) {
    return new Contender() {
      @Override
      public String name() {
        return name;
      }

      @Override
      public List<String> ask(Question question) throws Exception {
        return search.ids(question);
      }
    };
  }
}
