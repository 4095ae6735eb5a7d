package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fastn.context.ContextRuntime;
import com.fastn.context.Counters;
import com.fastn.context.FastnContext;
import com.fastn.context.event.ContextEvent;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.LockType;
import com.fastn.context.status.NodeIdentity;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class EventJournalTest {
    private static final NodeIdentity NODE = new NodeIdentity("alice", "inc-1");
    private static final ContextPath A = ContextPath.of("global", "a");
    private static final ContextPath B = ContextPath.of("global", "b");

    private final EventJournal journal = new EventJournal(4);
    private final ContextRuntime runtime = ContextRuntime.builder().build();
    private final Counters counters = runtime.counters();

    @AfterEach
    void closeRuntime() {
        runtime.close();
    }

    /** What a counter of a path has by now. */
    private void has(String name, String counter, long total) {
        FastnContext context = runtime.root().child(name).open();
        context.addTotal(counter, total - context.getTotal(counter));
        context.close();
    }

    private EventFrame drained() {
        return requireNonNull(journal.drain(NODE, counters), "nothing is new");
    }

    private static ContextEvent counted(ContextPath path, String counter, long total) {
        return new ContextEvent.CounterChanged(1, path, counter, total, 0);
    }

    private static ContextEvent opened(long id) {
        return new ContextEvent.Opened(id, A, 1, ContextKind.TASK);
    }

    @Test
    void withoutEventsThereIsNoFrame() {
        assertThat(journal.drain(NODE, counters)).isNull();
    }

    @Test
    void aFrameSaysWhoseEventsItHolds() {
        journal.add(opened(7));
        EventFrame frame = drained();
        assertThat(frame.node()).isEqualTo("alice");
        assertThat(frame.incarnation()).isEqualTo("inc-1");
        assertThat(frame.events()).containsExactly(opened(7));
        assertThat(frame.dropped()).isZero();
        assertThat(journal.drain(NODE, counters)).isNull();
    }

    @Test
    void ofSeveralChangesOfACounterTheLastIsToldWhereItHappened() {
        has("a", "x", 2);
        has("b", "x", 1);
        has("a", "y", 1);
        journal.add(counted(A, "x", 1));
        journal.add(counted(B, "x", 1));
        journal.add(counted(A, "y", 1));
        journal.add(counted(A, "x", 2));
        assertThat(drained().events()).containsExactly(counted(B, "x", 1), counted(A, "y", 1), counted(A, "x", 2));
    }

    @Test
    void ofALockTheLastHoldAndTheLastWaitOfEachContextAreTold() {
        ContextEvent waits = new ContextEvent.WaitStarted(1, A, 9, "orders", LockType.MUTEX);
        ContextEvent holds = new ContextEvent.LockHeld(1, A, 9, "orders", LockType.MUTEX, 3);
        ContextEvent other = new ContextEvent.WaitStarted(2, B, 9, "orders", LockType.MUTEX);
        ContextEvent otherLock = new ContextEvent.WaitStarted(1, A, 10, "orders", LockType.MUTEX);
        journal.add(waits);
        journal.add(other);
        journal.add(otherLock);
        journal.add(holds);
        assertThat(drained().events()).containsExactly(waits, other, otherLock, holds);
        journal.add(holds);
        journal.add(new ContextEvent.LockReleased(1, A, 9, "orders", LockType.MUTEX, 3));
        ContextEvent heldAgain = new ContextEvent.LockHeld(1, A, 9, "orders", LockType.MUTEX, 4);
        journal.add(heldAgain);
        assertThat(drained().events()).containsExactly(heldAgain);
    }

    @Test
    void aContextThatCameAndWentIsToldAsGone() {
        ContextEvent closed = new ContextEvent.Closed(7, A);
        journal.add(opened(7));
        journal.add(closed);
        assertThat(drained().events()).containsExactly(closed);
    }

    @Test
    void aCancellationAnOperationAndAChangeAreThingsOfTheirOwn() {
        List<ContextEvent> all = List.of(
                opened(7),
                new ContextEvent.Cancelled(7, A, new CancelReason(CancelReason.Kind.REQUESTED, "x", "y")),
                new ContextEvent.OperationStarted(7, A, "db"),
                new ContextEvent.Changed(7, A, "db"));
        all.forEach(journal::add);
        assertThat(drained().events()).containsExactlyElementsOf(all);
    }

    @Test
    void anOperationThatEndedReplacesItsStart() {
        ContextEvent ended = new ContextEvent.OperationEnded(7, A, "db", 5);
        journal.add(new ContextEvent.OperationStarted(7, A, "db"));
        journal.add(ended);
        assertThat(drained().events()).containsExactly(ended);
    }

    @Test
    void numbersRiseByOneWithEachEventThatIsTold() {
        journal.add(opened(1));
        journal.add(opened(2));
        EventFrame first = drained();
        journal.add(opened(3));
        EventFrame second = drained();
        assertThat(first.firstSequence()).isEqualTo(1);
        assertThat(second.firstSequence()).isEqualTo(3);
    }

    @Test
    void whatHasNoRoomIsCountedOnceAndTheNumbersStayWithoutHoles() {
        for (int i = 1; i <= 7; i++) {
            journal.add(opened(i));
        }
        journal.addIfNew(opened(8));
        // There is always room for news of what is in it already.
        journal.add(new ContextEvent.Closed(2, A));
        EventFrame full = drained();
        assertThat(full.events()).hasSize(4).contains(new ContextEvent.Closed(2, A));
        assertThat(full.dropped()).isEqualTo(4);
        journal.add(opened(9));
        EventFrame next = drained();
        assertThat(next.firstSequence()).isEqualTo(5);
        assertThat(next.dropped()).isZero();
    }

    @Test
    void whatIsSoAlreadyDoesNotReplaceWhatHappenedSince() {
        has("a", "x", 5);
        has("a", "y", 1);
        journal.add(counted(A, "x", 5));
        journal.addIfNew(counted(A, "x", 4));
        journal.addIfNew(counted(A, "y", 1));
        assertThat(drained().events()).containsExactly(counted(A, "x", 5), counted(A, "y", 1));
    }

    @Test
    void aFrameHasTheLastValuesThoughThreadsCameInAnotherOrder() {
        has("a", "x", 6);
        journal.add(counted(A, "x", 6));
        journal.add(counted(A, "x", 5));
        assertThat(drained().events()).containsExactly(counted(A, "x", 6));

        ContextEvent released = new ContextEvent.LockReleased(1, A, 9, "orders", LockType.MUTEX, 3);
        ContextEvent heldAgain = new ContextEvent.LockHeld(1, A, 9, "orders", LockType.MUTEX, 4);
        journal.add(heldAgain);
        journal.add(released);
        assertThat(drained().events()).containsExactly(heldAgain);
        journal.add(released);
        journal.add(new ContextEvent.LockHeld(1, A, 9, "orders", LockType.MUTEX, 3));
        assertThat(drained().events()).containsExactly(released);

        journal.add(new ContextEvent.Closed(7, A));
        journal.add(opened(7));
        assertThat(drained().events()).containsExactly(new ContextEvent.Closed(7, A));
    }

    @Test
    void clearForgetsEventsAndDropsAndKeepsCounting() {
        journal.add(opened(1));
        drained();
        for (int i = 1; i <= 7; i++) {
            journal.add(opened(i));
        }
        journal.clear();
        assertThat(journal.drain(NODE, counters)).isNull();
        journal.add(opened(1));
        assertThat(drained().firstSequence()).isEqualTo(2);
    }

    @Test
    void theFramesOfAJournalCannotBeChanged() {
        journal.add(opened(1));
        assertThatThrownBy(() -> drained().events().clear()).isInstanceOf(UnsupportedOperationException.class);
    }
}
