package com.fastn.verification.architecture;

import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a static field may hold: a value that is the same for ever.
 *
 * <p>The declared type does not tell a {@code List.of(..)} from an {@code ArrayList}, so the value itself is looked at.
 */
final class StaticState {
    /** Fields that hold something which could change, and why they may. */
    private static final Map<String, String> EXCEPTIONS = Map.of(
            "com.fastn.context.ContextEngine$Holder.ENGINE", "the process-wide default runtime lives in it",
            "com.fastn.context.engine.Engine.CURRENT", "the key of a thread-local, a constant so that a look is cheap",
            "com.fastn.context.vertx.ContextSlot.SLOT", "a key; Vert.x wants it before there is any Vertx",
            "com.fastn.context.vertx.ContextSlot.BEFORE_SCOPES", "the same",
            "com.fastn.context.vertx.ContextSlot.CANCELLATION", "the same",
            "com.fastn.context.vertx.EventPublisher.LOCAL", "options that are only read after this line",
            "com.fastn.status.StatusPublisher.LOCAL", "options that are only read after this line",
            "com.fastn.context.test.FastnContextExtension.NAMESPACE", "a key");

    /** Kinds of value that are never changed after they are made, by their package or class. */
    private static final List<String> FIXED = List.of(
            "java.lang.String",
            "java.lang.Class",
            "java.lang.invoke.",
            "java.math.",
            "java.nio.charset.",
            "java.time.",
            "java.util.Collections$Unmodifiable",
            "java.util.ImmutableCollections",
            "java.util.Locale",
            "java.util.concurrent.atomic.AtomicIntegerFieldUpdater",
            "java.util.concurrent.atomic.AtomicLongFieldUpdater",
            "java.util.concurrent.atomic.AtomicReferenceFieldUpdater",
            "java.util.regex.Pattern",
            "sun.nio.cs.",
            "org.slf4j.",
            // Configured where they are made, and safe for all threads from then on.
            "com.fasterxml.jackson.core.JsonFactory",
            "com.fasterxml.jackson.databind.ObjectMapper",
            "com.fasterxml.jackson.databind.ObjectReader",
            "com.fasterxml.jackson.databind.ObjectWriter");

    private StaticState() {}

    static ArchCondition<JavaField> neverChange() {
        return new ArchCondition<>("be final and hold what never changes") {
            @Override
            public void check(JavaField field, ConditionEvents events) {
                if (field.getModifiers().contains(JavaModifier.SYNTHETIC)) {
                    return;
                }
                String complaint = EXCEPTIONS.containsKey(field.getFullName()) ? null : complaint(field.reflect());
                events.add(new SimpleConditionEvent(
                        field,
                        complaint == null,
                        field.getFullName() + " " + complaint + " in " + field.getSourceCodeLocation()));
            }
        };
    }

    /** What is wrong with a static field, or null. */
    static @Nullable String complaint(Field field) {
        if (!Modifier.isFinal(field.getModifiers())) {
            return "is not final";
        }
        // A table that its class only reads. Nobody else can reach it.
        boolean table = field.getType().isArray() && Modifier.isPrivate(field.getModifiers());
        Object value = valueOf(field);
        return table || isFixed(value, 0)
                ? null
                : "holds a " + (value == null ? "null" : value.getClass().getName());
    }

    private static @Nullable Object valueOf(Field field) {
        try {
            field.setAccessible(true);
            return field.get(null);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(field + " cannot be read", e);
        }
    }

    private static boolean isFixed(@Nullable Object value, int depth) {
        if (value == null) {
            return true;
        }
        Class<?> type = value.getClass();
        if ((value instanceof Number && type.getName().startsWith("java.lang."))
                || value instanceof Boolean
                || value instanceof Character
                || value instanceof Enum<?>
                || type.isHidden()) {
            return true;
        }
        if (FIXED.stream().anyMatch(type.getName()::startsWith)) {
            return true;
        }
        return type.getName().startsWith("com.fastn.") && depth < 5 && allFieldsAreFixed(value, type, depth);
    }

    private static boolean allFieldsAreFixed(Object value, Class<?> type, int depth) {
        for (Class<?> at = type; at != null && at != Object.class && at != Record.class; at = at.getSuperclass()) {
            for (Field field : at.getDeclaredFields()) {
                if (Modifier.isStatic(field.getModifiers())) {
                    continue;
                }
                field.setAccessible(true);
                try {
                    if (!Modifier.isFinal(field.getModifiers()) || !isFixed(field.get(value), depth + 1)) {
                        return false;
                    }
                } catch (IllegalAccessException e) {
                    throw new IllegalStateException(field + " cannot be read", e);
                }
            }
        }
        return true;
    }
}
