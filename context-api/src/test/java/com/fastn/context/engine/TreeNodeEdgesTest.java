package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fastn.context.ContextMutex;
import com.fastn.context.FastnContext;
import com.fastn.context.Operation;
import com.fastn.context.Registration;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The place of a context in the tree, at the edges: with as many children as a batch, with several lists, at its end. */
class TreeNodeEdgesTest {
    private static final int BATCH = 256;

    @RegisterExtension
    final TestTree tree = new TestTree();

    private final ContextNode server = tree.open("server");

    private List<ContextNode> open(int children) {
        List<ContextNode> all = new ArrayList<>();
        for (int i = 0; i < children; i++) {
            all.add(server.openChild("request", ContextKind.REQUEST, null));
        }
        return all;
    }

    private static List<ContextNode> seen(SnapshotWalk walk) {
        List<ContextNode> nodes = new ArrayList<>();
        for (int i = 0; i < walk.size(); i++) {
            nodes.add(walk.node(i));
        }
        return nodes;
    }

    /** Each in a thread that has a list of its own, as far as there are so many. */
    private List<ContextNode> openInThreads(int children) throws InterruptedException {
        List<ContextNode> all = new ArrayList<>();
        for (int i = 0; i < children; i++) {
            Thread thread = new Thread(() -> all.addAll(open(1)));
            thread.start();
            thread.join();
        }
        return all;
    }

    // --- shown

    @Test
    void howeverManyChildrenThereAreAWalkForTheStatusMeetsEachOnceTheOldestFirst() {
        List<ContextNode> children = new ArrayList<>();
        for (int count : new int[] {0, 1, BATCH - 1, BATCH, BATCH + 1, 3 * BATCH + 1}) {
            children.addAll(open(count - children.size()));
            List<ContextNode> ofRoot = seen(SnapshotWalk.from(tree.root));
            assertThat(ofRoot.subList(0, 2)).containsExactly(tree.root, server);
            assertThat(ofRoot.subList(2, ofRoot.size()))
                    .as("%d children", count)
                    .isEqualTo(children);
            // This one has less room at first.
            List<ContextNode> ofServer = seen(SnapshotWalk.from(server));
            assertThat(ofServer.subList(1, ofServer.size()))
                    .as("%d children", count)
                    .isEqualTo(children);
            assertThat(server.isWatched()).as("after the walk").isFalse();
        }
    }

    @Test
    void childrenInSeveralListsAreShownTheOldestFirst() throws InterruptedException {
        List<ContextNode> children = open(BATCH + 10);
        server.spread();
        children.addAll(openInThreads(20));
        List<ContextNode> shown = seen(SnapshotWalk.from(server));
        assertThat(shown.get(0)).isSameAs(server);
        assertThat(shown.subList(1, shown.size())).isEqualTo(children);
        assertThat(server.childNodes()).isEqualTo(children);
        assertThat(server.isWatched()).isFalse();
    }

    @Test
    void eachChildKnowsTheListThatItIsIn() throws InterruptedException {
        ContextNode before = open(1).get(0);
        assertThat(before.listNumber()).isZero();
        server.spread();
        List<ContextNode> behind = openInThreads(3 * ChildList.Stripe.COUNT);
        assertThat(behind)
                .extracting(TreeNode::listNumber)
                .allMatch(each -> each > 0 && each <= ChildList.Stripe.COUNT);
        assertThat(behind.stream().map(TreeNode::listNumber).distinct().count()).isGreaterThan(1);
        server.cancel();
        List<ContextNode> cancelled = openInThreads(3);
        assertThat(cancelled).allMatch(TreeNode::isBornCancelled);
        assertThat(cancelled)
                .extracting(TreeNode::listNumber)
                .allMatch(each -> each > 0 && each <= ChildList.Stripe.COUNT);
        assertThat(behind).noneMatch(TreeNode::isBornCancelled);
        cancelled.forEach(ContextNode::close);
        behind.forEach(ContextNode::close);
        assertThat(server.isChildless()).isFalse();
        before.close();
        assertThat(server.isChildless()).isTrue();
    }

    @Test
    void aContextGetsMoreListsOnceAndNoneAfterItsEnd() {
        server.spread();
        ChildList[] stripes = requireNonNull(server.extras().stripes);
        server.spread();
        assertThat(server.extras().stripes).isSameAs(stripes);
        ContextNode ended = tree.open("ended");
        ended.close();
        ended.spread();
        assertThat(ended.extras().stripes).isNull();
    }

    @Test
    void oneThreadAloneNeedsOneList() {
        List<ContextNode> children = open(3);
        children.get(0).close();
        open(3);
        assertThat(server.extrasOrNull()).isNull();
        assertThat(children.get(1).listNumber()).isZero();
        assertThat(children.get(1).isBornCancelled()).isFalse();
    }

