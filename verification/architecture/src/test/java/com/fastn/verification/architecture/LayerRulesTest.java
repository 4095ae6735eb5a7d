package com.fastn.verification.architecture;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** Who may know whom. */
@AnalyzeClasses(locations = PublishedClasses.class)
class LayerRulesTest {
    private static final String API = "com.fastn.context";
    private static final String ENGINE = "com.fastn.context.engine..";
    private static final String EVENT = "com.fastn.context.event..";
    private static final String SPI = "com.fastn.context.spi..";
    private static final String STATUS = "com.fastn.context.status..";
    private static final String VERTX_BINDING = "com.fastn.context.vertx..";
    private static final String VERTICLE = "com.fastn.status";
    private static final String SYSTEM = "com.fastn.status.system..";
    private static final String CLI = "com.fastn.status.cli..";
    private static final String[] LANGUAGE = {
        "java..", "org.jspecify.annotations..", "com.google.errorprone.annotations.."
    };

    @ArchTest
    static final ArchRule theEngineAndItsApiKnowNoVertx = noClasses()
            .that()
            .resideInAnyPackage(API, ENGINE, EVENT, SPI, STATUS)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("io.vertx..", "io.netty..", VERTX_BINDING, VERTICLE, SYSTEM, CLI)
            .because("the engine serves any Java program, and is tested without an event loop");

    @ArchTest
    static final ArchRule statusIsALeaf = classes()
            .that()
            .resideInAPackage(STATUS)
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(with(STATUS, "com.fasterxml.jackson.core.."))
            .because("the command reads and draws status without an engine (docs/rationale/0002-status-is-a-leaf.md)");

    @ArchTest
    static final ArchRule eventKnowsOnlyStatus = classes()
            .that()
            .resideInAPackage(EVENT)
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(with(EVENT, STATUS))
            .because("an event is data: who listens needs neither a context nor the engine to read it");

    @ArchTest
    static final ArchRule theApiKnowsNoEngine = noClasses()
            .that()
            .resideInAnyPackage(API, EVENT, SPI, STATUS)
            .should()
            .dependOnClassesThat()
            .resideInAPackage(ENGINE)
            .because("the engine is found as a service (docs/rationale/0001-engine-behind-a-service.md)");

    @ArchTest
    static final ArchRule onlyTheVertxBindingKnowsTheEngine = noClasses()
            .that()
            .resideOutsideOfPackages(ENGINE, VERTX_BINDING)
            .should()
            .dependOnClassesThat()
            .resideInAPackage(ENGINE)
            .because("the module exports it to nobody else; on the class path only this test says so");

    @ArchTest
    static final ArchRule theStatusMakesNoEvents = noClasses()
            .that()
            .resideInAPackage("com.fastn.status..")
            .should()
            .callMethodWhere(describe(
                    "a listener is added",
                    call -> call.getTarget().getName().equals("addListener")
                            && call.getTargetOwner().getName().startsWith("com.fastn.context.")))
            .because(
                    "an application that is watched would make an event of each change; onFirstChange(..) costs it nothing");

    @ArchTest
    static final ArchRule onlyOneClassSeesOshi = noClasses()
            .that(describe(
                    "are not OshiMachine", c -> !outermost(c).getName().equals("com.fastn.status.system.OshiMachine")))
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("oshi..", "com.sun.jna..")
            .because("its first call takes 0.3 s and it may be missing: one class loads it, off the event loops");

    @ArchTest
    static final ArchRule oshiIsSeenAtAll = classes()
            .that()
            .haveFullyQualifiedName("com.fastn.status.system.OshiMachine")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("oshi..")
            .because("the rule above would mean nothing without it");

    @ArchTest
    static final ArchRule onlyTheCommandSeesPicocli = noClasses()
            .that()
            .resideOutsideOfPackage(CLI)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("picocli..", "org.jline..")
            .because("arguments are the business of the command alone");

    @ArchTest
    static final ArchRule theCommandSeesNoVertx = noClasses()
            .that()
            .resideInAPackage(CLI)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("io.vertx..", "io.netty..", VERTX_BINDING, VERTICLE, SYSTEM, "java.net.http..")
            .because("its start-up is its first feature, and it runs where no Vert.x is");

    @ArchTest
    static final ArchRule onlyOneClassReadsToml = noClasses()
            .that()
            .doNotHaveFullyQualifiedName("com.fastn.status.cli.ConfigFile")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("com.fasterxml.jackson.dataformat..")
            .because("it brings all of databind along, and who has no configuration shall not load it");

    @ArchTest
    static final ArchRule onlyOneClassSeesJline = noClasses()
            .that(describe("are not Keyboard", c -> !outermost(c).getName().equals("com.fastn.status.cli.Keyboard")))
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.jline..")
            .because("who looks once shall not load it");

    @ArchTest
    static final ArchRule theCommandUsesOnlyWhatItsJarCarries = classes()
            .that()
            .resideInAPackage(CLI)
            .should()
            .onlyDependOnClassesThat(describe(
                    "are its own, picocli, jackson-core, TOML, jline, records of status, or the ticker",
                    c -> inAny(
                                    c,
                                    CLI,
                                    STATUS,
                                    "picocli..",
                                    "com.fasterxml.jackson.core..",
                                    "com.fasterxml.jackson.dataformat.toml..",
                                    "org.jline..")
                            || c.getPackageName().equals("javax.net.ssl")
                            || inAny(c, LANGUAGE)
                            || c.isPrimitive()
                            || c.getName().equals("com.fastn.context.Ticker")
                            || c.isArray()))
            .because("fastn.jar leaves out everything else of context-api (status-cli/pom.xml)");

    @ArchTest
    static final ArchRule whatMeasuresTheMachineKnowsNoVertx = noClasses()
            .that()
            .resideInAPackage(SYSTEM)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("io.vertx..", VERTICLE)
            .because("it runs on a thread of its own and is tested without a verticle");

    @ArchTest
    static final ArchRule whatThinksKnowsNoVertx = noClasses()
            .that()
            .haveNameMatching("com\\.fastn\\.status\\.(SnapshotView|NearestNames|(stream|deadlock)\\..*)(\\$.*)?")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("io.vertx..")
            .because("a thing that thinks is tested as a plain object; a verticle only wires");

    @ArchTest
    static final ArchRule noPackagesFormACycle = slices().matching("com.fastn.(**)")
            .should()
            .beFreeOfCycles()
            .because(
                    "a part that is in a cycle can be read, tested and replaced only together with all the others in it");

    private static String[] with(String... packages) {
        String[] all = new String[packages.length + LANGUAGE.length];
        System.arraycopy(packages, 0, all, 0, packages.length);
        System.arraycopy(LANGUAGE, 0, all, packages.length, LANGUAGE.length);
        return all;
    }

    private static boolean inAny(JavaClass type, String... packages) {
        return JavaClass.Predicates.resideInAnyPackage(packages).test(type);
    }

    private static JavaClass outermost(JavaClass type) {
        JavaClass at = type;
        while (at.getEnclosingClass().isPresent()) {
            at = at.getEnclosingClass().get();
        }
        return at;
    }
}
