package io.agentmemory.consolidation.schema;

import io.agentmemory.consolidation.ddl.Hazard;
import io.agentmemory.consolidation.ddl.Identifiers;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a script cannot find out for itself: the state of the database that it will run on. The
 * script checks all of it before it changes anything.
 *
 * <p>Immutable and thread-safe. No argument may be null.
 */
public final class ScriptContext {
  private final @Nullable String from;
  private final @Nullable String to;
  private final boolean hostTableAdopted;
  private final boolean schemaCreated;
  private final String extensionSchema;
  private final List<Changelog> changelogs;
  private final Set<Hazard> allowed;

  private ScriptContext(
      @Nullable String from,
      @Nullable String to,
      boolean hostTableAdopted,
      boolean schemaCreated,
      String extensionSchema,
      List<Changelog> changelogs,
      Set<Hazard> allowed) {
    this.from = from;
    this.to = to;
    this.hostTableAdopted = hostTableAdopted;
    this.schemaCreated = schemaCreated;
    this.extensionSchema = Identifiers.check("schema", extensionSchema);
    this.changelogs = List.copyOf(changelogs);
    this.allowed = allowed;
  }

  /**
   * A database in which the host's table exists and is adopted.
   *
   * @return the context, from end to end
   */
  public static ScriptContext adoptingHostTable() {
    return new ScriptContext(null, null, true, false, "public", List.of(), Set.of());
  }

  /**
   * A database in which the host's table is created by the upgrade.
   *
   * @return the context, from end to end
   */
  public static ScriptContext creatingHostTable() {
    return new ScriptContext(null, null, false, false, "public", List.of(), Set.of());
  }

  /**
   * The same, starting after a revision. Of all revisions, the library's and then those of each
   * changelog in the order given, everything up to it is taken as applied. Left out, an upgrade
   * starts from nothing, a downgrade from the end.
   *
   * @param revision the last one that is applied
   * @return another context
   */
  public ScriptContext from(String revision) {
    return new ScriptContext(
        Objects.requireNonNull(revision, "revision"),
        to,
        hostTableAdopted,
        schemaCreated,
        extensionSchema,
        changelogs,
        allowed);
  }

  /**
   * The same, ending at a revision: the last to be applied, or the last to stay. Left out, an
   * upgrade goes to the end and a downgrade to nothing.
   *
   * @param revision a revision
   * @return another context
   */
  public ScriptContext to(String revision) {
    return new ScriptContext(
        from,
        Objects.requireNonNull(revision, "revision"),
        hostTableAdopted,
        schemaCreated,
        extensionSchema,
        changelogs,
        allowed);
  }

  /**
   * The same for a target schema that does not exist before the upgrade.
   *
   * @return another context
   */
  public ScriptContext creatingSchema() {
    return new ScriptContext(
        from, to, hostTableAdopted, true, extensionSchema, changelogs, allowed);
  }

  /**
   * The same with the extension {@code vector} in another schema than {@code public}.
   *
   * @param schema the schema's name, without quotes
   * @return another context
   */
  public ScriptContext extensionIn(String schema) {
    return new ScriptContext(
        from, to, hostTableAdopted, schemaCreated, schema, changelogs, allowed);
  }

  /**
   * The same with an application's revisions.
   *
   * @param changelog the application's changelog
   * @return another context
   */
  public ScriptContext with(Changelog changelog) {
    List<Changelog> more = new ArrayList<>(changelogs);
    more.add(changelog);
    return new ScriptContext(
        from, to, hostTableAdopted, schemaCreated, extensionSchema, more, allowed);
  }

  /**
   * The same, allowing what would be refused.
   *
   * @param hazards what may happen
   * @return another context
   */
  public ScriptContext allowing(Hazard... hazards) {
    Set<Hazard> more = EnumSet.noneOf(Hazard.class);
    more.addAll(allowed);
    more.addAll(Arrays.asList(hazards));
    return new ScriptContext(
        from, to, hostTableAdopted, schemaCreated, extensionSchema, changelogs, more);
  }

  @Nullable String from() {
    return from;
  }

  @Nullable String to() {
    return to;
  }

  boolean hostTableAdopted() {
    return hostTableAdopted;
  }

  boolean schemaCreated() {
    return schemaCreated;
  }

  String extensionSchema() {
    return extensionSchema;
  }

  List<Changelog> changelogs() {
    return changelogs;
  }

  Set<Hazard> allowed() {
    return allowed;
  }
}
