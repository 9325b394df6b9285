package io.agentmemory.consolidation.it.build;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.net.URI;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class ArchitectureTest {
  private static final String ROOT = "io.agentmemory.consolidation";
  private static final String DDL = ROOT + ".ddl..";
  private static final String SCHEMA = ROOT + ".schema..";
  private static final String DAO = ROOT + ".dao..";
  private static final String IT = ROOT + ".it..";

  /** The jar or the folder of classes of a module of this build. */
  private static final Pattern MODULE =
      Pattern.compile(
          "/(core|dao|it-tests)/target/|/consolidation-(core|dao|it-tests)-[^/]*\\.jar");

  private static final JavaClasses CLASSES = new ClassFileImporter().importPackages(ROOT);

  @Test
  void seesEveryModule() {
    assertThat(packagesByModule())
        .containsOnlyKeys("core", "dao", "it-tests")
        .containsEntry("core", Set.of(ROOT + ".ddl", ROOT + ".schema"))
        .containsEntry("dao", Set.of(ROOT + ".dao"));
  }

  @Test
  void noPackageIsInTwoModules() {
    Map<String, Set<String>> modules = new TreeMap<>();
    packagesByModule()
        .forEach(
            (module, packages) ->
                packages.forEach(
                    name -> modules.computeIfAbsent(name, key -> new TreeSet<>()).add(module)));
    assertThat(modules).allSatisfy((name, in) -> assertThat(in).as(name).hasSize(1));
  }

  @Test
  void coreDependsOnTheJdkAndTheLoggingFacadeAlone() {
    classes()
        .that()
        .resideInAnyPackage(DDL, SCHEMA)
        .should()
        .onlyDependOnClassesThat(
            resideInAnyPackage(
                DDL,
                SCHEMA,
                "java.lang..",
                "java.util..",
                "java.io..",
                "java.math..",
                "java.nio..",
                "java.security..",
                "java.sql..",
                "java.text..",
                "java.time..",
                "javax.sql..",
                "org.slf4j..",
                "org.jspecify.annotations.."))
        .check(CLASSES);
  }

  @Test
  void ddlKnowsNothingOfTheSchemaWrittenInIt() {
    noClasses()
        .that()
        .resideInAPackage(DDL)
        .should()
        .dependOnClassesThat()
        .resideInAPackage(SCHEMA)
        .check(CLASSES);
  }

  @Test
  void nothingPointsBackwards() {
    noClasses()
        .that()
        .resideInAnyPackage(DDL, SCHEMA)
        .should()
        .dependOnClassesThat(resideInAnyPackage(DAO, IT))
        .check(CLASSES);
    noClasses()
        .that()
        .resideInAPackage(DAO)
        .should()
        .dependOnClassesThat(resideInAPackage(IT))
        .check(CLASSES);
  }

  @Test
  void packagesAreFreeOfCycles() {
    slices().matching(ROOT + ".(**)").should().beFreeOfCycles().check(CLASSES);
  }

  private static Map<String, Set<String>> packagesByModule() {
    Map<String, Set<String>> packages = new TreeMap<>();
    for (JavaClass type : CLASSES) {
      URI source = type.getSource().orElseThrow().getUri();
      Matcher module = MODULE.matcher(source.toString());
      assertThat(module.find()).as(source.toString()).isTrue();
      String name = module.group(1) == null ? module.group(2) : module.group(1);
      packages.computeIfAbsent(name, key -> new TreeSet<>()).add(type.getPackageName());
    }
    return packages;
  }
}
