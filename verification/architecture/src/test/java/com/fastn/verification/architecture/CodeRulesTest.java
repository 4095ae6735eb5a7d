package com.fastn.verification.architecture;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noMethods;
import static com.tngtech.archunit.library.GeneralCodingRules.ACCESS_STANDARD_STREAMS;
import static com.tngtech.archunit.library.GeneralCodingRules.USE_JAVA_UTIL_LOGGING;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import org.jspecify.annotations.NullMarked;

/** What no class may do, wherever it stands. */
@AnalyzeClasses(locations = PublishedClasses.class)
class CodeRulesTest {
    private static final String TICKER = "com.fastn.context.SystemTicker";

    @ArchTest
    static final ArchRule onlyTheTickerReadsAClock = noClasses()
            .that()
            .doNotHaveFullyQualifiedName(TICKER)
            .should(Clocks.beRead())
            .because("time is a collaborator: a test moves it, and a clock that goes back harms nobody (M7)");

    @ArchTest
    static final ArchRule theTickerReadsAClock = classes()
            .that()
            .haveFullyQualifiedName(TICKER)
            .should(Clocks.beRead())
            .because("the rule above would mean nothing without it");

    @ArchTest
    static final ArchRule staticFieldsNeverChange = fields().that()
            .areStatic()
            .should(StaticState.neverChange())
            .because("two runtimes in one process must not meet, and a test must not see the one before it");

    @ArchTest
    static final ArchRule constantsOfEnumsNeverChange = fields().that()
            .areDeclaredInClassesThat()
            .areEnums()
            .should()
            .beFinal()
            .because("an enum constant is one for the whole process");

    @ArchTest
    static final ArchRule everyPackageIsNullMarked = classes()
            .should(resideInANullMarkedPackage())
            .because("without the mark NullAway, Kotlin and IDEs take every type for unknown");

    @ArchTest
    static final ArchRule nothingPrints = noClasses()
            .that()
            .resideOutsideOfPackage("com.fastn.status.cli..")
            .should(ACCESS_STANDARD_STREAMS)
            .because("the application's output is not ours; what is to be said goes to SLF4J or into the status");

    @ArchTest
    static final ArchRule nothingLogsPastSlf4j =
            noClasses().should(USE_JAVA_UTIL_LOGGING).because("the application chooses where its log goes");

    @ArchTest
    static final ArchRule nothingSerializesJavaObjects = noClasses()
            .should()
            .dependOnClassesThat()
            .haveNameMatching(
                    "java\\.io\\.(ObjectInputStream|ObjectOutputStream|Externalizable|ObjectInputFilter)(\\$.*)?")
            .because("what comes from another node is never turned into objects by their own word (S17)");

    @ArchTest
    static final ArchRule nothingTakesPartInJavaSerialization = noMethods()
            .should()
            .haveNameMatching(
                    "readObject|readObjectNoData|readResolve|writeObject|writeReplace|readExternal|writeExternal")
            .because("what comes from another node is never turned into objects by their own word (S17)");

    private static ArchCondition<JavaClass> resideInANullMarkedPackage() {
        return new ArchCondition<>("reside in a package that is @NullMarked") {
            @Override
            public void check(JavaClass type, ConditionEvents events) {
                boolean inModuleDescriptor = type.getPackageName().isEmpty();
                boolean marked = inModuleDescriptor || type.getPackage().isAnnotatedWith(NullMarked.class);
                events.add(new SimpleConditionEvent(
                        type, marked, type.getName() + " is in a package whose package-info is not @NullMarked"));
            }
        };
    }
}
