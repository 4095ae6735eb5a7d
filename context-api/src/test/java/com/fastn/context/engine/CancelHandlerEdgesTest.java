package com.fastn.context.engine;

import static com.fastn.context.engine.Patience.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.Registration;
import com.fastn.context.status.CancelReason;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A handler for cancellation: where it runs, when it does not, and what is said when it fails. */
class CancelHandlerEdgesTest {
    private final TestTree bound = new TestTree(new FakeLoop.Binding());
    private final ContextNode child = bound.open("child");
    private final FakeLoop loop = new FakeLoop();
    private final List<String> ran = new ArrayList<>();

    @AfterEach
    void end() {
        bound.end();
    }

    private Registration onLoop(Runnable handler) {
        List<Registration> made = new ArrayList<>();
        loop.run(() -> made.add(child.onCancel(reason -> handler.run())));
        return made.get(0);
    }

    private static void fail(String name) {
        throw new IllegalStateException(name);
    }

    @Test
    void C3_aHandlerThatFailsOnItsLoopIsReportedThere() {
        onLoop(() -> fail("planted"));
        onLoop(() -> ran.add("next"));
        assertThat(CapturedLog.of(child::cancel)).isEmpty();
        assertThat(CapturedLog.of(loop::turn))
                .containsOnlyOnce("1 of the cancellation handlers of app.child failed; the others have run")
                .contains("planted");
        assertThat(ran).containsExactly("next");
    }

    @Test
    void C3_aHandlerThatDoesNotFailOnItsLoopIsNotReported() {
        onLoop(() -> ran.add("handler"));
        child.cancel();
        assertThat(CapturedLog.of(loop::turn)).isEmpty();
        assertThat(ran).containsExactly("handler");
    }

    @Test
    void aHandlerThatIsTakenBackBeforeItsLoopHasItsTurnDoesNotRun() {
        Registration taken = onLoop(() -> ran.add("taken back"));
        onLoop(() -> ran.add("stays"));
        child.cancel();
        taken.close();
        loop.turn();
        assertThat(ran).containsExactly("stays");
    }

    @Test
    void aHandlerThatRanOnItsLoopIsNotRunAgainAndMayBeTakenBackForNothing() {
        Registration handler = onLoop(() -> ran.add("handler"));
        child.cancel();
        loop.turn();
        handler.close();
        handler.close();
        child.cancel();
        loop.turn();
        assertThat(ran).containsExactly("handler");
    }

    @Test
    void oneOfTheSameTwiceIsTakenBackAlone() {
        Registration one = child.onCancel(reason -> ran.add("one"));
        var unused = child.onCancel(reason -> ran.add("other"));
        assertThat(child.cancelHandlers()).isEqualTo(2);
        one.close();
        assertThat(child.cancelHandlers()).isEqualTo(1);
        one.close();
        assertThat(child.cancelHandlers()).isEqualTo(1);
        child.cancel();
        assertThat(ran).containsExactly("other");
    }

    @Test
    void C3_oneFailureIsSaidAsItIs() {
        var unused = child.onCancel(reason -> fail("planted"));
        assertThat(CapturedLog.of(child::cancel))
                .containsOnlyOnce("1 of the cancellation handlers of app.child failed")
                .contains("planted")
                .doesNotContain("handlers failed; the first are suppressed here");
    }

    @Test
    void C3_ofManyFailuresTheFirstTenAreSaid() {
        for (int i = 0; i < 12; i++) {
            String name = "failure-%02d".formatted(i);
            var unused = child.onCancel(reason -> fail(name));
        }
        assertThat(CapturedLog.of(child::cancel))
                .containsOnlyOnce("12 of the cancellation handlers of app.child failed")
                .contains("12 handlers failed; the first are suppressed here", "failure-00", "failure-09")
                .doesNotContain("failure-10");
    }

    @Test
    void C3_aHandlerThatComesLateAndFailsIsReportedAndOneThatDoesNotIsNot() {
        child.cancel();
        assertThat(CapturedLog.of(() -> {
                    var unused = child.onCancel(reason -> ran.add("late"));
                }))
                .isEmpty();
        assertThat(CapturedLog.of(() -> {
                    var unused = child.onCancel(reason -> fail("planted"));
                }))
                .containsOnlyOnce("1 of the cancellation handlers of app.child failed");
        assertThat(ran).containsExactly("late");
    }

    @Test
    void aHandlerOfAContextThatEndsIsDropped() {
        Registration handler = child.onCancel(reason -> ran.add("handler"));
        child.close();
        child.cancel();
        handler.close();
        assertThat(ran).isEmpty();
        assertThat(child.isCancelled()).isFalse();
        // Somebody may keep what was given for the handler: it is not run for another context's sake either.
        ((CancelHandler) handler).fire(child.reason(CancelReason.Kind.REQUESTED, "late"));
        assertThat(ran).isEmpty();
    }

    @Test
    void C8_whoeverKeepsWhatWasGivenForAHandlerKeepsNoContextThatIsGone() {
        List<Registration> kept = new ArrayList<>();
        List<WeakReference<ContextNode>> gone = new ArrayList<>();
        for (boolean runs : new boolean[] {true, false}) {
            ContextNode other = bound.open("other");
            Registration handler = other.onCancel(reason -> ran.add(reason.message() + other));
            if (runs) {
                other.cancel();
            } else {
                handler.close();
            }
            other.close();
            kept.add(handler);
            gone.add(new WeakReference<>(other));
        }
        await().until(() -> {
            System.gc();
            return gone.stream().allMatch(each -> each.get() == null);
        });
        assertThat(kept).hasSize(2);
    }
}
