package com.fastn.verification.concurrency;

import com.fastn.context.ContextRuntime;
import com.fastn.context.FastnContext;
import com.fastn.context.LiveCount;
import com.fastn.context.ManualTicker;
import com.fastn.context.status.ContextPath;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicInteger;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.Validate;
import org.junit.jupiter.api.Test;

/**
 * Two contexts share a path, and so their counters: in every order of steps each count reads as if all was done in turn,
 * each context takes back what it added and no more (M3), and nobody sees more alive than there ever were (M9).
 *
 * <p>Each count is read alone. Two counts, or one count of two paths, are not of one instant, and nobody says so.
 */
@Param(name = "n", gen = IntGen.class, conf = "1:3")
public class CountersLincheckTest {
    private final ContextRuntime runtime = ContextRuntime.builder()
            .alias("model")
            .ticker(new ManualTicker(Instant.EPOCH))
            .build();
    private final FastnContext above = runtime.root().child("above").open();
    private final FastnContext context = above.child("counting").open();
    private final FastnContext neighbour = above.child("counting").open();
    private final ContextPath path = context.path();
    private final LiveCount handle = track(context);
    private final LiveCount handleOfNeighbour = track(neighbour);
    private final AtomicInteger everTracked = new AtomicInteger(2);

    @SuppressWarnings("MustBeClosedChecker") // by an operation, or by its context's end
    private static LiveCount track(FastnContext context) {
        return context.trackLive("tracked");
    }

    /** Adds to a total; a context that has ended counts on. */
    @Operation
    public void addTotal(@Param(name = "n") int n) {
        context.addTotal("requests", n);
    }

    /** Adds to a live count by hand. */
    @Operation
    public void incrementLive() {
        context.incrementLive("open");
    }

    /** Takes back by hand, and nothing that is not there. */
    @Operation
    public void decrementLive() {
        context.decrementLive("open");
    }

    /** Counts until the context ends. */
    @Operation
    public void trackLive() {
        everTracked.incrementAndGet();
        track(context);
    }

    /** Closes the handle that the context has from the start; only the first time matters. */
    @Operation
    public void closeHandle() {
        handle.close();
    }

    /** Ends the context, which takes back all that it added. */
    @Operation
    public void closeContext() {
        context.close();
    }

    /** {@return the total} */
    @Operation
    public long total() {
        return neighbour.getTotal("requests");
    }

    /** {@return the total, as it is rolled up} */
    @Operation
    public long subtreeTotal() {
        return above.subtreeTotal("requests");
    }

    /** {@return the total, as it stands in the list of all counters} */
    @Operation
    public long flatTotal() {
        return runtime.counters()
                .flat(above.path())
                .getOrDefault(path.child("requests").toString(), 0L);
    }

    /** {@return what is alive} */
    @Operation
    public long live() {
        return neighbour.getLive("open");
    }

    /** {@return how many are tracked} */
    @Operation
    public long trackedLive() {
        return neighbour.getLive("tracked");
    }

    /** {@return whether there seem to be more alive than there ever were} */
    @Operation
    public boolean moreLiveThanTotal() {
        long live = above.subtreeLive("tracked");
        return live > above.subtreeTotal("tracked");
    }

    /** Whoever was tracked is in the total; and when all has ended, nothing is alive and nothing is owed. */
    @Validate
    public void allIsCountedAndTakenBack() {
        long total = above.subtreeTotal("tracked");
        if (total != everTracked.get()) {
            throw new IllegalStateException(total + " instead of " + everTracked + " were tracked");
        }
        context.close();
        handleOfNeighbour.close();
        // A count below 0 would read as 0, so look at it with one more.
        neighbour.incrementLive("tracked");
        neighbour.incrementLive("open");
        if (neighbour.getLive("tracked") != 1 || neighbour.getLive("open") != 1) {
            throw new IllegalStateException(
                    "left or owed: " + runtime.counters().flat(above.path()));
        }
    }

    @Test
    void M3_M9_inEveryOrderOfStepsCountsAreExact() {
        ModelChecking.options(3, 15, 80)
                .sequentialSpecification(CountersModel.class)
                .check(CountersLincheckTest.class);
    }
}
