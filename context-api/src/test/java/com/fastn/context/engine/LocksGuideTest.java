package com.fastn.context.engine;

import static com.fastn.context.engine.Failures.assertFailure;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextMutex;
import com.fastn.context.ContextReadWriteLock;
import com.fastn.context.ContextScope;
import com.fastn.context.ContextSemaphore;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.PermitGuard;
import com.fastn.context.ReadGuard;
import com.fastn.context.SelfDeadlockException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Runs what {@code docs/locks.md} shows. */
class LocksGuideTest {
    @RegisterExtension
    final TestTree tree = new TestTree();

    private record Stock(int loaves) {
        Stock() {
            this(10);
        }

        CompletionStage<Integer> take(int some) {
            return CompletableFuture.completedFuture(loaves - some);
        }

        Stock refilled() {
            return new Stock(100);
        }
    }

    private record Prices(int bread) {
        Prices raised() {
            return new Prices(bread + 1);
        }
    }

    private static CompletionStage<String> pay() {
        return CompletableFuture.completedFuture("paid");
    }

    @Test
    void theCodeOfTheGuideDoesWhatItSays() {
        FastnContext shop = tree.open("shop");
        ContextMutex<Stock> stock = shop.mutex("stock", new Stock());
        CompletionStage<Integer> left = stock.withLock(value -> value.take(3));
        assertThat(left).isCompletedWithValue(7);

        stock.lock(Duration.ofSeconds(2)).thenAccept(guard -> {
            try (guard) {
                guard.update(Stock::refilled);
            }
        });
        try (LockGuard<Stock> guard = stock.lockBlocking()) {
            assertThat(guard.value().loaves()).isEqualTo(100);
        }

        ContextReadWriteLock<Prices> prices = shop.readWriteLock("prices", new Prices(100));
        prices.withWriteLock(guard -> {
            guard.set(guard.value().raised());
            return CompletableFuture.completedFuture(null);
        });
        CompletionStage<Integer> price = prices.withReadLock(now -> CompletableFuture.completedFuture(now.bread()));
        assertThat(price).isCompletedWithValue(101);

        ContextSemaphore tills = shop.semaphore("tills", 4);
        CompletionStage<String> receipt = tills.withPermit(() -> pay());
        assertThat(receipt).isCompletedWithValue("paid");

        assertFailure(stock.withLock(value -> stock.lock())).isInstanceOf(SelfDeadlockException.class);
        stock.setAutoReleaseOnEnd(true);
    }

    @Test
    void theStatusOfTheGuideIsWhatIsShown() throws IOException {
        ContextReadWriteLock<String> prices = tree.root.readWriteLock("prices", "");
        ContextSemaphore tills = tree.root.semaphore("tills", 4);
        CompletableFuture<ReadGuard<String>> read = as("report", prices::readLock);
        CompletableFuture<PermitGuard> permits = as("till", () -> tills.acquire(3));
        CompletableFuture<LockGuard<String>> write = as("update", prices::writeLock);
        String guide = Files.readString(Path.of("..", "docs", "locks.md"));
        String shown = tree.runtime.status().toString();

        assertThat(guide).contains(shown.substring(shown.indexOf("App (")).strip());
        read.join().close();
        permits.join().close();
        write.join().close();
    }

    private <T> CompletableFuture<T> as(String name, java.util.function.Supplier<CompletionStage<T>> code) {
        try (ContextScope ignored = tree.open(name).makeCurrent()) {
            return code.get().toCompletableFuture();
        }
    }
}
