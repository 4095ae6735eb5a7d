package com.fastn.status;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import com.fastn.context.ContextRuntime;
import com.fastn.context.FastnContext;
import com.fastn.context.status.CallerLink;
import com.fastn.context.status.FinishedContext;
import com.fastn.context.vertx.FastnVertx;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The web page in a browser without a screen; skipped where there is no Chromium. */
@Timeout(240)
@SuppressWarnings("MustBeClosedChecker") // the runtime ends with the test
class PageTest {
    /** What would leave the place where a name stands. */
    private static final List<String> WAYS_OUT = List.of(
            "",
            "\"",
            "'",
            "`",
            ">",
            "\">",
            "'>",
            "-->",
            "]]>",
            "</b>",
            "</span>",
            "</title>",
            "</textarea>",
            "</script>",
            "</style>",
            "</noscript>",
            "&quot;>",
            "\\\">",
            "\n",
            "\u0000");
    /** What would do something there. */
    private static final List<String> VECTORS = List.of(
            "<script>document.title='pwned'</script>",
            "<img src=x onerror=\"document.title='pwned'\">",
            "<svg onload=document.title='pwned'>",
            "<iframe srcdoc=\"<script>parent.document.title='pwned'</script>\"></iframe>",
            " onmouseover='document.title=1' autofocus onfocus=document.title=1 ",
            "javascript:document.title='pwned'",
            "<a href=javascript:document.title='pwned'>x</a>",
            "{{constructor.constructor('document.title=1')()}}${document.title=1}",
            "<style>@import 'http://evil.example/x'</style>",
            "&lt;script&gt;document.title='pwned'&lt;/script&gt;",
            "<math><mi xlink:href=\"javascript:document.title='pwned'\">",
            "<details open ontoggle=document.title='pwned'>",
            "<object data=\"javascript:document.title='pwned'\"></object>",
            "<form action=javascript:document.title=1><button>x</button></form>",
            "<base href=http://evil.example/><link rel=stylesheet href=http://evil.example/x>");
    /** As a browser writes it: all attributes in double quotes, which are nowhere else. */
    private static final Pattern ELEMENT = Pattern.compile("<([a-zA-Z][^\\s/>]*+)((?:[^\">]++|\"[^\"]*+\")*+)>");

    private static final Pattern ATTRIBUTE = Pattern.compile("([^\\s\"=]++)(?:=\"[^\"]*+\")?+");

    /** What the page waits for a sign of life, and what it waits here. */
    private static final String SILENCE = "LONGEST_SILENCE_MS = 20_000;";

    private static final Duration SHORT_SILENCE = Duration.ofSeconds(3);

    private final List<Vertx> applications = new ArrayList<>();
    private String browser = "";

    @TempDir
    Path folder;

