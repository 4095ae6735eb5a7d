package com.fastn.context.engine;

import com.fastn.context.LockGuard;
import com.fastn.context.Operation;
import com.fastn.context.status.CallerLink;
import com.fastn.context.status.ContextKind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;

/** A tree in which contexts, counters, locks, operations and values come and go, by a seed. */
final class LiveTree {
    private final TestTree tree;
    private final Random random;
    private final List<ContextNode> open = new ArrayList<>();
    private final List<CompletableFuture<? extends LockGuard<?>>> locks = new ArrayList<>();
    private final List<Operation> operations = new ArrayList<>();

    LiveTree(TestTree tree, Random random) {
        this.tree = tree;
        this.random = random;
        open.add(tree.root);
    }

    void change(int times) {
        for (int i = 0; i < times; i++) {
            change();
        }
    }

    ContextNode any() {
        open.removeIf(ContextNode::isClosed);
        return open.get(random.nextInt(open.size()));
    }

    @SuppressWarnings("MustBeClosedChecker")
    private void change() {
        ContextNode at = any();
        int n = random.nextInt(6);
        switch (random.nextInt(20)) {
            case 0, 1, 2, 3, 4, 5, 6 ->
                open.add(at.openChild(
                        random.nextBoolean() ? "request" : "n." + n,
                        n < 3 ? ContextKind.TASK : ContextKind.SERVICE,
                        n == 0 ? new CallerLink("bob", "1-b", n, "global.x") : null));
            case 7 -> at.close();
            case 8 -> {
                if (at != tree.root && random.nextInt(3) == 0) {
                    at.cancel("stop " + n);
                }
            }
            case 9 -> at.setData("key" + n, random.nextBoolean() ? List.of(n, "é\n\"😀" + n) : (Object) (1L << 60));
            case 10 -> at.addMetric("metric" + n, n * 1_000L);
            case 11 -> at.addTotal("total" + n, n);
            case 12 -> at.incrementLive("live" + n);
            case 13 -> operations.add(at.operation("operation" + n));
            case 14 -> {
                if (!operations.isEmpty()) {
                    operations.remove(random.nextInt(operations.size())).close();
                }
            }
            case 15 -> locks.add(MutexTest.ask(at, any().mutex("lock" + n, n)));
            case 16 -> {
                if (!locks.isEmpty()) {
                    release(locks.remove(random.nextInt(locks.size())));
                }
            }
            case 17 -> at.touch("verb" + n);
            case 18 -> {
                if (n < 3) {
                    at.touch();
                } else {
                    at.persist();
                }
            }
            default -> tree.pass(Duration.ofMillis(random.nextInt(900)));
        }
    }

    private static void release(CompletableFuture<? extends LockGuard<?>> lock) {
        if (!lock.cancel(false)) {
            var unused = lock.handle((guard, failure) -> {
                if (guard != null) {
                    guard.close();
                }
                return null;
            });
        }
    }

    /** Gives back what a context would not give back by its end. */
    void end() {
        for (int i = locks.size() - 1; i >= 0; i--) {
            release(locks.get(i));
        }
        operations.forEach(Operation::close);
    }
}
