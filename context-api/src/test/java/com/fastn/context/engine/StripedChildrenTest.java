package com.fastn.context.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.FastnContext;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.ContextState;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A parent whose children were opened by many threads, and so are linked in several lists. */
class StripedChildrenTest {
    private static final int CHILDREN = 500;

    @RegisterExtension
    final TestTree tree = new TestTree();

    private ContextNode server;

    @BeforeEach
    void open() {
        server = tree.open("server");
        tree.open(server, "first of all");
        server.spread();
    }

    /** Opens children one after the other, each in a thread of its own. */
    private List<ContextNode> openInThreads(int count) throws InterruptedException {
        List<ContextNode> children = new ArrayList<>(server.childNodes());
        for (int i = 0; i < count; i++) {
            Thread thread = new Thread(() -> {
                synchronized (children) {
                    children.add(tree.open(server, "child"));
                }
            });
            thread.start();
            thread.join();
            tree.passSeconds(0.001);
        }
        return children;
    }

    @Test
    void aParentAtWhichThreadsMeetGetsAListForEachOfThem() throws InterruptedException {
        ContextNode parent = tree.open("parent");
        tree.open(parent, "alone").touch("so that it has extras");
        AtomicBoolean spread = new AtomicBoolean();
        long patience = System.nanoTime() + TimeUnit.MINUTES.toNanos(2);
        List<Thread> all = new ArrayList<>();
        for (int t = 0; t < 3; t++) {
            all.add(new Thread(() -> {
                while (!spread.get() && System.nanoTime() - patience < 0) {
                    tree.open(parent, "child").close();
                    NodeExtras extras = parent.extrasOrNull();
                    spread.compareAndSet(false, extras != null && extras.stripes != null);
                }
            }));
        }
        all.forEach(Thread::start);
        for (Thread thread : all) {
            thread.join();
        }
        assertThat(spread).isTrue();
    }

    @Test
    void childrenAreToldOldestFirstWhoeverOpenedThem() throws InterruptedException {
        List<ContextNode> children = openInThreads(30);
        assertThat(server.childNodes()).containsExactlyElementsOf(children);
        assertThat(server.children()).isEqualTo(children);
        assertThat(tree.runtime.status().globalContext().children().get(0).children())
                .extracting(child -> child.id())
                .containsExactlyElementsOf(
                        children.stream().map(FastnContext::id).toList());
    }

    @Test
    void aParentThatClosesWaitsForTheLastChildOfAnyThread() throws InterruptedException {
        List<ContextNode> children = openInThreads(30);
        Collections.shuffle(children, new Random(3));
        server.close();
        assertThat(server.state()).isEqualTo(ContextState.CLOSING);
        assertThat(tree.open(server, "late").isClosed()).isTrue();
        for (ContextNode child : children) {
            assertThat(server.isClosed()).isFalse();
            child.close();
        }
        assertThat(server.isClosed()).isTrue();
        assertThat(tree.root.childNodes()).isEmpty();
    }

    @Test
    void aParentWithoutChildrenClosesAtOnce() throws InterruptedException {
        openInThreads(20).forEach(ContextNode::close);
        assertThat(server.isChildless()).isTrue();
        server.close();
        assertThat(server.isClosed()).isTrue();
    }

    @Test
    void whoWaitsForTheLastChildIsToldOnce() throws InterruptedException {
        List<ContextNode> children = openInThreads(20);
        AtomicInteger told = new AtomicInteger();
        server.whenChildless(told::incrementAndGet);
        for (ContextNode child : children) {
            assertThat(told).hasValue(0);
            child.close();
        }
        assertThat(told).hasValue(1);
        server.whenChildless(told::incrementAndGet);
        assertThat(told).hasValue(2);
    }

    @Test
    void C1_childrenOfAllThreadsAreCancelledAndLaterOnesAreBornSo() throws InterruptedException {
        List<ContextNode> children = openInThreads(30);
        children.get(7).close();
        server.cancel("enough");
        assertThat(server.childNodes()).hasSize(30).allMatch(ContextNode::isCancelled);
        assertThat(openInThreads(20)).filteredOn(c -> !c.isClosed()).allMatch(ContextNode::isCancelled);
    }

    @Test
    void C7_aWalkInBatchesMeetsEveryChildThatStaysOnce() throws InterruptedException {
        Random random = new Random(5);
        for (int round = 0; round < 10; round++) {
            List<ContextNode> children = openInThreads(20);
            for (int i = 0; i < CHILDREN; i++) {
                children.add(tree.open(server, "child"));
            }
            List<ContextNode> met = new ArrayList<>();
            ChildBatches walk = new ChildBatches(server);
            for (List<ContextNode> batch = walk.next(); !batch.isEmpty(); batch = walk.next()) {
                met.addAll(batch);
                for (int i = 0; i < 40; i++) {
                    children.get(random.nextInt(children.size())).close();
                }
            }
            assertThat(met).doesNotHaveDuplicates().containsAll(server.childNodes());
            server.childNodes().forEach(ContextNode::close);
        }
    }

    @Test
    void C1_C8_nobodyIsAliveAndDetachedWhileManyThreadsOpenCloseAndCancel() throws InterruptedException {
        for (int round = 0; round < 200; round++) {
            ContextNode parent = tree.open("parent");
            AtomicBoolean go = new AtomicBoolean();
            List<ContextNode> left = Collections.synchronizedList(new ArrayList<>());
            List<Thread> all = new ArrayList<>();
            for (int t = 0; t < 3; t++) {
                boolean spreads = t == 0;
                all.add(new Thread(() -> {
                    while (!go.get()) {
                        Thread.onSpinWait();
                    }
                    for (int i = 0; i < 60; i++) {
                        ContextNode child = tree.open(parent, "child");
                        if (i % 3 == 0) {
                            left.add(child);
                        } else {
                            child.close();
                        }
                        if (spreads && i == 20) {
                            parent.spread();
                        }
                    }
                }));
            }
            boolean closes = round % 2 == 0;
            all.add(new Thread(() -> {
                while (!go.get()) {
                    Thread.onSpinWait();
                }
                if (closes) {
                    parent.close();
                }
                parent.cancel("enough");
            }));
            all.forEach(Thread::start);
            go.set(true);
            for (Thread thread : all) {
                thread.join();
            }

            List<ContextNode> linked = parent.childNodes();
            for (ContextNode child : left) {
                assertThat(child.isCancelled() || (closes && parent.isClosed()))
                        .as("%s", child)
                        .isTrue();
                assertThat(linked.contains(child)).as("%s", child).isNotEqualTo(child.isClosed());
            }
            assertThat(linked).as("only what was left").allMatch(left::contains);
            left.forEach(ContextNode::close);
            parent.close();
            assertThat(parent.isClosed()).isTrue();
            assertThat(parent.isChildless()).isTrue();
        }
    }

    @Test
    void C9_aCancellationThatComesAfterTheEndOfAContextWithStripesFindsNothingToDo() {
        ContextNode service = tree.open("service");
        service.spread();
        service.close();

        CancelWalk.cancel(service, new CancelReason(CancelReason.Kind.REQUESTED, "late", "test"));

        assertThat(service.cancelReason()).isNull();
        assertThat(tree.runtime.isCancelling()).isFalse();
    }
}
