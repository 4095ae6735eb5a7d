package com.fastn.status;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.fastn.context.ContextRuntime;
import com.fastn.context.FastnContext;
import com.fastn.context.vertx.FastnVertx;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The web page in a browser without a screen; skipped where there is no Chromium. */
@Timeout(240)
@SuppressWarnings("MustBeClosedChecker") // the runtime ends with the test
class PageTest {
    private static final List<String> PAYLOADS = List.of(
            "<script>document.title='pwned'</script>",
            "<img src=x onerror=\"document.title='pwned'\">",
            "<svg onload=document.title='pwned'>",
            "\"><iframe srcdoc=\"<script>parent.document.title='pwned'</script>\">",
            "'onmouseover='document.title=1",
            "javascript:document.title='pwned'",
            "</textarea><script>document.title='pwned'</script>",
            "<a href=javascript:document.title='pwned'>x</a>",
            "{{constructor.constructor('document.title=1')()}}",
            "<style>@import 'http://evil.example/x'</style>",
            "&lt;script&gt;document.title='pwned'&lt;/script&gt;",
            "<math><mi xlink:href=\"javascript:document.title='pwned'\">");
    /** What the page itself never makes. */
    private static final Pattern INJECTED = Pattern.compile(
            "<(iframe|math|textarea|style)[ >]|<img src=\"?x|<svg onload|<a href=\"?javascript|<[a-z][^>]* on[a-z]+=");

    private final Vertx vertx = Vertx.vertx();

    @TempDir
    Path folder;

    @AfterEach
    void close() {
        Waiting.result(vertx.close());
    }

    @Test
    void S8_hostileNamesAreShownAsTextAndDoNothing() throws Exception {
        @Nullable String installed = browser();
        assumeThat(installed).as("Chromium is installed").isNotNull();
        String browser = requireNonNull(installed);
        StatusVerticle verticle =
                new StatusVerticle(new StatusOptions().setAlias("<b>alice</b>").setDescriptors(false));
        Waiting.result(vertx.deployVerticle(verticle));
        ContextRuntime runtime = FastnVertx.install(vertx).runtime();
        for (String payload : PAYLOADS) {
            FastnContext context = runtime.root().child(payload).open();
            context.setData("note", payload);
            context.incrementTotal(payload);
            context.mutex(payload).tryLock();
            context.operation(payload);
        }

        String dom = dom(browser, requireNonNull(verticle.url()) + "/");
        assertThat(dom).as("the tree has come").contains("role=\"treeitem\"").contains("&lt;svg onload");
        checkHarmless(dom);

        // The same check notices a page that takes names for markup.
        Path naive = folder.resolve("naive.html");
        Files.writeString(naive, "<title>fine</title><body>" + String.join(" ", PAYLOADS));
        assertThatThrownBy(() -> checkHarmless(dom(browser, naive.toUri().toString())))
                .isInstanceOf(AssertionError.class);
    }

    private static void checkHarmless(String dom) {
        assertThat(dom).contains("<title>").doesNotContain("<title>pwned", "<title>1");
        // A serialised attribute escapes its quotes and not what looks like markup.
        String body = dom.substring(dom.indexOf("<body")).replaceAll("(title|aria-label)=\"[^\"]*\"", "");
        assertThat(INJECTED.matcher(body).find()).as("something was injected").isFalse();
    }

    private static @Nullable String browser() {
        return Stream.of("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
                .filter(path -> Files.isExecutable(Path.of(path)))
                .findFirst()
                .orElse(null);
    }

    private String dom(String browser, String address) throws IOException, InterruptedException {
        Path out = Files.createTempFile(folder, "dom", ".html");
        List<String> command = new ArrayList<>(List.of(
                browser,
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--user-data-dir=" + folder.resolve("profile"),
                "--virtual-time-budget=8000",
                "--dump-dom",
                address));
        Process process = new ProcessBuilder(command)
                .redirectOutput(out.toFile())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        if (!process.waitFor(120, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError("the browser does not end");
        }
        return Files.readString(out, StandardCharsets.UTF_8);
    }
}
