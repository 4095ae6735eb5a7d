package com.fastn.context.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextMutex;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A lock that is handed on so quickly that whoever asked is served before its call has returned. */
class QuickHandOffTest {
    @RegisterExtension
    final TestTree tree = new TestTree();

    @Test
    void L1_whoIsServedBeforeItsOwnCallReturnsGetsItsGuardToo() throws InterruptedException {
        ContextMutex<Integer> mutex = tree.root.mutex("orders", 0);
        List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
        int threads = 4;
        int each = 150_000;
        List<Thread> all = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            all.add(new Thread(() -> {
                try {
                    for (int i = 0; i < each; i++) {
                        mutex.lock()
                                .thenAccept(guard -> {
                                    guard.set(guard.value() + 1);
                                    guard.close();
                                })
                                .toCompletableFuture()
                                .get(60, TimeUnit.SECONDS);
                    }
                } catch (Throwable failure) {
                    failures.add(failure);
                }
            }));
        }
        all.forEach(Thread::start);
        for (Thread thread : all) {
            thread.join();
        }
        assertThat(failures).isEmpty();
        assertThat(MutexTest.ask(tree.root, mutex).join().value()).isEqualTo(threads * each);
    }
}
