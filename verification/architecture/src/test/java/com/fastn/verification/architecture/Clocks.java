package com.fastn.verification.architecture;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.AccessTarget.CodeUnitAccessTarget;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.conditions.ArchConditions;
import java.util.Calendar;
import java.util.Date;
import java.util.Set;

/** The ways to ask the machine what time it is, by a call or by a method reference. */
final class Clocks {
    private static final Set<String> OF_SYSTEM = Set.of("nanoTime", "currentTimeMillis");

    private Clocks() {}

    static ArchCondition<JavaClass> beRead() {
        return ArchConditions.accessTargetWhere(DescribedPredicate.describe("a clock is read", Clocks::isRead))
                .as("read a clock");
    }

    private static boolean isRead(JavaAccess<?> access) {
        if (!(access.getTarget() instanceof CodeUnitAccessTarget target)) {
            return false;
        }
        JavaClass owner = target.getOwner();
        String name = target.getName();
        boolean withoutArguments = target.getRawParameterTypes().isEmpty();
        if (owner.isEquivalentTo(System.class)) {
            return OF_SYSTEM.contains(name);
        }
        if (owner.isEquivalentTo(Date.class)) {
            return name.equals("<init>") && withoutArguments;
        }
        if (owner.isAssignableTo(Calendar.class)) {
            return name.equals("getInstance");
        }
        return owner.getPackageName().startsWith("java.time")
                && (name.equals("now") || owner.isEquivalentTo(java.time.Clock.class));
    }
}
