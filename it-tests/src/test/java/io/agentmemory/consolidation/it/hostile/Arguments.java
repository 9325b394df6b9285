package io.agentmemory.consolidation.it.hostile;

import io.agentmemory.consolidation.dao.MemoryFilter;
import io.agentmemory.consolidation.dao.MemoryUpdate;
import io.agentmemory.consolidation.dao.ObservedCall;
import java.lang.reflect.AnnotatedType;
import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.Method;
import java.lang.reflect.Parameter;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * Makes arguments for parameters of any type: simple ones by {@link Values}, the library's own from
 * what was seen before or by their constructors and factories, the rest by the test.
 */
final class Arguments {
  private static final int SEEN = 12;
  private static final int DEEPEST = 6;

  /** Longer texts stand in a list many times, but once in memory. */
  private static final int LONGEST_ANEW = 5_000;

  /**
   * What each use would add conditions to, as each set of conditions has its own SQL; and what
   * observers are told by the library alone.
   */
  private static final Set<Class<?>> NOT_KEPT =
      Set.of(
          MemoryFilter.class, MemoryUpdate.class, MemoryUpdate.Builder.class, ObservedCall.class);

  private final Values values;
  private final Map<Class<?>, BiFunction<Arguments, Integer, @Nullable Object>> special =
      new HashMap<>();
  private final Map<Class<?>, List<Executable>> makers = new HashMap<>();
  private final Map<Class<?>, List<Executable>> changers = new HashMap<>();
  private final Map<Class<?>, Executable> builds = new HashMap<>();
  private final Map<Class<?>, ArrayDeque<Object>> seen = new HashMap<>();
  private final Caller caller;

  /** Calls a constructor or factory. */
  interface Caller {
    @Nullable Object call(
        Executable entry, @Nullable Object receiver, @Nullable Object[] arguments);
  }

  Arguments(Values values, List<Executable> entries, Caller caller) {
    this.values = values;
    this.caller = caller;
    for (Executable entry : entries) {
      Class<?> type = EntryPoints.result(entry);
      boolean everyCondition = type.equals(MemoryFilter.class) && entry instanceof Constructor;
      if (EntryPoints.makes(entry) && !everyCondition) {
        makers.computeIfAbsent(type, t -> new ArrayList<>()).add(entry);
      } else if (entry instanceof Method && entry.getDeclaringClass().equals(type)) {
        changers.computeIfAbsent(type, t -> new ArrayList<>()).add(entry);
      } else if (entry.getName().equals("build")) {
        builds.put(type, entry);
      }
    }
  }

  Values values() {
    return values;
  }

  /** Values of this type are made by this, and by nothing else. */
  void by(Class<?> type, BiFunction<Arguments, Integer, @Nullable Object> maker) {
    special.put(type, maker);
  }

  /** Keeps a result, to be an argument or the receiver of later calls. */
  void see(@Nullable Object result) {
    if (result instanceof Collection<?> all) {
      all.stream().limit(3).forEach(this::see);
    } else if (result != null && !NOT_KEPT.contains(result.getClass())) {
      ArrayDeque<Object> kept = seen.computeIfAbsent(result.getClass(), t -> new ArrayDeque<>());
      kept.add(result);
      if (kept.size() > SEEN) {
        kept.remove();
      }
    }
  }

  void forget() {
    seen.clear();
  }

  @Nullable Object[] of(Executable entry, int depth) {
    Parameter[] parameters = entry.getParameters();
    AnnotatedType[] annotated = entry.getAnnotatedParameterTypes();
    Type[] types = entry.getGenericParameterTypes();
    @Nullable Object[] arguments = new @Nullable Object[parameters.length];
    for (int i = 0; i < arguments.length; i++) {
      boolean nullable = annotated[i].isAnnotationPresent(Nullable.class);
      arguments[i] = value(types[i], parameters[i].getName(), nullable, depth);
    }
    return arguments;
  }

  /** A value of a type of the library's. */
  @Nullable Object one(Class<?> type) {
    return object(type, 1);
  }

  /** A value of a type of the library's by its constructors and factories alone. */
  @Nullable Object anew(Class<?> type, int depth) {
    return depth < DEEPEST ? tried(type, depth + 1) : null;
  }

  /** An instance to call a method on, null where there is none yet. */
  @Nullable Object receiver(Class<?> type) {
    Object kept = values.chance(0.5) ? kept(type) : null;
    Object made = kept == null ? made(type, 1) : kept;
    return made == null ? kept(type) : made;
  }

  private @Nullable Object value(Type type, String name, boolean nullable, int depth) {
    Class<?> raw = raw(type);
    if (!raw.isPrimitive() && values.isNull(nullable)) {
      return null;
    }
    Object simple = simple(raw, name);
    if (simple != null) {
      return simple;
    }
    if (raw.isArray()) {
      return array(raw.getComponentType(), name, depth);
    }
    if (raw.equals(Map.class)) {
      Type[] types = ((ParameterizedType) type).getActualTypeArguments();
      return map(types[0], types[1], name, depth);
    }
    if (raw.equals(Iterator.class) || Collection.class.isAssignableFrom(raw)) {
      Type element = ((ParameterizedType) type).getActualTypeArguments()[0];
      List<@Nullable Object> list = list(element, name, depth);
      return raw.equals(Iterator.class)
          ? list.iterator()
          : raw.equals(Set.class) ? new LinkedHashSet<>(list) : list;
    }
    return object(raw, depth);
  }