    @Test
    void C2_theMonitorOfAChildIsNotHeldWhereThatOfItsParentIsWanted() {
        assumeTrue(TreeNode.class.desiredAssertionStatus());
        ContextNode child = new ContextNode(tree.runtime, server, "child", ContextKind.TASK);
        synchronized (child) {
            assertThatThrownBy(() -> server.link(child))
                    .isInstanceOf(AssertionError.class)
                    .hasMessageContaining("rule C2");
        }
        child.bornDead(new CancelReason(CancelReason.Kind.REQUESTED, "not linked", "test"));
        assertThat(tree.runtime.openContexts()).isEqualTo(2);
    }

    // --- the last child

    @Test
    void whoWaitsForTheLastChildWhereThereIsNoneIsToldAtOnceAndOnce() {
        List<String> told = new ArrayList<>();
        Registration none = server.whenChildless(() -> told.add("none"));
        assertThat(told).containsExactly("none");
        assertThat(server.isWatched()).isFalse();
        none.close();
        open(1).forEach(ContextNode::close);
        assertThat(told).containsExactly("none");
    }

    @Test
    void whoTakesBackItsTaskLeavesThoseOfTheOthers() {
        ContextNode child = open(1).get(0);
        List<String> told = new ArrayList<>();
        Registration one = server.whenChildless(() -> told.add("one"));
        server.whenChildless(() -> told.add("other"));
        one.close();
        assertThat(server.isWatched()).as("by the other").isTrue();
        child.close();
        assertThat(told).containsExactly("other");
        assertThat(server.isWatched()).isFalse();
    }

    @Test
    void whoWaitsForTheLastChildIsNotToldWhileOneIsLeftInAnyList() throws InterruptedException {
        ContextNode first = open(1).get(0);
        server.spread();
        ContextNode other = openInThreads(1).get(0);
        List<String> told = new ArrayList<>();
        server.whenChildless(() -> told.add("told"));
        other.close();
        assertThat(server.isChildless()).isFalse();
        assertThat(told).isEmpty();
        first.close();
        assertThat(told).containsExactly("told");
    }

    // --- marks

    @Test
    void aMarkSaysWhetherItIsTheFirstAndWhetherThereIsSomebodyBelow() {
        CancelReason reason = server.reason(CancelReason.Kind.REQUESTED, "stop");
        ContextNode alone = tree.open("alone");
        assertThat(alone.mayBeCancelled()).isTrue();
        assertThat(alone.mark(reason)).isEqualTo(TreeNode.MARKED);
        assertThat(alone.mark(reason)).isZero();
        assertThat(alone.mayBeCancelled()).isFalse();

        open(1);
        assertThat(server.mark(reason)).isEqualTo(TreeNode.MARKED | TreeNode.HAS_CHILDREN);
        assertThat(server.mark(reason)).isEqualTo(TreeNode.HAS_CHILDREN);
        CancelReason inherited = TreeNode.fromParent(reason);
        assertThat(TreeNode.fromParent(inherited)).isSameAs(inherited);
        server.childNodes().forEach(child -> child.mark(inherited));

        ContextNode spread = tree.open("spread");
        spread.spread();
        assertThat(spread.mark(reason))
                .as("there may be some in its lists")
                .isEqualTo(TreeNode.MARKED | TreeNode.HAS_CHILDREN);

        ContextNode closed = tree.open("closed");
        closed.close();
        assertThat(closed.mark(reason)).isZero();
        assertThat(closed.isCancelled()).isFalse();
        assertThat(closed.mayBeCancelled()).isFalse();
    }

    @Test
    void onlyAWalkThatHasSomewhereToGoIsSaidToBegin() {
        CancelReason reason = server.reason(CancelReason.Kind.REQUESTED, "stop");
        ContextNode closed = tree.open("closed");
        closed.close();
        assertThat(closed.markFirst(reason)).isZero();
        ContextNode alone = tree.open("alone");
        assertThat(alone.markFirst(reason)).isEqualTo(TreeNode.MARKED);
        assertThat(tree.runtime.isCancelling()).isFalse();
        open(1);
        assertThat(server.markFirst(reason)).isEqualTo(TreeNode.MARKED | TreeNode.HAS_CHILDREN);
        assertThat(tree.runtime.isCancelling()).isTrue();
        tree.runtime.cancellationHasMarkedAll();
        server.childNodes().forEach(child -> child.mark(TreeNode.fromParent(reason)));
    }

    // --- the end

