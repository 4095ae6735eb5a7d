package com.fastn.verification.jcstress;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import com.fastn.context.ContextRuntime;
import com.fastn.context.FastnContext;
import com.fastn.context.LiveCount;
import com.fastn.context.Registration;
import com.fastn.context.status.CancelReason;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;
import org.openjdk.jcstress.infra.results.JJ_Result;
import org.openjdk.jcstress.infra.results.L_Result;
import org.openjdk.jcstress.infra.results.ZI_Result;

/** A handler of cancellation runs once when there is one, and what a context counts it takes back once (C3, C4, M3). */
public class HandlerRaces {

    /** A handler is registered while its context is cancelled. */
    @JCStressTest
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "By the one who cancels, or by the one who registers.")
    @Outcome(id = "0", expect = FORBIDDEN, desc = "Each took the other to run it.")
    @Outcome(expect = FORBIDDEN, desc = "Both ran it.")
    @State
    public static class RegisterMeetsCancel {
        private final FastnContext top = Tree.plant();
        private final AtomicInteger calls = new AtomicInteger();

        @Actor
        public void register() {
            top.onCancel(reason -> calls.incrementAndGet());
        }

        @Actor
        public void cancel() {
            top.cancel();
        }

        @Arbiter
        public void judge(I_Result r) {
            r.r1 = calls.get();
            Tree.fell(top);
        }
    }

    /** A child is opened and gets a handler while its parent is cancelled. */
    @JCStressTest
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "Once, at whichever of the places.")
    @Outcome(expect = FORBIDDEN, desc = "Never, or more than once.")
    @State
    public static class OpenAndRegisterMeetsCancel {
        private final FastnContext top = Tree.plant();
        private final AtomicInteger calls = new AtomicInteger();

        @Actor
        public void openAndRegister() {
            top.child("child").open().onCancel(reason -> calls.incrementAndGet());
        }

        @Actor
        public void cancel() {
            top.cancel();
        }

        @Arbiter
        public void judge(I_Result r) {
            r.r1 = calls.get();
            Tree.fell(top);
        }
    }

    /** Two cancel a context that has a handler, and that has a child with one. */
    @JCStressTest
    @Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "Each once.")
    @Outcome(expect = FORBIDDEN, desc = "A handler ran never, or for each of the two.")
    @State
    public static class CancelMeetsCancel {
        private final FastnContext top = Tree.plant();
        private final FastnContext child = top.child("child").open();
        private final AtomicInteger calls = new AtomicInteger();
        private final AtomicInteger callsBelow = new AtomicInteger();

        public CancelMeetsCancel() {
            top.onCancel(reason -> calls.incrementAndGet());
            child.onCancel(reason -> callsBelow.incrementAndGet());
        }

        @Actor
        public void one() {
            top.cancel();
        }

        @Actor
        public void two() {
            top.cancel();
        }

        @Arbiter
        public void judge(II_Result r) {
            r.r1 = calls.get();
            r.r2 = callsBelow.get();
            Tree.fell(top);
        }
    }

    /** A handler is taken back while its context is cancelled. */
    @JCStressTest
    @Outcome(id = "0", expect = ACCEPTABLE, desc = "Taken back in time.")
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "The cancellation was first.")
    @Outcome(expect = FORBIDDEN, desc = "It ran twice.")
    @State
    public static class UnregisterMeetsCancel {
        private final FastnContext top = Tree.plant();
        private final AtomicInteger calls = new AtomicInteger();
        private final Registration registration = top.onCancel(reason -> calls.incrementAndGet());

        @Actor
        public void unregister() {
            registration.close();
        }

        @Actor
        public void cancel() {
            top.cancel();
        }

        @Arbiter
        public void judge(I_Result r) {
            r.r1 = calls.get();
            Tree.fell(top);
        }
    }

    /** A context with a handler closes while it is cancelled. */
    @JCStressTest
    @Outcome(id = "true, 1", expect = ACCEPTABLE, desc = "Cancelled in time, and told.")
    @Outcome(id = "false, 0", expect = ACCEPTABLE, desc = "Closed first: nothing to tell.")
    @Outcome(expect = FORBIDDEN, desc = "Cancelled and not told, or told and not cancelled.")
    @State
    public static class CloseMeetsCancel {
        private final FastnContext top = Tree.plant();
        private final AtomicInteger calls = new AtomicInteger();

        public CloseMeetsCancel() {
            top.onCancel(reason -> calls.incrementAndGet());
        }

        @Actor
        public void close() {
            top.close();
        }

        @Actor
        public void cancel() {
            top.cancel();
        }

        @Arbiter
        public void judge(ZI_Result r) {
            r.r1 = top.isCancelled();
            r.r2 = calls.get();
            Tree.fell(top);
        }
    }

    /** The stage of the cancellation is asked for while its context is cancelled. */
    @JCStressTest
    @Outcome(id = "why", expect = ACCEPTABLE, desc = "Complete, whoever was first.")
    @Outcome(expect = FORBIDDEN, desc = "Whoever waits for it waits for ever.")
    @State
    public static class CancellationMeetsCancel {
        private final FastnContext top = Tree.plant();
        private @Nullable CompletionStage<CancelReason> stage;

        @Actor
        public void ask() {
            stage = top.cancellation();
        }

        @Actor
        public void cancel() {
            top.cancel("why");
        }

        @Arbiter
        public void judge(L_Result r) {
            r.r1 = "incomplete";
            if (stage != null) {
                stage.thenAccept(reason -> r.r1 = reason.message());
            }
            Tree.fell(top);
        }
    }

    /** A live count is given back by its handle while its context closes. */
    @JCStressTest
    @Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "Taken back once, and counted once.")
    @Outcome(expect = FORBIDDEN, desc = "Taken back by both, or by neither.")
    @State
    public static class HandleMeetsClose {
        // Counters belong to a path, and outlive it: a runtime for each.
        private final FastnContext root =
                ContextRuntime.builder().alias("races").build().root();
        private final FastnContext one = root.child("counting").open();
        private final FastnContext other = root.child("counting").open();
        private final LiveCount own = track(one);

        @SuppressWarnings("MustBeClosedChecker") // closed by an actor
        private static LiveCount track(FastnContext context) {
            return context.trackLive("calls");
        }

        @Actor
        public void giveBack() {
            own.close();
        }

        @Actor
        public void close() {
            one.close();
        }

        @Arbiter
        public void judge(JJ_Result r) {
            // A count below 0 reads as 0, so look at it with one more.
            other.incrementLive("calls");
            r.r1 = other.getLive("calls") - 1;
            r.r2 = other.getTotal("calls");
        }
    }
}
