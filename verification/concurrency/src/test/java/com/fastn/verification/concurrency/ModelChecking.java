package com.fastn.verification.concurrency;

import java.util.List;
import org.jetbrains.lincheck.datastructures.ManagedStrategyGuaranteeKt;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;

/**
 * Two threads, stopped and continued at every step of the code that races, and at no other.
 *
 * <p>Without the list below most places to stop lie in code that has nothing to do with a race, and the few that matter are
 * seldom tried. No step comes before the concurrent ones or after them: an early cancellation would leave nothing to race
 * for.
 */
final class ModelChecking {
    /** What the tree and the locks use, and what never calls them back. */
    private static final List<String> ATOMIC = List.of(
            "com.fastn.context.ManualTicker",
            "com.fastn.context.engine.CurrentContext",
            "com.fastn.context.engine.EngineRuntime",
            "com.fastn.context.engine.ManualTimers",
            "com.fastn.context.engine.Misuses",
            "com.fastn.context.status.ContextPath");

    private ModelChecking() {}

    static ModelCheckingOptions options(int operationsPerThread, int scenarios, int ordersPerScenario) {
        ATOMIC.forEach(ModelChecking::requireThere);
        return new ModelCheckingOptions()
                .threads(2)
                .actorsPerThread(operationsPerThread)
                .actorsBefore(0)
                .actorsAfter(0)
                .iterations(Scale.times(scenarios))
                .invocationsPerIteration(ordersPerScenario)
                .addGuarantee(ManagedStrategyGuaranteeKt.forClasses(ATOMIC.toArray(String[]::new))
                        .allMethods()
                        .treatAsAtomic());
    }

    private static void requireThere(String name) {
        try {
            Class.forName(name, false, ModelChecking.class.getClassLoader());
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException(name + " is gone; say here what took its place", e);
        }
    }
}
