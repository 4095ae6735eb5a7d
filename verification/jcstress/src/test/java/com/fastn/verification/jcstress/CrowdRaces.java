package com.fastn.verification.jcstress;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import com.fastn.context.FastnContext;
import com.fastn.context.engine.Crowd;
import org.jspecify.annotations.Nullable;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LL_Result;
import org.openjdk.jcstress.infra.results.ZL_Result;

/** The same where threads have met before, so that the children of a context are in several lists (C1). */
public class CrowdRaces {

    /** A child is opened while its parent is cancelled; who cancels looks at once. */
    @JCStressTest
    @Outcome(
            id = "false, ACTIVE cancelled",
            expect = ACCEPTABLE,
            desc = "Born cancelled, or found by the cancellation.")
    @Outcome(id = "true, .*", expect = FORBIDDEN, desc = "cancel() had returned, and a linked child was alive.")
    @Outcome(id = ".*alive.*", expect = FORBIDDEN, desc = "Alive below a cancelled parent.")
    @Outcome(expect = FORBIDDEN)
    @State
    public static class OpenMeetsCancel {
        private final FastnContext top = Tree.plantCrowded();
        private @Nullable FastnContext child;

        @Actor
        public void open() {
            child = top.child("child").open();
        }

        @Actor
        public void cancel(ZL_Result r) {
            top.cancel();
            r.r1 = top.children().stream().anyMatch(context -> !context.isCancelled());
        }

        @Arbiter
        public void judge(ZL_Result r) {
            r.r2 = child == null ? "none" : Tree.fate(child);
            Tree.fell(top);
        }
    }

    /** A child is opened while its parent closes. */
    @JCStressTest
    @Outcome(
            id = "CLOSING alive, ACTIVE alive",
            expect = ACCEPTABLE,
            desc = "Attached in time: the parent waits for it, where it was.")
    @Outcome(
            id = "CLOSED alive detached, CLOSED cancelled detached",
            expect = ACCEPTABLE,
            desc = "Too late: closed and cancelled from the start.")
    @Outcome(expect = FORBIDDEN, desc = "Open and cut off, or closed and still linked.")
    @State
    public static class OpenMeetsClose {
        private final FastnContext top = Tree.plantCrowded();
        private @Nullable FastnContext child;

        @Actor
        public void open() {
            child = top.child("child").open();
        }

        @Actor
        public void close() {
            top.close();
        }

        @Arbiter
        public void judge(LL_Result r) {
            r.r1 = Tree.fate(top);
            r.r2 = child == null ? "none" : Tree.fate(child);
            Tree.fell(top);
        }
    }

    /** A child, the only one, leaves while its parent closes: one of the two takes the parent out. */
    @JCStressTest
    @Outcome(
            id = "CLOSED alive detached, CLOSED alive detached",
            expect = ACCEPTABLE,
            desc = "Both are gone, whoever was last.")
    @Outcome(expect = FORBIDDEN, desc = "The parent waits for nobody, or was taken out twice.")
    @State
    public static class CloseMeetsCloseOfTheLastChild {
        private final FastnContext top = Tree.plantCrowded();
        private final FastnContext child = top.child("child").open();

        @Actor
        public void closeParent() {
            top.close();
        }

        @Actor
        public void closeChild() {
            child.close();
        }

        @Arbiter
        public void judge(LL_Result r) {
            r.r1 = Tree.fate(top);
            r.r2 = Tree.fate(child);
            Tree.fell(top);
        }
    }

    /** The last two children, each in a list of its own, leave a parent that closes: one of the two takes it out. */
    @JCStressTest
    @Outcome(
            id = "CLOSED alive detached, CLOSED alive detached",
            expect = ACCEPTABLE,
            desc = "All are gone, whoever was last.")
    @Outcome(expect = FORBIDDEN, desc = "The parent waits for nobody, or was taken out twice.")
    @State
    public static class CloseMeetsCloseInAnotherList {
        private final FastnContext top = Tree.plant();
        private final FastnContext child = top.child("own").open();
        private final FastnContext other;

        public CloseMeetsCloseInAnotherList() {
            Crowd.spread(top);
            other = top.child("striped").open();
            top.close();
        }

        @Actor
        public void closeChild() {
            child.close();
        }

        @Actor
        public void closeOther() {
            other.close();
        }

        @Arbiter
        public void judge(LL_Result r) {
            r.r1 = Tree.fate(top);
            r.r2 = Tree.fate(other);
            Tree.fell(top);
        }
    }
}
