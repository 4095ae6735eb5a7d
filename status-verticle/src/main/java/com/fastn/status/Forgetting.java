package com.fastn.status;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;

/** The looks at what is kept for who asks again, each after a while: there is one to come as long as something is kept. */
final class Forgetting {
    private final BiConsumer<Duration, Runnable> later;
    private final BooleanSupplier isWanted;
    private final Set<Object> toCome = ConcurrentHashMap.newKeySet();

    /**
     * Looks at nothing yet.
     *
     * @param later runs a task after a time
     * @param isWanted whether anybody may still ask; when nobody may, the looks end
     */
    Forgetting(BiConsumer<Duration, Runnable> later, BooleanSupplier isWanted) {
        this.later = later;
        this.isWanted = isWanted;
    }

    /**
     * Something is kept from now on, and not only in a moment: a look between the two would be the last one.
     *
     * @param keeper who keeps it
     * @param time how long it is kept
     * @param isAnyLeft has the keeper forget what is too old, and says whether anything is left
     */
    void keeps(Object keeper, Duration time, BooleanSupplier isAnyLeft) {
        if (toCome.add(keeper)) {
            later.accept(time, () -> look(keeper, time, isAnyLeft));
        }
    }

    private void look(Object keeper, Duration time, BooleanSupplier isAnyLeft) {
        // Before anything is looked at: for what is kept from here on there is another look.
        toCome.remove(keeper);
        if (isWanted.getAsBoolean() && isAnyLeft.getAsBoolean()) {
            keeps(keeper, time, isAnyLeft);
        }
    }
}
