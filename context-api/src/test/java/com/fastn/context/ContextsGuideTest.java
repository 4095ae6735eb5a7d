package com.fastn.context;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.CounterWindows;
import com.fastn.context.status.FinishedContext;
import com.fastn.context.status.MetricValue;
import com.fastn.context.status.Redactor;
import com.fastn.context.status.SnapshotDelta;
import com.fastn.context.status.SnapshotLimits;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusRenderer;
import com.fastn.context.status.StatusSnapshot;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The pieces of code in {@code docs/contexts.md}: each stands here too, is run, and does what the page says. */
class ContextsGuideTest {
    private static final Path PAGE = Path.of("../docs/contexts.md");
    private static final Pattern PARAGRAPHS = Pattern.compile("\n\n");
    private static final Path THIS = Path.of("src/test/java/com/fastn/context/ContextsGuideTest.java");

    private final ManualTicker time = new ManualTicker(Instant.parse("2026-11-25T03:00:00Z"));
    private final ContextRuntime runtime =
            ContextRuntime.builder().alias("till").ticker(time).build();

    @AfterEach
    void close() {
        runtime.close();
    }

    @Test
    void everyPieceOfCodeOfThePageStandsHere() throws IOException {
        String page = Files.readString(PAGE);
        String here = withoutSpace(Files.readString(THIS));
        Matcher pieces = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL).matcher(page);
        int found = 0;
        for (; pieces.find(); found++) {
            for (String paragraph : PARAGRAPHS.splitAsStream(pieces.group(1)).toList()) {
                assertThat(here).contains(withoutSpace(paragraph));
            }
        }
        assertThat(found).isGreaterThan(8);
    }

    private static String withoutSpace(String code) {
        return code.replaceAll("//[^\n]*", "").replaceAll("\\s+", "");
    }

    private static String drawnOnThePage() throws IOException {
        Matcher drawing = Pattern.compile("```text\n(.*?)```", Pattern.DOTALL).matcher(Files.readString(PAGE));
        assertThat(drawing.find()).isTrue();
        return drawing.group(1);
    }

    @Test
    void contexts() throws Exception {
        FastnContext shop =
                runtime.root().child("shop").withKind(ContextKind.SERVICE).open();
        CompletionStage<String> receipt =
                shop.child("checkout").withLabel("Checkout of order 17").spawn(checkout -> pay(checkout));

        try (FastnContext nightly = shop.child("nightly").open();
                ContextScope scope = nightly.makeCurrent()) {
            assertThat(FastnContext.current()).isSameAs(nightly);
        }

        ExecutorService pool = Executors.newSingleThreadExecutor();
        pool.execute(shop.wrap(() -> FastnContext.current().touch("heartbeat")));

        assertThat(receipt.toCompletableFuture().get()).isEqualTo("paid by checkout");
        pool.shutdown();
        await().atMost(Duration.ofSeconds(60)).until(pool::isTerminated);
        assertThat(runtime.status().toString()).contains("last heartbeat");
        shop.close();
        assertThat(runtime.root().children()).isEmpty();
    }

    private static CompletionStage<String> pay(FastnContext checkout) {
        return CompletableFuture.completedFuture("paid by " + checkout.name());
    }

    @Test
    void cancellation() {
        FastnContext shop = runtime.root().child("shop").open();
        FastnContext request = shop.child("request").open();
        request.onCancel(reason -> request.close());
        FastnContext deaf = shop.child("deaf").open();
        CompletableFuture<String> answer = new CompletableFuture<>();

        shop.cancelAfter(Duration.ofMinutes(5));
        CompletionStage<String> first = deaf.race(answer);
        CancelReport report =
                shop.cancelAndReport(Duration.ZERO).toCompletableFuture().join();

        assertThat(request.state()).hasToString("CLOSED");
        assertThat(first.toCompletableFuture()).isCompletedExceptionally();
        assertThat(report).hasToString("1 did not stop\nglobal.shop.deaf#" + deaf.id() + ": no sign of life for 0s");
        deaf.close();
        shop.close();
    }

    @Test
    void counters() {
        FastnContext shop = runtime.root().child("shop").open();
        FastnContext checkout = shop.child("checkout").open();

        checkout.incrementTotal("orders");
        checkout.addTotal("rows", 12);
        try (LiveCount upload = checkout.trackLive("uploads")) {
            assertThat(shop.subtreeLive("uploads")).isEqualTo(1);
        }
        TotalCounter rows = checkout.totalCounter("rows");
        rows.add(3);

        assertThat(shop.counterWindows("rows").sinceStart()).isEqualTo(15);
        rows.add(60);
        time.advance(Duration.ofSeconds(30));
        CounterWindows windows = shop.counterWindows("rows");
        assertThat(windows.sinceStart()).isEqualTo(75);
        assertThat(windows.lastMinute()).isEqualTo(60);
        assertThat(windows.ratePerSecond()).isEqualTo(2.0);

        Map<String, Long> flat = runtime.counters().flat(ContextPath.of("global"));
        assertThat(flat).containsEntry("global.shop.checkout.rows", 75L);
        assertThat(flat).doesNotContainKey("global.shop.checkout.live_uploads");
        checkout.close();
        shop.close();
    }

    @Test
    void operations() throws IOException {
        FastnContext checkout = runtime.root().child("checkout").open();
        for (int i = 0; i < 40; i++) {
            try (Operation query = checkout.operation("bank")) {
                time.advance(Duration.ofMillis(80));
                assertThat(query.name()).isEqualTo("bank");
            }
        }

        CompletableFuture<String> answer = new CompletableFuture<>();
        CompletionStage<String> named = checkout.awaiting("bank", answer);
        time.advance(Duration.ofMillis(12_300));
        String drawn = StatusRenderer.plain().brief().render(runtime.status());

        assertThat(drawn).isEqualTo(drawnOnThePage());
        answer.complete("ok");
        assertThat(named.toCompletableFuture()).isCompletedWithValue("ok");
        checkout.close();
    }

    @Test
    void dataAndMetrics() {
        FastnContext checkout = runtime.root().child("checkout").open();

        checkout.setData("order", Map.of("id", "o-17", "items", List.of("tea", "milk")));
        checkout.setData("note", "exit pending");
        checkout.addMetric("items", 2);
        checkout.addMetric("sent", MetricValue.bytes(15_200_000));

        checkout.setData("api_key", "s3cret");
        runtime.setRedactor(Redactor.standard().showingOnly(List.of("order", "note")));

        assertThat(runtime.status().toString()).contains("15.2MB sent").contains("exit pending");
        assertThat(StatusJson.write(runtime.status())).contains("o-17").doesNotContain("s3cret");
        checkout.close();
    }

    @Test
    void settings() {
        runtime.root().setSetting(Thresholds.OPERATION_SLOW, Duration.ofSeconds(2));
        FastnContext batch = runtime.root()
                .child("batch")
                .withSetting(Thresholds.OPERATION_SLOW, Duration.ofMinutes(10))
                .withSetting(Thresholds.WARNINGS_OFF, WarningIds.CONTEXT_IDLE)
                .withSetting("tenant", "acme")
                .open();
        FastnContext step = batch.child("step").open();
        assertThat(step.setting("tenant")).isEqualTo("acme");

        assertThat(step.setting(Thresholds.OPERATION_SLOW)).isEqualTo(Duration.ofMinutes(10));
        step.close();
        batch.close();
    }

    @Test
    void whatHasEnded() {
        FastnContext job = runtime.root().child("job").persist().open();
        job.failed(new IllegalStateException("disk full"));
        job.close();

        FinishedContext last = runtime.recent().get(0);
        assertThat(last.outcome()).isEqualTo(new FinishedContext.Failed("IllegalStateException: disk full"));
        assertThat(runtime.counters().windows(ContextPath.of("global")).failedSinceStart())
                .isEqualTo(1);
    }

    @Test
    void looking() {
        FastnContext shop = runtime.root().child("shop").open();

        StatusSnapshot before = runtime.statusWithRecent(SnapshotLimits.DEFAULT);
        String json = StatusJson.write(before);
        StatusSnapshot part = shop.subtreeStatus(2);

        shop.touch("request");
        StatusSnapshot after = runtime.statusWithRecent(SnapshotLimits.DEFAULT);
        SnapshotDelta delta = SnapshotDelta.between(before, after);
        assertThat(delta.apply(before)).isEqualTo(after);

        assertThat(StatusJson.readSnapshot(json.getBytes(StandardCharsets.UTF_8))
                        .toString())
                .isEqualTo(before.toString());
        assertThat(part.globalContext().name()).isEqualTo("shop");
        shop.close();
    }

    @Test
    @SuppressWarnings("MustBeClosedChecker") // that it is not closed is the matter here
    void strictMode() {
        ContextRuntime strict = ContextRuntime.builder().strict(true).build();
        Operation forgotten = strict.root().operation("upload");
        for (Unclosed each : strict.unclosed()) {
            assertThat(each.describe()).contains("operation \"upload\"").contains("ContextsGuideTest.java:");
        }

        assertThat(strict.unclosed()).hasSize(1);
        forgotten.close();
        strict.close();
    }
}