  private static Class<?> raw(Type type) {
    if (type instanceof Class<?> simple) {
      return simple;
    }
    return type instanceof ParameterizedType generic
        ? (Class<?>) generic.getRawType()
        : Object.class;
  }

  private @Nullable Object simple(Class<?> type, String name) {
    if (type.equals(String.class)) {
      return values.text(name);
    } else if (type.equals(int.class) || type.equals(Integer.class)) {
      return values.integer(name);
    } else if (type.equals(long.class) || type.equals(Long.class)) {
      return values.number();
    } else if (type.equals(double.class) || type.equals(Double.class)) {
      return values.fraction();
    } else if (type.equals(boolean.class) || type.equals(Boolean.class)) {
      return values.chance(0.5);
    } else if (type.equals(float[].class)) {
      return values.floats();
    } else if (type.equals(double[].class)) {
      return values.numbers();
    } else if (type.equals(Duration.class)) {
      return values.duration();
    } else if (type.equals(Instant.class)) {
      return values.instant();
    } else if (type.equals(Object.class)) {
      return values.text(name);
    } else if (type.isEnum()) {
      return values.one(type.getEnumConstants());
    }
    return null;
  }

  private Object array(Class<?> component, String name, int depth) {
    int length = values.count();
    Object array = Array.newInstance(component, length);
    List<@Nullable Object> some = list(component, name, depth);
    for (int i = 0; i < length && !some.isEmpty(); i++) {
      Array.set(array, i, some.get(i % some.size()));
    }
    return array;
  }

  /** A list that may be empty, hold nulls or one element many times. */
  private List<@Nullable Object> list(Type element, String name, int depth) {
    int count = values.count();
    List<@Nullable Object> some = new ArrayList<>();
    for (int i = 0; i < Math.min(count, 5); i++) {
      some.add(value(element, name, false, depth + 1));
    }
    List<@Nullable Object> list = new ArrayList<>(some);
    while (list.size() < count) {
      Object again = some.get(list.size() % some.size());
      boolean anew = again instanceof String text && text.length() <= LONGEST_ANEW;
      list.add(anew && values.chance(0.9) ? again + "" + list.size() : again);
    }
    return list;
  }

  /** Text that is a key is an id. */
  private Map<@Nullable Object, @Nullable Object> map(
      Type key, Type value, String name, int depth) {
    Map<@Nullable Object, @Nullable Object> map = new LinkedHashMap<>();
    for (Object each : list(key, "ids", depth)) {
      map.put(each, value(value, name, false, depth));
    }
    return map;
  }

  private @Nullable Object object(Class<?> type, int depth) {
    Object kept = values.chance(0.2) ? kept(type) : null;
    return kept == null ? made(type, depth) : kept;
  }

  private @Nullable Object kept(Class<?> type) {
    List<Object> fitting = new ArrayList<>();
    seen.forEach(
        (kept, objects) -> {
          if (type.isAssignableFrom(kept)) {
            fitting.addAll(objects);
          }
        });
    return fitting.isEmpty() ? null : values.one(fitting);
  }

  private @Nullable Object made(Class<?> type, int depth) {
    BiFunction<Arguments, Integer, @Nullable Object> maker = special.get(type);
    if (maker != null) {
      return maker.apply(this, depth);
    }
    if (type.isEnum()) {
      return values.one(type.getEnumConstants());
    }
    for (int tries = 0; depth < DEEPEST && tries < 3; tries++) {
      if (tries > 0) {
        values.harmless();
      }
      Object made = tried(type, depth + 1);
      if (made != null) {
        return made;
      }
    }
    return kept(type);
  }

  private @Nullable Object tried(Class<?> type, int depth) {
    Executable build = builds.get(type);
    List<Executable> all = makers.get(type);
    if (build != null && (all == null || values.chance(0.7))) {
      Object builder = made(build.getDeclaringClass(), depth);
      return builder == null ? null : caller.call(build, builder, new Object[0]);
    }
    if (all == null) {
      return null;
    }
    Executable maker = values.one(all);
    Object made = caller.call(maker, null, of(maker, depth));
    List<Executable> changes = changers.getOrDefault(type, List.of());
    for (int i = values.below(3); i > 0 && made != null && !changes.isEmpty(); i--) {
      Executable change = values.one(changes);
      made = caller.call(change, made, of(change, depth));
    }
    return made;
  }

  /** Whether a null stands among these, or in a collection among them. */
  static boolean holdNull(@Nullable Object[] arguments) {
    return Arrays.stream(arguments)
        .anyMatch(
            argument ->
                argument == null
                    || (argument instanceof Object[] array && holdNull(array))
                    || (argument instanceof Collection<?> all && holdNull(all.toArray()))
                    || (argument instanceof Map<?, ?> map
                        && (holdNull(map.keySet().toArray()) || holdNull(map.values().toArray()))));
  }
}
