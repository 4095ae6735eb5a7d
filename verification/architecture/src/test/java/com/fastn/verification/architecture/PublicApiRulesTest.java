package com.fastn.verification.architecture;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.codeUnits;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.members;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.methods;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaMember;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.domain.JavaType;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** What users see of the exported packages, from Java and from Kotlin. */
@AnalyzeClasses(locations = PublishedClasses.class)
class PublicApiRulesTest {
    private static final Set<String> EXPORTED = Set.of(
            "com.fastn.context",
            "com.fastn.context.event",
            "com.fastn.context.spi",
            "com.fastn.context.status",
            "com.fastn.context.test",
            "com.fastn.context.vertx",
            "com.fastn.status");

    private static final Set<String> KOTLIN_HARD_KEYWORDS = Set.of(
            "as",
            "break",
            "class",
            "continue",
            "do",
            "else",
            "false",
            "for",
            "fun",
            "if",
            "in",
            "interface",
            "is",
            "null",
            "object",
            "package",
            "return",
            "super",
            "this",
            "throw",
            "true",
            "try",
            "typealias",
            "typeof",
            "val",
            "var",
            "when",
            "while");

    @ArchTest
    static final ArchRule nothingOptional = members()
            .that(arePublicApi())
            .should(mentionNoOptional())
            .because("@Nullable says it in Java, in Kotlin and to NullAway, and costs nothing");

    @ArchTest
    static final ArchRule noCheckedExceptions = codeUnits()
            .that(arePublicApi())
            .should(declareNoCheckedException())
            .because("Kotlin and lambdas have none; what fails later fails its stage");

    @ArchTest
    static final ArchRule noNameThatKotlinMustQuote = methods()
            .that(arePublicApi())
            .should(haveNameThatKotlinCanSay())
            .because("nobody wants to write ctx.`when`(..)");

    @ArchTest
    static final ArchRule noPublicStateButConstants = fields().that(arePublicApi())
            .should()
            .beFinal()
            .andShould()
            .beStatic()
            .because("state has an owner, who may want to think when it is read");

    private static DescribedPredicate<JavaMember> arePublicApi() {
        return DescribedPredicate.describe(
                "users can reach",
                member -> isOpen(member.getModifiers())
                        && !member.getModifiers().contains(JavaModifier.SYNTHETIC)
                        && isReachable(member.getOwner()));
    }

    private static boolean isOpen(Set<JavaModifier> modifiers) {
        return modifiers.contains(JavaModifier.PUBLIC) || modifiers.contains(JavaModifier.PROTECTED);
    }

    private static boolean isReachable(JavaClass type) {
        return EXPORTED.contains(type.getPackageName())
                && isOpen(type.getModifiers())
                && type.getEnclosingClass().map(PublicApiRulesTest::isReachable).orElse(true);
    }

    private static ArchCondition<JavaMember> mentionNoOptional() {
        return new ArchCondition<>("mention no Optional") {
            @Override
            public void check(JavaMember member, ConditionEvents events) {
                boolean mentions = typesOf(member).stream()
                        .flatMap(type -> type.getAllInvolvedRawTypes().stream())
                        .anyMatch(type -> type.getName().startsWith("java.util.Optional"));
                events.add(new SimpleConditionEvent(member, !mentions, member.getFullName() + " mentions an Optional"));
            }
        };
    }

    private static List<JavaType> typesOf(JavaMember member) {
        List<JavaType> types = new ArrayList<>();
        if (member instanceof JavaCodeUnit unit) {
            types.add(unit.getReturnType());
            types.addAll(unit.getParameterTypes());
        } else if (member instanceof JavaField field) {
            types.add(field.getType());
        }
        return types;
    }

    private static ArchCondition<JavaCodeUnit> declareNoCheckedException() {
        return new ArchCondition<>("declare no checked exception") {
            @Override
            public void check(JavaCodeUnit unit, ConditionEvents events) {
                List<String> checked = unit.getThrowsClause().getTypes().stream()
                        .filter(type ->
                                !type.isAssignableTo(RuntimeException.class) && !type.isAssignableTo(Error.class))
                        .map(JavaClass::getName)
                        .toList();
                events.add(
                        new SimpleConditionEvent(unit, checked.isEmpty(), unit.getFullName() + " throws " + checked));
            }
        };
    }

    private static ArchCondition<JavaMember> haveNameThatKotlinCanSay() {
        return new ArchCondition<>("have a name that is no hard keyword of Kotlin") {
            @Override
            public void check(JavaMember method, ConditionEvents events) {
                boolean fine = !KOTLIN_HARD_KEYWORDS.contains(method.getName());
                events.add(new SimpleConditionEvent(
                        method, fine, method.getFullName() + " is named by a hard keyword of Kotlin"));
            }
        };
    }
}
