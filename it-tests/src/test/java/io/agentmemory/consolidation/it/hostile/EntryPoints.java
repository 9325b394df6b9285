package io.agentmemory.consolidation.it.hostile;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The public constructors and methods of a package, its nested types included, but no abstract
 * ones.
 */
final class EntryPoints {
  private EntryPoints() {}

  static List<Executable> of(String... packages) {
    return new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages(packages)
            .stream()
            .map(JavaClass::reflect)
            .filter(EntryPoints::isPublic)
            .flatMap(
                type ->
                    Stream.<Executable>concat(
                        Modifier.isAbstract(type.getModifiers())
                            ? Stream.empty()
                            : Stream.of(type.getDeclaredConstructors()),
                        Stream.of(type.getDeclaredMethods())))
            .filter(entry -> Modifier.isPublic(entry.getModifiers()) && !entry.isSynthetic())
            .filter(entry -> !Modifier.isAbstract(entry.getModifiers()))
            .filter(entry -> !isOfTheLanguage(entry))
            .sorted(Comparator.comparing(EntryPoints::name))
            .toList();
  }

  private static boolean isPublic(Class<?> type) {
    return Modifier.isPublic(type.getModifiers())
        && (type.getEnclosingClass() == null || isPublic(type.getEnclosingClass()));
  }

  /** What every class, enum or record has. */
  private static boolean isOfTheLanguage(Executable entry) {
    Class<?> type = entry.getDeclaringClass();
    return Set.of("equals", "hashCode", "toString").contains(entry.getName())
        || (type.isEnum() && Set.of("values", "valueOf").contains(entry.getName()))
        || (type.isRecord()
            && Stream.of(type.getRecordComponents())
                .anyMatch(component -> component.getAccessor().equals(entry)));
  }

  /** The names of all that must be called; an exception's are whatever it holds. */
  static List<String> names(List<Executable> entries) {
    return entries.stream()
        .filter(entry -> !Throwable.class.isAssignableFrom(entry.getDeclaringClass()))
        .map(EntryPoints::name)
        .toList();
  }

  static String name(Executable entry) {
    String method = entry instanceof Constructor ? "new" : entry.getName();
    return Arrays.stream(entry.getParameterTypes())
        .map(Class::getSimpleName)
        .collect(Collectors.joining(",", typeName(entry) + "." + method + "(", ")"));
  }

  /** Whether it gives an instance without needing one. */
  static boolean makes(Executable entry) {
    return entry instanceof Constructor || Modifier.isStatic(entry.getModifiers());
  }

  /** The type of what it gives. */
  static Class<?> result(Executable entry) {
    return entry instanceof Method method ? method.getReturnType() : entry.getDeclaringClass();
  }

  private static String typeName(Executable entry) {
    Class<?> type = entry.getDeclaringClass();
    Class<?> outer = type.getEnclosingClass();
    return (outer == null ? "" : outer.getSimpleName() + ".") + type.getSimpleName();
  }
}
