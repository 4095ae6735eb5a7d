package com.fastn.context.test;

import java.util.Locale;
import java.util.Optional;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.platform.commons.support.AnnotationSupport;

/**
 * The other tests that may run beside one, as the configuration of JUnit and the annotations of the test say.
 *
 * <p>What runs at this moment is not asked: a test would have the default runtime by chance.
 */
final class Neighbours {
    private static final String PARALLEL = "junit.jupiter.execution.parallel.enabled";
    private static final String MODE = "junit.jupiter.execution.parallel.mode.default";
    private static final String MODE_OF_CLASSES = "junit.jupiter.execution.parallel.mode.classes.default";

    private Neighbours() {}

    /** {@return whether the test runs alone} */
    static boolean areNone(ExtensionContext test) {
        if (!Boolean.parseBoolean(test.getConfigurationParameter(PARALLEL).orElse("false"))) {
            return true;
        }
        boolean inTurn = !classesRunSideBySide(test);
        // The last one is the engine, which is in no class and says that it is concurrent.
        ExtensionContext at = test;
        for (Optional<ExtensionContext> up = at.getParent(); up.isPresent(); up = at.getParent()) {
            if (AnnotationSupport.isAnnotated(at.getElement(), Isolated.class)) {
                return true;
            }
            inTurn &= at.getExecutionMode() == ExecutionMode.SAME_THREAD;
            at = up.get();
        }
        return inTurn;
    }

    /** A class that asks for the same thread still has those beside it that do not. */
    private static boolean classesRunSideBySide(ExtensionContext test) {
        return test.getConfigurationParameter(MODE_OF_CLASSES)
                .or(() -> test.getConfigurationParameter(MODE))
                .filter(mode -> mode.strip().toUpperCase(Locale.ROOT).equals(ExecutionMode.CONCURRENT.name()))
                .isPresent();
    }
}
