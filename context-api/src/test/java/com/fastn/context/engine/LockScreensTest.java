package com.fastn.context.engine;

import static com.fastn.context.Golden.golden;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextMutex;
import com.fastn.context.ContextReadWriteLock;
import com.fastn.context.ContextScope;
import com.fastn.context.ContextSemaphore;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.Operation;
import com.fastn.context.PermitGuard;
import com.fastn.context.ReadGuard;
import com.fastn.context.status.Explanation;
import com.fastn.context.status.StatusRenderer;
import com.fastn.context.status.WaitEpisode;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What an operator sees of locks, of those who wait, and of why: lived through by a runtime, not made of records. */
@SuppressWarnings("MustBeClosedChecker") // guards are closed by hand
class LockScreensTest {
    @RegisterExtension
    final TestTree tree = new TestTree();

    private static <T> T in(FastnContext context, Supplier<T> code) {
        try (ContextScope ignored = context.makeCurrent()) {
            return code.get();
        }
    }

    private <T> CompletableFuture<T> as(String name, Supplier<CompletionStage<T>> code) {
        return in(tree.open(name), code).toCompletableFuture();
    }

    private void screen(String file) {
        golden(file).matches(StatusRenderer.plain().render(tree.runtime.status()));
    }

    private void explanations(String file) {
        golden(file)
                .matches(tree.runtime.explainAll().stream()
                        .map(Explanation::toString)
                        .collect(Collectors.joining("\n")));
    }

    private void episodes(String file) {
        golden(file)
                .matches(tree.runtime.episodes().stream()
                        .map(WaitEpisode::text)
                        .collect(Collectors.joining("\n", "", "\n")));
    }

    @Test
    void readersWritersAndPermitsAreShownAsWhatTheyAre() {
        ContextReadWriteLock<String> prices = tree.root.readWriteLock("prices", "");
        ContextSemaphore tills = tree.root.semaphore("tills", 4);
        CompletableFuture<ReadGuard<String>> report = as("report", prices::readLock);
        CompletableFuture<ReadGuard<String>> catalogue = as("catalogue", prices::readLock);
        CompletableFuture<PermitGuard> opening = as("opening", () -> tills.acquire(3));
        tree.passSeconds(4.2);
        CompletableFuture<LockGuard<String>> update = as("update", prices::writeLock);
        CompletableFuture<ReadGuard<String>> quote = as("quote", prices::readLock);
        CompletableFuture<PermitGuard> party = as("party", () -> tills.acquire(2));
        tree.passSeconds(8.1);
        screen("screen-readers-and-permits.txt");

        opening.join().close();
        party.join().close();
        report.join().close();
        catalogue.join().close();
        update.join().close();
        quote.join().close();
    }

    @Test
    void aDeadlockIsShownWithItsPartiesItsExplanationAndAfterwardsAsAnEpisode() {
        ContextMutex<String> orders = tree.root.mutex("orders", "");
        ContextMutex<String> stock = tree.root.mutex("stock", "");
        LockGuard<String> openOrders = requireNonNull(orders.tryLock(), "orders");
        LockGuard<String> openStock = requireNonNull(stock.tryLock(), "stock");
        CompletableFuture<String> checkout = nested("checkout", orders, stock);
        CompletableFuture<String> refill = nested("refill", stock, orders);
        openOrders.close();
        openStock.close();
        CompletableFuture<LockGuard<String>> report = as("report", orders::lock);
        tree.passSeconds(8.1);
        screen("screen-deadlock.txt");
        explanations("explanation-deadlock.txt");
        episodes("episodes-while-it-lasts.txt");
        assertThat(tree.runtime.episodes())
                .singleElement()
                .satisfies(episode -> assertThat(episode.mostWaiters()).isEqualTo(3));

        refill.cancel(false);
        tree.root.children().stream()
                .filter(child -> child.name().equals("refill"))
                .forEach(FastnContext::cancel);
        checkout.join();
        report.join().close();
        tree.runtime.status();
        tree.runtime.explainAll();
        episodes("episodes-when-over.txt");
    }

    private CompletableFuture<String> nested(String name, ContextMutex<String> outer, ContextMutex<String> inner) {
        ContextNode who = tree.open(name);
        return in(
                        who,
                        () -> outer.<String>withLock(value -> in(
                                who, () -> inner.<String>withLock(other -> CompletableFuture.completedFuture("done")))))
                .toCompletableFuture();
    }

    @Test
    void aLockHeldByOneInsideOfAQueryIsExplainedByTheQuery() {
        ContextMutex<String> orders = tree.root.mutex("orders", "");
        ContextNode settle = tree.open("settle");
        LockGuard<String> held = in(settle, orders::tryLock);
        tree.passSeconds(4.2);
        try (Operation query = settle.operation("db-query")) {
            List<CompletableFuture<LockGuard<String>>> waits =
                    List.of(as("req", orders::lock), as("req", orders::lock), as("audit", orders::lock));
            tree.passSeconds(8.1);
            screen("screen-query.txt");
            explanations("explanation-query.txt");
            held.close();
            waits.forEach(wait -> wait.join().close());
        }
    }
}
