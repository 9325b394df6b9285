package io.agentmemory.consolidation.dao;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * The lexemes of texts as the schema's text search configuration sees them, stop words left out.
 * Thread-safe.
 *
 * <p>The server is asked. Of texts that consist of words of ASCII letters, which the default parser
 * leaves as they are, what single words become is remembered for a minute, at most 20,000 words, so
 * that texts of known words need no round trip; unless the configuration has a thesaurus, which
 * looks at several words at once, or another parser.
 */
final class Lexemes {
  private static final long VALIDITY = TimeUnit.MINUTES.toNanos(1);
  private static final int MOST_WORDS = 20_000;
  private static final int LONGEST_WORD = 40;

  private static final String OF_TEXT =
      "select /* consolidation search.words */ lexeme from unnest(to_tsvector({configuration}, :text)) order by lexeme collate \"C\"";

  private static final String OF_WORDS =
      """
      select /* consolidation search.words */
      word, tsvector_to_array(to_tsvector({configuration}, word)),
        not exists (
          select from pg_catalog.pg_ts_config as c
          join pg_catalog.pg_ts_parser as p on p.oid = c.cfgparser
          join pg_catalog.pg_ts_config_map as m on m.mapcfg = c.oid
          join pg_catalog.pg_ts_dict as d on d.oid = m.mapdict
          join pg_catalog.pg_ts_template as t on t.oid = d.dicttemplate
          where c.oid = {configuration}
            and (p.prsname <> 'default' or t.tmplname not in ('simple', 'snowball', 'ispell',
              'synonym'))
        ) as one_by_one
      from unnest(cast(:words as text[])) as word""";

  private final Map<String, List<String>> known = new ConcurrentHashMap<>();
  private volatile long validUntil = System.nanoTime();
  private volatile boolean oneByOne = true;

  /** The lexemes of a text, each once. */
  Collection<String> of(MemorySession session, String text) throws SQLException {
    if (System.nanoTime() - validUntil >= 0 || known.size() > MOST_WORDS) {
      known.clear();
      oneByOne = true;
      validUntil = System.nanoTime() + VALIDITY;
    }
    Set<String> lexemes = new HashSet<>();
    List<String> unknown = new ArrayList<>(0);
    return oneByOne
            && collect(text, lexemes, unknown)
            && (unknown.isEmpty() || learn(session, unknown, lexemes))
        ? lexemes
        : ofText(session, text);
  }

  /** The words of a text, with a mark behind each at most; false if it has others. */
  private boolean collect(String text, Set<String> lexemes, List<String> unknown) {
    for (int at = 0; at < text.length(); ) {
      int start = at;
      while (at < text.length() && isLetter(text.charAt(at))) {
        at++;
      }
      int end = at;
      if (at < text.length() && ".,;!?".indexOf(text.charAt(at)) >= 0) {
        at++;
      }
      if (at < text.length() && " \n\r\t".indexOf(text.charAt(at++)) < 0) {
        return false;
      }
      if (end - start > LONGEST_WORD) {
        return false;
      }
      if (end > start) {
        String word = text.substring(start, end);
        List<String> found = known.get(word);
        if (found == null) {
          unknown.add(word);
        } else {
          lexemes.addAll(found);
        }
      }
    }
    return true;
  }

  private static boolean isLetter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  }

  /** Adds the lexemes of the words; false if words cannot be looked at one by one. */
  private boolean learn(MemorySession session, Collection<String> words, Set<String> lexemes)
      throws SQLException {
    try (Call call = session.prepare(OF_WORDS)) {
      ResultSet rows = call.texts("words", words).query();
      while (rows.next()) {
        if (!rows.getBoolean(3)) {
          oneByOne = false;
          return false;
        }
        List<String> found = Arrays.asList((String[]) rows.getArray(2).getArray());
        known.put(rows.getString(1), found);
        lexemes.addAll(found);
      }
    }
    return true;
  }

  private static List<String> ofText(MemorySession session, String text) throws SQLException {
    try (Call call = session.prepare(OF_TEXT)) {
      ResultSet rows = call.text("text", text).query();
      List<String> lexemes = new ArrayList<>();
      while (rows.next()) {
        lexemes.add(rows.getString(1));
      }
      return lexemes;
    }
  }
}
