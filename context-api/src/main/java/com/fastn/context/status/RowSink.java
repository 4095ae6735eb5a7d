package com.fastn.context.status;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Takes what a status says of one context, without a record of it. */
public interface RowSink {

    /**
     * Takes a context; the parameters are those of {@link ContextStatus}.
     *
     * @param id its number
     * @param name its name
     * @param label the name for people
     * @param kind what it stands for
     * @param state where it is in its life
     * @param cancelReason why it was asked to stop, or {@code null}
     * @param trouble why it is worth a look, or {@code null}
     * @param ageNanos nanoseconds since it was created
     * @param quietNanos nanoseconds since its last sign of life
     * @param activity what that was, or {@code null}
     * @param onThread whether it runs on a thread
     * @param caller the known caller elsewhere, or {@code null}
     * @param operations what it is inside of
     * @param metrics values shown in its row
     * @param data values stored on it
     * @param totals what its path counted
     * @param live what its path counts as going on
     * @param subtreeTotals the same with all paths below
     * @param subtreeLive the same with all paths below
     */
    void row(
            long id,
            String name,
            String label,
            ContextKind kind,
            ContextState state,
            @Nullable CancelReason cancelReason,
            @Nullable ContextTrouble trouble,
            long ageNanos,
            long quietNanos,
            @Nullable String activity,
            boolean onThread,
            @Nullable CallerLink caller,
            List<OperationStatus> operations,
            Map<String, MetricValue> metrics,
            Map<String, @Nullable Object> data,
            Map<String, Long> totals,
            Map<String, Long> live,
            Map<String, Long> subtreeTotals,
            Map<String, Long> subtreeLive);
}
