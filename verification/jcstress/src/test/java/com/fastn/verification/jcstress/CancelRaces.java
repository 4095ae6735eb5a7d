package com.fastn.verification.jcstress;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import com.fastn.context.FastnContext;
import com.fastn.context.status.CancelReason;
import org.jspecify.annotations.Nullable;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LL_Result;
import org.openjdk.jcstress.infra.results.ZL_Result;

/** A child of a cancelled parent is never alive and detached (C1). */
public class CancelRaces {

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
        private final FastnContext top = Tree.plant();
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

    /** A grandchild is opened while the grandparent is cancelled. */
    @JCStressTest
    @Outcome(id = "false, ACTIVE cancelled", expect = ACCEPTABLE, desc = "Reached, whoever was first.")
    @Outcome(expect = FORBIDDEN, desc = "Alive below a cancelled grandparent.")
    @State
    public static class OpenBelowMeetsCancel {
        private final FastnContext top = Tree.plant();
        private final FastnContext middle = top.child("middle").open();
        private @Nullable FastnContext child;

        @Actor
        public void open() {
            child = middle.child("child").open();
        }

        @Actor
        public void cancel(ZL_Result r) {
            top.cancel();
            r.r1 = middle.children().stream().anyMatch(context -> !context.isCancelled());
        }

        @Arbiter
        public void judge(ZL_Result r) {
            r.r2 = child == null ? "none" : Tree.fate(child);
            Tree.fell(top);
        }
    }

    /** A child and its child are opened while the top is cancelled. */
    @JCStressTest
    @Outcome(id = "ACTIVE cancelled, ACTIVE cancelled", expect = ACCEPTABLE, desc = "Both reached, or born cancelled.")
    @Outcome(expect = FORBIDDEN, desc = "One of the two escaped.")
    @State
    public static class OpenTwoMeetsCancel {
        private final FastnContext top = Tree.plant();
        private @Nullable FastnContext child;
        private @Nullable FastnContext grandchild;

        @Actor
        public void open() {
            FastnContext opened = top.child("child").open();
            child = opened;
            grandchild = opened.child("grandchild").open();
        }

        @Actor
        public void cancel() {
            top.cancel();
        }

        @Arbiter
        public void judge(LL_Result r) {
            r.r1 = child == null ? "none" : Tree.fate(child);
            r.r2 = grandchild == null ? "none" : Tree.fate(grandchild);
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
        private final FastnContext top = Tree.plant();
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

    /** A child is opened while its parent is cancelled and closed. */
    @JCStressTest
    @Outcome(
            id = "CLOSING cancelled, ACTIVE cancelled",
            expect = ACCEPTABLE,
            desc = "Attached in time: cancelled, and waited for.")
    @Outcome(
            id = "CLOSED cancelled detached, CLOSED cancelled detached",
            expect = ACCEPTABLE,
            desc = "Too late: closed and cancelled from the start.")
    @Outcome(expect = FORBIDDEN, desc = "Alive, or cut off.")
    @State
    public static class OpenMeetsCancelAndClose {
        private final FastnContext top = Tree.plant();
        private @Nullable FastnContext child;

        @Actor
        public void open() {
            child = top.child("child").open();
        }

        @Actor
        public void end() {
            top.cancel();
            top.close();
        }

        @Arbiter
        public void judge(LL_Result r) {
            r.r1 = Tree.fate(top);
            r.r2 = child == null ? "none" : Tree.fate(child);
            Tree.fell(top);
        }
    }

    /** The one between closes, and waits for its child, while the top is cancelled. */
    @JCStressTest
    @Outcome(
            id = "CLOSING cancelled, ACTIVE cancelled",
            expect = ACCEPTABLE,
            desc = "A closing context hands the cancellation on.")
    @Outcome(expect = FORBIDDEN, desc = "The grandchild was lost from sight.")
    @State
    public static class CloseBetweenMeetsCancel {
        private final FastnContext top = Tree.plant();
        private final FastnContext middle = top.child("middle").open();
        private final FastnContext child = middle.child("child").open();

        @Actor
        public void close() {
            middle.close();
        }

        @Actor
        public void cancel() {
            top.cancel();
        }

        @Arbiter
        public void judge(LL_Result r) {
            r.r1 = Tree.fate(middle);
            r.r2 = Tree.fate(child);
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
        private final FastnContext top = Tree.plant();
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

    /** Neighbours leave and come: the list of their parent stays whole. */
    @JCStressTest
    @Outcome(id = "left, new", expect = ACCEPTABLE, desc = "Who stayed and who came, in this order.")
    @Outcome(expect = FORBIDDEN, desc = "A link was lost.")
    @State
    public static class CloseMeetsOpenOfSiblings {
        private final FastnContext top = Tree.plant();
        private final FastnContext left = top.child("left").open();
        private final FastnContext right = top.child("right").open();

        @Actor
        public void close() {
            right.close();
        }

        @Actor
        public void open() {
            top.child("new").open();
        }

        @Arbiter
        public void judge(LL_Result r) {
            r.r1 = top.children().get(0).name();
            r.r2 = top.children().size() == 2
                    ? top.children().get(1).name()
                    : top.children().size() + " " + left;
            Tree.fell(top);
        }
    }

    /** Two cancel at once, each with words of its own: the first one's stand, above and below. */
    @JCStressTest
    @Outcome(id = "one, one", expect = ACCEPTABLE, desc = "The first was first.")
    @Outcome(id = "two, two", expect = ACCEPTABLE, desc = "The second was first.")
    @Outcome(expect = FORBIDDEN, desc = "A child was told a reason that its parent does not have.")
    @State
    public static class CancelMeetsCancel {
        private final FastnContext top = Tree.plant();
        private final FastnContext child = top.child("child").open();

        @Actor
        public void one() {
            top.cancel("one");
        }

        @Actor
        public void two() {
            top.cancel("two");
        }

        @Arbiter
        public void judge(LL_Result r) {
            r.r1 = words(top);
            r.r2 = words(child);
            Tree.fell(top);
        }
    }

    /** The top is cancelled while the one below is: nobody is skipped, and who is below has the words of who is above. */
    @JCStressTest
    @Outcome(id = "above, above", expect = ACCEPTABLE, desc = "The top was first.")
    @Outcome(id = "below, below", expect = ACCEPTABLE, desc = "The one below was first.")
    @Outcome(expect = FORBIDDEN, desc = "Not reached, or told a reason that its parent does not have.")
    @State
    public static class CancelMeetsCancelBelow {
        private final FastnContext top = Tree.plant();
        private final FastnContext middle = top.child("middle").open();
        private final FastnContext child = middle.child("child").open();

        @Actor
        public void above() {
            top.cancel("above");
        }

        @Actor
        public void below() {
            middle.cancel("below");
        }

        @Arbiter
        public void judge(LL_Result r) {
            r.r1 = words(middle);
            r.r2 = words(child);
            Tree.fell(top);
        }
    }

    private static String words(FastnContext context) {
        CancelReason reason = context.cancelReason();
        return reason == null ? "alive" : reason.message();
    }
}
