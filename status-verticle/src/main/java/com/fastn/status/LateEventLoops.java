package com.fastn.status;

import com.fastn.context.WarningIds;
import com.fastn.context.status.HumanText;
import com.fastn.context.status.StatusWarning;
import com.fastn.context.status.WarningSeverity;
import com.fastn.context.vertx.EventLoopDelay;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The warning about event loops that run tasks late, though none is held up for long: many short tasks, or some that are a
 * little too long. It is known only while somebody watches.
 */
final class LateEventLoops {
    static final String WARNING_ID = WarningIds.EVENT_LOOP_LATE;
    static final Duration LATE = Duration.ofMillis(100);

    private final Supplier<List<EventLoopDelay>> delays;

    LateEventLoops(Supplier<List<EventLoopDelay>> delays) {
        this.delays = delays;
    }

    /** {@return a warning while a loop is late, or {@code null}} */
    @Nullable
    StatusWarning warning(String rootPath) {
        List<EventLoopDelay> late = delays.get().stream()
                .filter(delay -> delay.latest().compareTo(LATE) >= 0)
                .sorted(Comparator.comparing(EventLoopDelay::latest).reversed())
                .toList();
        Optional<EventLoopDelay> worst = late.stream().findFirst();
        return worst.map(loop -> new StatusWarning(
                        WARNING_ID,
                        WarningSeverity.WARNING,
                        loop.loop() + " runs tasks " + HumanText.duration(loop.latest()) + " late"
                                + others(late.size() - 1),
                        rootPath,
                        "which handlers take long on it; blocking work belongs into executeBlocking"))
                .orElse(null);
    }

    private static String others(int number) {
        return switch (number) {
            case 0 -> "";
            case 1 -> ", and 1 more event loop is late";
            default -> ", and " + number + " more event loops are late";
        };
    }
}