    @Test
    void whatIsFoundAtTheEndSaysWhatIsLeftToDo() {
        ContextNode plain = tree.open("plain");
        assertThat(plain.beginToClose(false)).isEqualTo(TreeNode.IS_CLOSED);
        assertThat(plain.beginToClose(false)).isEqualTo(TreeNode.NOT_NOW);
        assertThat(plain.closeIfChildless()).isFalse();

        ContextNode labelled = tree.open("labelled");
        labelled.setData("key", 1);
        assertThat(labelled.beginToClose(false)).isEqualTo(TreeNode.IS_CLOSED);

        ContextNode busy = tree.open("busy");
        busy.persist();
        assertThat(busy.beginToClose(false)).isEqualTo(TreeNode.IS_CLOSED | TreeNode.HAS_MORE | TreeNode.SETTLED);

        ContextNode parent = tree.open("parent");
        ContextNode child = tree.open(parent, "child");
        assertThat(parent.closeIfChildless()).as("it is active").isFalse();
        assertThat(parent.beginToClose(false)).isZero();
        assertThat(parent.state()).isEqualTo(ContextState.CLOSING);
        assertThat(parent.closeIfChildless()).as("it has a child").isFalse();

        ContextNode spread = tree.open("spread");
        spread.spread();
        assertThat(spread.beginToClose(false)).isEqualTo(TreeNode.IS_CLOSED | TreeNode.HAS_MORE);

        // By hand, what the end of a context does besides.
        for (ContextNode ended : List.of(plain, labelled, busy, spread)) {
            assertThat(tree.root.unlink(ended)).as("others are left").isFalse();
            tree.runtime.contextClosed();
        }
        child.close();
        assertThat(parent.isClosed()).isTrue();
    }

    @Test
    @SuppressWarnings("MustBeClosedChecker") // they end with their contexts
    void onlyWhatCountsAndIsRememberedEndsWithoutItsMonitor() {
        Map<String, Consumer<ContextNode>> others = Map.of(
                "data", node -> node.setData("key", 1),
                "a handler", node -> node.onCancel(reason -> {}),
                "a time", node -> node.cancelAfter(Duration.ofSeconds(1)),
                "an operation", node -> node.operation("load"),
                "a lock", node -> node.mutex("till"),
                "a lock that is released with it",
                        node -> {
                            ContextMutex<?> till = node.mutex("till");
                            till.setAutoReleaseOnEnd(true);
                            assertThat(till.tryLock()).isNotNull();
                        });
        List<ContextNode> ended = new ArrayList<>();
        ContextNode counted = server.openCounted("counted", ContextKind.REQUEST, null, "requests");
        counted.failed(new IllegalStateException("no"));
        assertThat(counted.beginToClose(true)).isEqualTo(TreeNode.IS_CLOSED | TreeNode.HAS_MORE | TreeNode.SETTLED);
        others.forEach((what, has) -> {
            ContextNode more = server.openCounted("more", ContextKind.REQUEST, null, "requests");
            has.accept(more);
            assertThat(more.beginToClose(false)).as(what).isEqualTo(TreeNode.IS_CLOSED | TreeNode.HAS_MORE);
            ended.add(more);
        });
        // By hand, what the end of a context does besides.
        ended.add(counted);
        ended.forEach(node -> {
            ContextEnd.takeBackCounts(node);
            server.unlink(node);
            tree.runtime.contextClosed();
        });
    }

    @Test
    void whatIsWaitedForPutsTheEndOff() {
        ContextNode busy = tree.open(server, "busy");
        try (Operation load = busy.operation("load")) {
            assertThat(load.name()).isEqualTo("load");
            assertThat(busy.beginToClose(true)).isEqualTo(TreeNode.NOT_NOW);
            assertThat(busy.state()).isEqualTo(ContextState.ACTIVE);
        }
        assertThat(busy.state()).as("it was asked to").isEqualTo(ContextState.CLOSED);
    }

    @Test
    void whoseEndIsRememberedOrToldHasTheExactTimeOfIt() {
        ContextNode child = tree.open(server, "child");
        tree.passSeconds(1);
        server.close();
        assertThat(server.closingNanos(tree.runtime.nanos())).isZero();
        tree.passSeconds(2);
        assertThat(server.closingNanos(tree.runtime.nanos()))
                .isEqualTo(Duration.ofSeconds(2).toNanos());
        child.close();
        assertThat(server.duration()).isEqualTo(Duration.ofSeconds(3));
        assertThat(server.endedNanos() - server.createdNanos())
                .isEqualTo(Duration.ofSeconds(3).toNanos());
    }

    @Test
    void whoIsDeadFromTheStartWasNeverOpenAndTakesNothingThatEndsWithIt() {
        server.close();
        long open = tree.runtime.openContexts();
        ContextNode late = (ContextNode) server.child("late").withData("key", 1).open();
        assertThat(tree.runtime.openContexts()).isEqualTo(open);
        assertThat(late.duration()).isZero();
        assertThat(late.extras().ended).isTrue();
        late.incrementLive("jobs");
        assertThat(late.getLive("jobs")).isZero();
        assertThat(late.depth()).isEqualTo(2);
    }

    @Test
    void whatComesWithTheFirstUseKeepsTheLabelAndKnowsTheEnd() {
        ContextNode labelled =
                (ContextNode) tree.root.child("child").withLabel("Label").open();
        assertThat(labelled.extrasOrNull()).isNull();
        assertThat(labelled.label()).isEqualTo("Label");
        NodeExtras extras = labelled.extras();
        assertThat(labelled.extras()).isSameAs(extras);
        assertThat(labelled.extrasOrNull()).isSameAs(extras);
        assertThat(labelled.label()).isEqualTo("Label");
        assertThat(extras.ended).isFalse();
        FastnContext closed = tree.open("closed");
        closed.close();
        assertThat(((ContextNode) closed).extras().ended).isTrue();
    }
}