    @BeforeEach
    void find() {
        @Nullable
        String installed = Stream.of("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
                .filter(path -> Files.isExecutable(Path.of(path)))
                .findFirst()
                .orElse(null);
        assumeThat(installed).as("Chromium is installed").isNotNull();
        browser = requireNonNull(installed);
    }

    @AfterEach
    void close() {
        applications.forEach(application -> Waiting.result(application.close()));
    }

    @Test
    void S8_threeHundredHostileNamesAreShownAsTextAndMakeNoElementAndNoAttribute() throws Exception {
        List<String> hostile = WAYS_OUT.stream()
                .flatMap(out -> VECTORS.stream().map(vector -> out + vector))
                .toList();
        assertThat(hostile).hasSize(300).doesNotHaveDuplicates();
        String calm =
                dom(page(IntStream.range(0, 300).mapToObj(i -> "name-" + i).toList()));
        assertThat(rows(calm)).isGreaterThan(300);
        // What a page makes of the names that takes them for markup.
        Path naive = folder.resolve("naive.html");
        Files.writeString(
                naive,
                "<title>fine</title><body>"
                        + hostile.stream()
                                .map(name -> "<b title=\"" + name + "\">" + name + "</b>")
                                .collect(Collectors.joining("\n")));
        String taken = dom(naive.toUri().toString());
        Set<String> elements = new TreeSet<>(elements(taken));
        elements.removeAll(elements(calm));
        Set<String> attributes = new TreeSet<>(attributes(taken));
        attributes.removeAll(attributes(calm));
        assertThat(elements).contains("script", "svg onload", "img onerror src", "details ontoggle open", "math");
        assertThat(attributes).contains("onfocus", "onload", "srcdoc", "autofocus");
        Consumer<String> check = dom -> {
            assertThat(dom).contains("<title>").doesNotContain("<title>pwned", "<title>1");
            assertThat(elements(dom)).doesNotContainAnyElementsOf(elements);
            assertThat(attributes(dom)).doesNotContainAnyElementsOf(attributes);
        };
        assertThatThrownBy(() -> check.accept(taken)).isInstanceOf(AssertionError.class);

        String dom = dom(page(hostile));

        assertThat(rows(dom)).as("each of them has come").isGreaterThan(300);
        assertThat(dom).contains("&lt;svg onload", "&lt;details open");
        check.accept(dom);
    }

    @Test
    void countersAreReadAsOnATerminal() throws Exception {
        // It has the default runtime, if no other one has, in which may be what other tests counted; the next has one
        // of its own.
        applications.add(Vertx.vertx());
        Vertx application = Vertx.vertx();
        applications.add(application);
        StatusVerticle verticle =
                new StatusVerticle(new StatusOptions().setAlias("alice").setDescriptors(false));
        Waiting.result(application.deployVerticle(verticle));
        ContextRuntime runtime = FastnVertx.install(application).runtime();
        FastnContext till = runtime.root().child("till").open();
        till.addTotal("requests", 1_234);
        till.addTotal("successful_requests", 1_230);
        till.addTotal("failed_requests", 4);
        till.incrementLive("commands");
        FastnContext mail = runtime.root().child("mail").open();
        for (String name : List.of("boxes", "classes", "movies", "pieces_reserved", "queries")) {
            mail.incrementTotal(name);
        }

        String dom = dom(requireNonNull(verticle.url()) + "/");

        assertThat(dom)
                .contains("1,234 requests (1,230 success, 4 failed)", "live 1 command<", "+1 more")
                .contains("1 box · 1 class · 1 movie · 1 piece reserved · +1 more")
                .contains("<b>1 of 1</b> node up")
                .contains("<b>0</b> locks held")
                .doesNotContain("successful requests");
    }

    @Test
    void whatWentWrongIsShownWithItsCallerHoweverManyCompletedAfterIt() throws Exception {
        Vertx application = Vertx.vertx();
        applications.add(application);
        StatusVerticle verticle =
                new StatusVerticle(new StatusOptions().setAlias("alice").setDescriptors(false));
        Waiting.result(application.deployVerticle(verticle));
        ContextRuntime runtime = FastnVertx.install(application).runtime();
        FastnContext order = runtime.root()
                .child("order")
                .withCaller(new CallerLink("bob", "1-b", 7, "global.front"))
                .persist()
                .open();
        order.setData(FinishedContext.TRACE_ID, "4bf92f3577b34da6a3ce929d0e0e4736");
        order.failed(new IllegalStateException("out of stock"));
        order.close();
        for (int i = 0; i < 200; i++) {
            runtime.root().child("well-" + i).persist().open().close();
        }

        assertThat(dom(requireNonNull(verticle.url()) + "/"))
                .contains("failed: IllegalStateException: out of stock · ")
                .contains(" · called by global.front@bob · trace 4bf92f3577b34da6a3ce929d0e0e4736<")
                .contains("well-199")
                .doesNotContain("well-150");
    }

    /** {@return the address of the page of a node in which all that has a name has one of these} */
    private String page(List<String> names) {
        Vertx application = Vertx.vertx();
        applications.add(application);
        StatusVerticle verticle =
                new StatusVerticle(new StatusOptions().setAlias("<b>alice</b>").setDescriptors(false));
        Waiting.result(application.deployVerticle(verticle));
        ContextRuntime runtime = FastnVertx.install(application).runtime();
        for (String name : names) {
            FastnContext context = runtime.root().child(name).open();
            context.setData("note", name);
            context.incrementTotal(name);
            context.mutex(name).tryLock();
            context.operation(name);
            FastnContext ended = runtime.root()
                    .child(name)
                    .withCaller(new CallerLink(name, "1-b", 7, name))
                    .persist()
                    .open();
            ended.setData(FinishedContext.TRACE_ID, name);
            ended.failed(new IllegalStateException(name));
            ended.close();
        }
        return requireNonNull(verticle.url()) + "/";
    }

    private static int rows(String dom) {
        return dom.split("role=\"treeitem\"", -1).length - 1;
    }

    /** {@return each kind of element: its name and those of its attributes} */
    private static Set<String> elements(String dom) {
        return ELEMENT.matcher(dom)
                .results()
                .map(element -> Stream.concat(
                                Stream.of(element.group(1)),
                                names(element.group(2)).sorted())
                        .collect(Collectors.joining(" ")))
                .collect(Collectors.toSet());
    }

    private static Set<String> attributes(String dom) {
        return ELEMENT.matcher(dom)
                .results()
                .flatMap(element -> names(element.group(2)))
                .collect(Collectors.toSet());
    }

    private static Stream<String> names(String attributes) {
        return ATTRIBUTE.matcher(attributes).results().map(attribute -> attribute.group(1));
    }

    @Test
    void M8_aNodeThatStandsStillIsNotShownAsLiveAndOneThatOnlyBeatsIs() throws Exception {
        try (InputStream client = StatusVerticle.class.getResourceAsStream("http/page/status-client.js")) {
            assertThat(requireNonNull(client)).asString(StandardCharsets.UTF_8).contains(SILENCE);
        }
        try (QuietPort port = new QuietPort(SHORT_SILENCE.multipliedBy(2))) {
            Process process = open(List.of(port.url()), folder.resolve("out"));
            try {
                await("heartbeats are enough for a stream to go on")
                        .atMost(Duration.ofMinutes(2))
                        .until(port::isSilent);
                int streams = port.streams();
                await("the stream is asked for anew")
                        .atMost(Duration.ofMinutes(1))
                        .until(() -> port.streams() > streams);
                await("what is not answered holds up nothing else")
                        .atMost(Duration.ofMinutes(1))
                        .until(() -> port.asked().contains("/status/recent"));
            } finally {
                end(process);
            }
        }
    }

    /**
     * Serves the page, and tells one status. Then it says that it is alive, until somebody has listened to that for a while, and is
     * silent from then on. It answers nothing else.
     */
    private static final class QuietPort implements AutoCloseable {
        private final HttpServer server;
        private final ExecutorService threads = Executors.newCachedThreadPool();
        private final long beatNanos;
        private final CountDownLatch over = new CountDownLatch(1);
        private final AtomicInteger streams = new AtomicInteger();
        private final Set<String> asked = ConcurrentHashMap.newKeySet();
        private volatile boolean silent;

        QuietPort(Duration beat) throws IOException {
            beatNanos = beat.toNanos();
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            server.setExecutor(threads);
            server.createContext("/", this::answer);
            server.start();
        }

        String url() {
            return "http://127.0.0.1:" + server.getAddress().getPort() + "/";
        }

        boolean isSilent() {
            return silent;
        }

        int streams() {
            return streams.get();
        }

        Set<String> asked() {
            return asked;
        }

        private void answer(HttpExchange exchange) throws IOException {
            String path = exchange.getRequestURI().getPath();
            asked.add(path);
            try (exchange) {
                if (path.equals("/status/stream")) {
                    stream(exchange);
                } else if (path.startsWith("/status/") || path.equals("/status")) {
                    over.await();
                } else {
                    file(exchange, path.equals("/") ? "index.html" : path.substring(1));
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        private void stream(HttpExchange exchange) throws IOException, InterruptedException {
            exchange.getResponseHeaders().set("Content-Type", "text/event-stream; charset=utf-8");
            exchange.sendResponseHeaders(200, 0);
            OutputStream body = exchange.getResponseBody();
            body.write("event: status\ndata: {\"answered_by\":\"alice\",\"nodes\":[]}\n\n"
                    .getBytes(StandardCharsets.UTF_8));
            body.flush();
            streams.incrementAndGet();
            long began = System.nanoTime();
            while (!silent && System.nanoTime() - began < beatNanos) {
                body.write(": alive\n\n".getBytes(StandardCharsets.UTF_8));
                body.flush();
                if (over.await(50, TimeUnit.MILLISECONDS)) {
                    return;
                }
            }
            silent = true;
            over.await();
        }

        private static void file(HttpExchange exchange, String name) throws IOException {
            try (InputStream in = StatusVerticle.class.getResourceAsStream("http/page/" + name)) {
                if (in == null) {
                    exchange.sendResponseHeaders(404, -1);
                    return;
                }
                byte[] bytes = new String(in.readAllBytes(), StandardCharsets.UTF_8)
                        .replace(SILENCE, "LONGEST_SILENCE_MS = " + SHORT_SILENCE.toMillis() + ";")
                        .getBytes(StandardCharsets.UTF_8);
                exchange.getResponseHeaders()
                        .set(
                                "Content-Type",
                                name.endsWith(".js")
                                        ? "text/javascript"
                                        : name.endsWith(".css") ? "text/css" : "text/html");
                exchange.sendResponseHeaders(200, bytes.length);
                exchange.getResponseBody().write(bytes);
            }
        }

        @Override
        public void close() {
            over.countDown();
            server.stop(0);
            threads.shutdownNow();
        }
    }

    private String dom(String address) throws IOException, InterruptedException {
        Path out = Files.createTempFile(folder, "dom", ".html");
        Process process = open(List.of("--virtual-time-budget=8000", "--dump-dom", address), out);
        if (!process.waitFor(120, TimeUnit.SECONDS)) {
            end(process);
            throw new AssertionError("the browser does not end");
        }
        return Files.readString(out, StandardCharsets.UTF_8);
    }

    /** With all that it has started, for what still writes into the folder keeps it from being removed. */
    private static void end(Process process) {
        List<ProcessHandle> all = Stream.concat(process.descendants(), Stream.of(process.toHandle()))
                .toList();
        all.forEach(ProcessHandle::destroyForcibly);
        all.forEach(each ->
                each.onExit().completeOnTimeout(each, 20, TimeUnit.SECONDS).join());
    }

    private Process open(List<String> arguments, Path out) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                browser,
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--user-data-dir=" + folder.resolve("profile")));
        command.addAll(arguments);
        return new ProcessBuilder(command)
                .redirectOutput(out.toFile())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
    }
}
