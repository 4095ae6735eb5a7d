package com.fastn.status;

import static com.fastn.status.Waiting.await;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.fastn.context.ContextRuntime;
import com.fastn.context.FastnContext;
import com.fastn.context.WarningIds;
import com.fastn.context.status.StatusWarning;
import com.fastn.context.vertx.FastnVertx;
import com.fastn.status.LeakyProxy.Hole;
import com.fastn.status.http.AccessToken;
import io.vertx.core.Vertx;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The rules of security that the HTTP port holds. Each check is run twice: against the port, where it holds, and against one
 * with that guard removed, where it has to fail.
 */
@Timeout(240)
@SuppressWarnings("MustBeClosedChecker") // the runtime ends with the test
class SecurityRulesTest {
    private static final Vertx OPEN = Vertx.vertx();
    private static final Vertx LOCKED = Vertx.vertx();
    private static final List<String> ROUTES = List.of(
            "/",
            "/page.js",
            "/status",
            "/status?format=json",
            "/status/nodes",
            "/status/recent",
            "/status/explain",
            "/status/episodes",
            "/status/checks",
            "/status?bad=1",
            "/health",
            "/threads",
            "/nothing",
            "/%zz");

    @TempDir
    static Path folder;

    private static String url = "";
    private static String lockedUrl = "";
    private static String token = "";

    private String openId = "";
    private String lockedId = "";

    @AfterAll
    static void close() {
        Waiting.result(OPEN.close());
        Waiting.result(LOCKED.close());
    }

    /** Ports of its own for each test: what one asked is no reason to send the next one away. */
    @BeforeEach
    void open() throws IOException {
        StatusVerticle open = new StatusVerticle(new StatusOptions().setAlias("open"));
        Path file = folder.resolve("token");
        StatusVerticle locked =
                new StatusVerticle(new StatusOptions().setAlias("locked").setHttpTokenFile(file.toString()));
        openId = Waiting.result(OPEN.deployVerticle(open));
        lockedId = Waiting.result(LOCKED.deployVerticle(locked));
        url = requireNonNull(open.url());
        lockedUrl = requireNonNull(locked.url());
        token = Files.readString(file).strip();
    }

    @AfterEach
    void undeploy() {
        Waiting.result(OPEN.undeploy(openId));
        Waiting.result(LOCKED.undeploy(lockedId));
    }

    private static void holdsUnless(Hole hole, Consumer<String> check) {
        String real = hole == Hole.TOKEN || hole == Hole.FORWARDED ? lockedUrl : url;
        check.accept(real);
        try (LeakyProxy leaky = new LeakyProxy(hole, real, token)) {
            try (OpenStream honest = new OpenStream(leaky.url(), "/health")) {
                assertThat(honest.status()).as("it answers").isEqualTo(200);
            }
            assertThatThrownBy(() -> check.accept(leaky.url()))
                    .as("the check has to notice a port without the guard %s", hole)
                    .isInstanceOf(AssertionError.class)
                    .hasMessageNotContainingAny(RawHttp.NO_RESPONSE, RawHttp.NOT_A_RESPONSE);
        }
    }

    private static RawHttp.Response send(String base, String method, String... headers) {
        StringBuilder request = new StringBuilder(method + " /status HTTP/1.1\r\nHost: " + authority(base) + "\r\n");
        for (String header : headers) {
            request.append(header).append("\r\n");
        }
        return RawHttp.send(base, request.append("Connection: close\r\n\r\n").toString());
    }

    private static String authority(String base) {
        return base.substring("http://".length());
    }

    @Test
    void S1_nobodyOnAnotherAddressReachesThePort() throws IOException {
        @Nullable InetAddress other = otherAddress();
        assumeThat(other).as("this machine has an address beside loopback").isNotNull();
        Consumer<Integer> check =
                port -> assertThat(isReached(requireNonNull(other), port)).isFalse();
        check.accept(URI.create(url).getPort());
        try (ServerSocket everywhere = new ServerSocket(0)) {
            assertThatThrownBy(() -> check.accept(everywhere.getLocalPort())).isInstanceOf(AssertionError.class);
        }
    }

    private static @Nullable InetAddress otherAddress() throws IOException {
        for (NetworkInterface network : Collections.list(NetworkInterface.getNetworkInterfaces())) {
            for (InetAddress address : Collections.list(network.getInetAddresses())) {
                if (address instanceof Inet4Address && !address.isLoopbackAddress()) {
                    return address;
                }
            }
        }
        return null;
    }

    /** Also where this machine has no address beside loopback. */
    @Test
    void S1_thePortListensAtOneLoopbackAddressAndNoOther() throws IOException {
        assumeThat(Path.of("/proc/net/tcp"))
                .as("this system tells who listens where")
                .exists();
        Consumer<Integer> check = port -> assertThat(listening(port))
                .extracting(InetAddress::getHostAddress)
                .containsExactly("127.0.0.1");
        check.accept(URI.create(url).getPort());
        try (ServerSocket everywhere = new ServerSocket(0)) {
            assertThat(listening(everywhere.getLocalPort())).isNotEmpty();
            assertThatThrownBy(() -> check.accept(everywhere.getLocalPort())).isInstanceOf(AssertionError.class);
        }
    }

    private static Set<InetAddress> listening(int port) {
        Set<InetAddress> addresses = new HashSet<>();
        for (String table : List.of("/proc/net/tcp", "/proc/net/tcp6")) {
            if (Files.exists(Path.of(table))) {
                // sl, local address and port, remote address and port, state: 0A is one that listens.
                for (String line : lines(Path.of(table))) {
                    String[] columns = line.strip().split("\\s+", -1);
                    String[] local = columns[1].split(":", -1);
                    if (columns[3].equals("0A") && Integer.parseInt(local[1], 16) == port) {
                        addresses.add(address(local[0]));
                    }
                }
            }
        }
        return addresses;
    }

    private static List<String> lines(Path table) {
        try {
            List<String> lines = Files.readAllLines(table);
            return lines.subList(1, lines.size());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Out of words of 32 bits, each written as the number that it is on this machine. */
    private static InetAddress address(String hex) {
        ByteBuffer bytes = ByteBuffer.allocate(hex.length() / 2).order(ByteOrder.nativeOrder());
        for (int i = 0; i < hex.length(); i += 8) {
            bytes.putInt(Integer.parseUnsignedInt(hex.substring(i, i + 8), 16));
        }
        try {
            return InetAddress.getByAddress(bytes.array());
        } catch (UnknownHostException e) {
            throw new AssertionError(e);
        }
    }

    private static boolean isReached(InetAddress address, int port) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(address, port), 5_000);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    @Test
    void S2_aPortThatOthersCanReachDoesNotStartWithoutATokenAndTls() {
        Consumer<StatusOptions> check = options -> {
            Vertx vertx = Vertx.vertx();
            try {
                assertThat(Waiting.failure(vertx.deployVerticle(new StatusVerticle(
                                options.setHttpHost("0.0.0.0").setDescriptors(false)))))
                        .hasMessageContaining("the status verticle cannot start")
                        .hasMessageContaining("not a loopback address");
            } finally {
                Waiting.result(vertx.close());
            }
        };
        String file = folder.resolve("token").toString();
        check.accept(new StatusOptions());
        check.accept(new StatusOptions().setAllowCleartext(true));
        check.accept(new StatusOptions().setHttpTokenFile(file));
        assertThatThrownBy(() ->
                        check.accept(new StatusOptions().setHttpTokenFile(file).setAllowCleartext(true)))
                .as("the check has to notice a port that starts")
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("it succeeded");
    }

    @Test
    void S2_cleartextForOthersIsWarnedOfInEveryStatus() {
        ContextRuntime runtime = FastnVertx.install(OPEN).runtime();
        StatusOptions cleartext = new StatusOptions()
                .setHttpHost("0.0.0.0")
                .setHttpTokenFile("token")
                .setAllowCleartext(true);
        List<StatusWarning> standing = StandingWarnings.of(cleartext, runtime);
        Consumer<LocalStatus> check = local -> {
            assertThat(local.take(StatusQuery.all(), Duration.ZERO).warnings())
                    .extracting(StatusWarning::id)
                    .contains(WarningIds.HTTP_CLEARTEXT);
            assertThat(local.glance().warnings()).extracting(StatusWarning::id).contains(WarningIds.HTTP_CLEARTEXT);
        };
        check.accept(new LocalStatus(runtime, null, standing));
        assertThatThrownBy(() -> check.accept(new LocalStatus(runtime, null, List.of())))
                .isInstanceOf(AssertionError.class);
        assertThat(StandingWarnings.of(new StatusOptions(cleartext).setHttpTls("c", "k"), runtime))
                .isEmpty();
    }

    @Test
    void S3_onlyTheTokenInTheHeaderOpensAndARefusalTellsNothing() {
        assertThat(send(lockedUrl, "GET", "Authorization: Bearer " + token).status())
                .isEqualTo(200);
        assertThat(token).matches("[0-9a-f]{64}");
        holdsUnless(Hole.TOKEN, base -> {
            for (String[] wrong : new String[][] {
                {},
                {"Authorization: Bearer "},
                {"Authorization: Bearer " + token.substring(0, 63)},
                {"Authorization: Bearer " + token + "0"},
                {"Authorization: Bearer " + token.repeat(100)},
                {"Authorization: " + token},
                {"Authorization: Basic " + token},
                {"Authorization: Bearer " + token, "Authorization: Bearer " + token},
                {"Cookie: token=" + token}
            }) {
                RawHttp.Response answer = send(base, "GET", wrong);
                assertThat(answer.status()).as(String.join("|", wrong)).isEqualTo(401);
                assertThat(answer.body()).isEqualTo("a token is wanted\n");
                assertThat(answer.headers()).containsEntry("www-authenticate", "Bearer");
            }
            assertThat(RawHttp.get(base, "/status?token=" + token).status()).isEqualTo(401);
            assertThat(RawHttp.get(base, "/status/stream").status()).isEqualTo(401);
            assertThat(RawHttp.get(base, "/nothing").status()).isEqualTo(401);
        });
        assertThat(RawHttp.get(lockedUrl, "/").status())
                .as("the page itself tells nothing")
                .isEqualTo(200);
    }

    /** A head has 8 KiB, so most of it is never read, and nobody compares it with anything. */
    @Test
    void S3_aTokenOfAMegabyteIsRefusedAndToldNothing() {
        String megabyte = token.repeat((1 << 20) / token.length());
        holdsUnless(
                Hole.TOKEN,
                base -> assertThat(saidTo(base, megabyte))
                        .matches("(?s)(HTTP/1\\.1 (401|431) .*)?")
                        .doesNotContain("locked", "cluster_status"));
        assertThat(send(lockedUrl, "GET", "Authorization: Bearer " + token).status())
                .as("the port goes on")
                .isEqualTo(200);
    }

    /** {@return the answer, or what came of it until the connection was closed over what was not read} */
    private static String saidTo(String base, String token) {
        try (Socket socket =
                new Socket(InetAddress.getLoopbackAddress(), URI.create(base).getPort())) {
            socket.setSoTimeout(60_000);
            ByteArrayOutputStream said = new ByteArrayOutputStream();
            try {
                socket.getOutputStream()
                        .write(("GET /status HTTP/1.1\r\nHost: " + authority(base) + "\r\nAuthorization: Bearer "
                                        + token + "\r\nConnection: close\r\n\r\n")
                                .getBytes(StandardCharsets.US_ASCII));
                socket.getInputStream().transferTo(said);
            } catch (SocketTimeoutException e) {
                throw new AssertionError("neither answered nor closed", e);
            } catch (IOException e) {
                // Closed while it was written or read.
            }
            return said.toString(StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void S3_whoOnlyAsksOnThisMachineWhetherTheNodeLivesNeedsNoTokenAndLearnsNoName() {
        holdsUnless(Hole.TOKEN, base -> {
            for (String question : List.of("/health", "/health?ready=true")) {
                RawHttp.Response answer = RawHttp.get(base, question);
                assertThat(answer.status()).isEqualTo(200);
                assertThat(answer.body()).isEqualTo("{\"status\":\"UP\"}\n");
            }
        });
        assertThat(RawHttp.get(lockedUrl, "/health", "Authorization: Bearer " + token)
                        .body())
                .contains("\"alias\":\"locked\"");
        holdsUnless(
                Hole.FORWARDED,
                base -> assertThat(RawHttp.get(base, "/health", "X-Forwarded-For: 10.0.0.7")
                                .status())
                        .isEqualTo(401));
    }

    @Test
    void S8_everyAnswerCarriesTheHeaders() {
        holdsUnless(Hole.HEADERS, base -> {
            List<RawHttp.Response> answers = new ArrayList<>();
            ROUTES.forEach(route -> answers.add(RawHttp.get(base, route)));
            answers.add(send(base, "POST"));
            answers.add(send(base, "GET", "Origin: http://evil.com"));
            assertThat(answers).allSatisfy(answer -> {
                assertThat(answer.headers())
                        .containsEntry("x-content-type-options", "nosniff")
                        .containsEntry("referrer-policy", "no-referrer")
                        .containsEntry("cross-origin-resource-policy", "same-origin")
                        .containsEntry("cache-control", "no-store")
                        .doesNotContainKey("access-control-allow-origin")
                        .hasEntrySatisfying(
                                "content-security-policy",
                                policy -> assertThat(policy)
                                        .contains("default-src 'none'", "script-src 'self'", "style-src 'self'")
                                        .contains("connect-src 'self'", "img-src 'self'", "base-uri 'none'")
                                        .contains("form-action 'none'", "frame-ancestors 'none'")
                                        .contains("require-trusted-types-for 'script'")
                                        .doesNotContain("unsafe"));
            });
        });
    }

    @Test
    void S9_foreignHostsAreMisdirected() {
        holdsUnless(Hole.HOST, base -> {
            int port = URI.create(base).getPort();
            for (String host : List.of("evil.com", "127.0.0.1.evil.com:" + port, "localhost.:" + port, "127.0.0.1")) {
                assertThat(RawHttp.get(base, "/status", "Host: " + host).status())
                        .as(host)
                        .isEqualTo(421);
            }
            assertThat(RawHttp.get(base, "/status", "host:none").status()).isEqualTo(421);
        });
    }

    @Test
    void S10_pagesOfOtherOriginsGetNothing() {
        holdsUnless(Hole.ORIGIN, base -> {
            assertThat(send(base, "GET", "Origin: http://evil.com").status()).isEqualTo(403);
            assertThat(send(base, "GET", "Origin: null").status()).isEqualTo(403);
            assertThat(send(base, "GET", "Sec-Fetch-Site: cross-site").status()).isEqualTo(403);
            assertThat(RawHttp.get(base, "/status/stream", "Origin: http://evil.com")
                            .status())
                    .isEqualTo(403);
        });
    }

    @Test
    void S11_nothingButGetAndHeadIsAnswered() {
        holdsUnless(Hole.METHOD, base -> {
            for (String method : List.of("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW", "ODDLABEL")) {
                assertThat(send(base, method, "X-Http-Method-Override: GET").status())
                        .as(method)
                        .isEqualTo(405);
            }
        });
        assertThat(RawHttp.get(url, "/metrics").body())
                .as("what is counted")
                .contains("fastn_node")
                .doesNotContain("BREW", "ODDLABEL");
    }

    @Test
    void S12_aBodyIsRefused() {
        holdsUnless(
                Hole.BODY,
                base -> assertThat(RawHttp.send(
                                        base,
                                        "GET /status HTTP/1.1\r\nHost: " + authority(base)
                                                + "\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
                                .status())
                        .isEqualTo(413));
    }

    @Test
    void S12_aFloodIsCutOffAndGoesOnToBeCutOffBeforeTheToken() {
        holdsUnless(Hole.LIMITS, base -> assertThat(flood(base)).contains(429));
        assertThat(flood(lockedUrl)).as("before anybody looks at the token").contains(429);
    }

    private static Set<Integer> flood(String base) {
        Set<Integer> answers = new java.util.concurrent.ConcurrentSkipListSet<>();
        List<Thread> threads = new ArrayList<>();
        for (int t = 0; t < 8; t++) {
            Thread thread = new Thread(() -> {
                try (Socket socket = new Socket(
                        InetAddress.getLoopbackAddress(), URI.create(base).getPort())) {
                    // Pipelined, so that it does not matter how slow the machine of the test is.
                    String one = "GET /health HTTP/1.1\r\nHost: " + authority(base) + "\r\n\r\n";
                    socket.getOutputStream().write(one.repeat(100).getBytes(StandardCharsets.UTF_8));
                    socket.shutdownOutput();
                    socket.setSoTimeout(20_000);
                    String all = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                    java.util.regex.Matcher status =
                            java.util.regex.Pattern.compile("HTTP/1.1 (\\d+)").matcher(all);
                    while (status.find()) {
                        answers.add(Integer.valueOf(status.group(1)));
                    }
                } catch (IOException e) {
                    answers.add(0);
                }
            });
            thread.start();
            threads.add(thread);
        }
        threads.forEach(SecurityRulesTest::join);
        return answers;
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void S12_aHeadThatTricklesInIsNotWaitedFor() {
        isCutOff(url, Duration.ofSeconds(20));
        // The guard strikes after five seconds: what is open for longer than that is open.
        try (LeakyProxy leaky = new LeakyProxy(Hole.LIMITS, url, token)) {
            assertThatThrownBy(() -> isCutOff(leaky.url(), Duration.ofMillis(6_500)))
                    .isInstanceOf(AssertionError.class);
        }
    }

    private static void isCutOff(String base, Duration patience) {
        try (Socket socket =
                new Socket(InetAddress.getLoopbackAddress(), URI.create(base).getPort())) {
            socket.setSoTimeout(500);
            socket.getOutputStream().write("GET /status HTTP/1.1\r\n".getBytes(StandardCharsets.UTF_8));
            boolean closed = false;
            for (int i = 0; i < patience.toMillis() / 500 && !closed; i++) {
                try {
                    socket.getOutputStream().write(("X-" + i + ": y\r\n").getBytes(StandardCharsets.UTF_8));
                    closed = socket.getInputStream().read() < 0;
                } catch (SocketTimeoutException e) {
                    // It still waits.
                } catch (IOException e) {
                    closed = true;
                }
            }
            assertThat(closed).as("after %s", patience).isTrue();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void S12_twoHundredThatTrickleHoldSixtyFourPlacesLittleMemoryAndNothingOfTheApplication() {
        holdsUnless(Hole.LIMITS, base -> {
            long before = usedBytes();
            // They are accepted in their order, and the first ones are there for five seconds.
            List<Socket> slow = new ArrayList<>(connect(URI.create(base), 65));
            try {
                slow.forEach(socket -> trickle(socket, "GET /status HTTP/1.1\r\nX-Slow: "));
                assertThat(isClosedWithin(slow.get(64), Duration.ofSeconds(4)))
                        .as("the first one too many is closed at once")
                        .isTrue();
                List<Socket> more = connect(URI.create(base), 135);
                slow.addAll(more);
                more.forEach(socket -> trickle(socket, "GET /status HTTP/1.1\r\nX-Slow: "));
                // The port closes them when it comes to accept them.
                await().untilAsserted(() -> assertThat(
                                slow.stream().filter(SecurityRulesTest::isOpen).count())
                        .isLessThanOrEqualTo(64));
                assertThat(Waiting.result(OPEN.eventBus().request("fastn.status", null))
                                .body())
                        .isNotNull();
                // What others in this JVM use for a moment is in it too.
                await().untilAsserted(() ->
                        assertThat(usedBytes() - before).as("bytes").isLessThan(16 << 20));
                await("all are sent away").atMost(Duration.ofSeconds(60)).until(() -> {
                    slow.forEach(socket -> trickle(socket, "x"));
                    return slow.stream().noneMatch(SecurityRulesTest::isOpen);
                });
            } finally {
                slow.forEach(SecurityRulesTest::close);
            }
            // Who is sent away sees that before its place is free.
            await().untilAsserted(() ->
                    assertThat(RawHttp.get(base, "/health").status()).isEqualTo(200));
        });
    }

    private static void trickle(Socket socket, String bytes) {
        try {
            socket.getOutputStream().write(bytes.getBytes(StandardCharsets.US_ASCII));
        } catch (IOException e) {
            // It is closed.
        }
    }

    private static boolean isOpen(Socket socket) {
        return !isClosedWithin(socket, Duration.ofMillis(1));
    }

    private static long usedBytes() {
        System.gc();
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }

    @Test
    void S12_moreStreamsThanThirtyTwoAreRefusedAndTheOthersGoOn() {
        holdsUnless(Hole.LIMITS, base -> {
            List<OpenStream> streams = new ArrayList<>();
            try {
                for (int i = 0; i < 33; i++) {
                    streams.add(new OpenStream(base, "/status/stream"));
                }
                assertThat(streams).filteredOn(stream -> stream.status() == 503).hasSize(1);
                streams.get(0).event();
            } finally {
                streams.forEach(OpenStream::close);
            }
        });
    }

    @Test
    void S19_threadsAreToldOnThisMachineAloneAndNoStatusHasFrames() {
        String bearer = "Authorization: Bearer " + token;
        Consumer<String> withoutFrames = body -> assertThat(body).doesNotContain("\\tat ", "\tat ", "    at ");
        String threads = RawHttp.get(lockedUrl, "/threads", bearer).body();
        assertThat(threads).contains("    at ");
        assertThatThrownBy(() -> withoutFrames.accept(threads))
                .as("the check has to notice frames")
                .isInstanceOf(AssertionError.class);
        holdsUnless(
                Hole.FORWARDED,
                base -> assertThat(RawHttp.get(base, "/threads", bearer, "X-Forwarded-For: 10.0.0.7")
                                .status())
                        .isEqualTo(403));
        assertThat(RawHttp.get(url, "/status", "X-Forwarded-For: 10.0.0.7").status())
                .as("without a token nobody comes through a proxy")
                .isEqualTo(403);
        for (String target : List.of(
                "/status",
                "/status?format=json",
                "/status?scope=cluster&format=json",
                "/status/explain",
                "/status/episodes",
                "/status/nodes",
                "/status/recent",
                "/metrics",
                "/health")) {
            RawHttp.Response told = RawHttp.get(url, target);
            assertThat(told.status()).as(target).isEqualTo(200);
            withoutFrames.accept(told.body());
        }
    }

    @Test
    void S20_theTokenFileIsOfItsOwnerAloneAndARevealedOneIsRefused() throws IOException {
        Path made = folder.resolve("made");
        AccessToken.of(made);
        Consumer<Path> check = file -> assertThat(permissions(file)).isEqualTo("rw-------");
        check.accept(made);
        Path naive = folder.resolve("naive");
        Files.writeString(naive, token);
        Files.setPosixFilePermissions(naive, PosixFilePermissions.fromString("rw-r--r--"));
        assertThatThrownBy(() -> check.accept(naive)).isInstanceOf(AssertionError.class);
        Consumer<Consumer<Path>> refuses = reader -> assertThatThrownBy(() -> reader.accept(naive))
                .hasMessageContaining("can be used by others than its owner")
                .hasMessageContaining("chmod 600")
                .hasMessageNotContaining(token);
        refuses.accept(AccessToken::of);
        assertThatThrownBy(() -> refuses.accept(SecurityRulesTest::lines))
                .as("the check has to notice a reader that takes any file")
                .isInstanceOf(AssertionError.class);
        Files.setPosixFilePermissions(naive, PosixFilePermissions.fromString("rw-------"));
        assertThatCode(() -> AccessToken.of(naive)).doesNotThrowAnyException();
        Path weak = folder.resolve("weak");
        AccessToken.of(weak);
        Files.writeString(weak, "secret");
        assertThatThrownBy(() -> AccessToken.of(weak)).hasMessageContaining("holds no token of at least");
    }

    private static String permissions(Path file) {
        try {
            return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** A port with TLS, and who trusts it. */
    private record TlsPort(Vertx vertx, URI uri, SSLContext trusting, Path key) implements AutoCloseable {
        static TlsPort open() throws Exception {
            Path store = Files.createTempDirectory(folder, "tls").resolve("store.p12");
            char[] password = "changeit".toCharArray();
            Process keytool = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "keytool")
                                    .toString(),
                            "-genkeypair",
                            "-alias",
                            "a",
                            "-keyalg",
                            "EC",
                            "-dname",
                            "CN=localhost",
                            "-ext",
                            "san=ip:127.0.0.1",
                            "-storetype",
                            "PKCS12",
                            "-storepass",
                            "changeit",
                            "-keystore",
                            store.toString())
                    .inheritIO()
                    .start();
            assertThat(keytool.waitFor()).isZero();
            KeyStore keys = KeyStore.getInstance(store.toFile(), password);
            Certificate certificate = keys.getCertificate("a");
            Path cert = pem(store.resolveSibling("cert.pem"), "CERTIFICATE", certificate.getEncoded());
            Path key = pem(
                    store.resolveSibling("key.pem"),
                    "PRIVATE KEY",
                    keys.getKey("a", password).getEncoded());
            KeyStore trusted = KeyStore.getInstance("PKCS12");
            trusted.load(null, null);
            trusted.setCertificateEntry("a", certificate);
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(trusted);
            SSLContext trusting = SSLContext.getInstance("TLS");
            trusting.init(null, trust.getTrustManagers(), null);
            Vertx vertx = Vertx.vertx();
            try {
                StatusVerticle verticle = new StatusVerticle(new StatusOptions()
                        .setAlias("tls")
                        .setDescriptors(false)
                        .setHttpTls(cert.toString(), key.toString()));
                Waiting.result(vertx.deployVerticle(verticle));
                return new TlsPort(vertx, URI.create(requireNonNull(verticle.url())), trusting, key);
            } catch (RuntimeException | Error e) {
                Waiting.result(vertx.close());
                throw e;
            }
        }

        private static Path pem(Path file, String what, byte[] der) throws IOException {
            String body = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
            return Files.writeString(file, "-----BEGIN " + what + "-----\n" + body + "\n-----END " + what + "-----\n");
        }

        String request() {
            return "GET /health HTTP/1.1\r\nHost: " + uri.getAuthority() + "\r\nConnection: close\r\n\r\n";
        }

        String ask() {
            try (Socket socket = trusting.getSocketFactory().createSocket(uri.getHost(), uri.getPort())) {
                socket.setSoTimeout(20_000);
                socket.getOutputStream().write(request().getBytes(StandardCharsets.UTF_8));
                return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            } catch (IOException e) {
                return "";
            }
        }

        @Override
        public void close() {
            Waiting.result(vertx.close());
        }
    }

    @Test
    void S2_withTlsTheSameIsAnsweredEncryptedAndNothingElse() throws Exception {
        try (TlsPort port = TlsPort.open()) {
            URI uri = port.uri();
            assertThat(uri.getScheme()).isEqualTo("https");
            // A handshake has two seconds, and the first one on a busy machine may take longer.
            assertThat(await().until(port::ask, said -> said.startsWith("HTTP/1.1 200")))
                    .contains("\"alias\":\"tls\"");
            try (Socket plain = new Socket(uri.getHost(), uri.getPort())) {
                plain.setSoTimeout(20_000);
                plain.getOutputStream().write(port.request().getBytes(StandardCharsets.UTF_8));
                assertThat(new String(plain.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1))
                        .doesNotContain("HTTP/1.1 200");
            } catch (IOException e) {
                // Reset, which is as good.
            }
            assertThat(Waiting.failure(Vertx.vertx()
                            .deployVerticle(new StatusVerticle(new StatusOptions()
                                    .setHttpTls(
                                            folder.resolve("none").toString(),
                                            port.key().toString())))))
                    .hasMessageContaining("httpTlsCert is")
                    .hasMessageContaining("no file that this process can read");
        }
    }

    @Test
    void S12_whoDoesNotBeginTlsIsCountedAllTheSameAndSoonGone() throws Exception {
        try (TlsPort port = TlsPort.open()) {
            Consumer<URI> counted = uri -> {
                List<Socket> silent = connect(uri, 64);
                try (Socket oneMore = new Socket(uri.getHost(), uri.getPort())) {
                    assertThat(isClosedWithin(oneMore, Duration.ofSeconds(5)))
                            .as("the 65th connection is closed at once")
                            .isTrue();
                    // Its time for TLS began last, and that of those before it is not over.
                    assertThat(isOpen(silent.get(63))).as("it was one too many").isTrue();
                } catch (IOException e) {
                    throw new AssertionError(e);
                } finally {
                    silent.forEach(SecurityRulesTest::close);
                }
            };
            // On a busy machine the time of the 64th may be over before it is looked at.
            await().untilAsserted(() -> counted.accept(port.uri()));
            try (ServerSocket everybodyIsWelcome = new ServerSocket(0, 500, InetAddress.getLoopbackAddress())) {
                URI uri = URI.create("https://127.0.0.1:" + everybodyIsWelcome.getLocalPort());
                assertThatThrownBy(() -> counted.accept(uri)).isInstanceOf(AssertionError.class);
            }

            await("those that went away made room").until(() -> port.ask().startsWith("HTTP/1.1 200"));
            List<Socket> silent = connect(port.uri(), 64);
            try {
                await("those that stay in silence are sent away")
                        .until(() -> port.ask().startsWith("HTTP/1.1 200"));
                assertThat(silent).allMatch(socket -> isClosedWithin(socket, Duration.ofSeconds(20)));
            } finally {
                silent.forEach(SecurityRulesTest::close);
            }
        }
    }

    private static List<Socket> connect(URI uri, int many) {
        List<Socket> sockets = new ArrayList<>();
        try {
            for (int i = 0; i < many; i++) {
                sockets.add(new Socket(uri.getHost(), uri.getPort()));
            }
            return sockets;
        } catch (IOException e) {
            sockets.forEach(SecurityRulesTest::close);
            throw new AssertionError(e);
        }
    }

    private static boolean isClosedWithin(Socket socket, Duration time) {
        try {
            socket.setSoTimeout((int) time.toMillis());
            return socket.getInputStream().read() < 0;
        } catch (SocketTimeoutException e) {
            return false;
        } catch (IOException e) {
            return true;
        }
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // It is gone already.
        }
    }

    @Test
    void S22_noThreadOfTheApplicationMakesStatusForThirtyTwoWhoWatchAHundredThousandContexts() {
        ContextRuntime runtime = FastnVertx.install(OPEN).runtime();
        FastnContext many = runtime.root().child("many").open();
        List<FastnContext> members = new ArrayList<>();
        for (int i = 0; i < 100_000; i++) {
            members.add(many.child("one-of-many").open());
        }
        List<OpenStream> watchers = new ArrayList<>();
        AtomicBoolean on = new AtomicBoolean(true);
        Thread changes = new Thread(() -> {
            while (on.get()) {
                many.incrementTotal("changes");
                Thread.onSpinWait();
            }
        });
        try {
            for (int i = 0; i < 32; i++) {
                watchers.add(new OpenStream(url, i % 2 == 0 ? "/status/stream" : "/status/stream?deltas=true"));
            }
            watchers.forEach(OpenStream::event);
            watchers.forEach(SecurityRulesTest::goOnReading);
            changes.start();
            Runnable check = () ->
                    assertThat(threadOfVertxMakesStatus(Duration.ofSeconds(3))).isFalse();
            check.run();
            var loop = OPEN.getOrCreateContext();
            AtomicBoolean leaky = new AtomicBoolean(true);
            loop.runOnContext(v -> {
                while (leaky.get()) {
                    var unused = runtime.status();
                }
            });
            try {
                assertThatThrownBy(check::run)
                        .isInstanceOf(AssertionError.class)
                        .hasMessageContaining("to be false");
            } finally {
                leaky.set(false);
            }
        } finally {
            on.set(false);
            join(changes);
            watchers.forEach(OpenStream::close);
            members.forEach(FastnContext::close);
            many.close();
        }
    }

    private static void goOnReading(OpenStream stream) {
        Thread reader = new Thread(() -> {
            try {
                while (true) {
                    stream.line();
                }
            } catch (AssertionError | UncheckedIOException e) {
                // It was closed.
            }
        });
        reader.setDaemon(true);
        reader.start();
    }

    /** Looks for so long, and until another thread was seen to make it: where nobody does, there is nothing to see. */
    private static boolean threadOfVertxMakesStatus(Duration howLong) {
        long began = System.nanoTime();
        boolean madeByOthers = false;
        while (!madeByOthers || System.nanoTime() - began < howLong.toNanos()) {
            assertThat(Duration.ofNanos(System.nanoTime() - began))
                    .as("until somebody makes status")
                    .isLessThan(Duration.ofSeconds(60));
            for (var entry : Thread.getAllStackTraces().entrySet()) {
                if (makesStatus(entry.getValue())) {
                    if (entry.getKey().getName().startsWith("vert.x-")) {
                        return true;
                    }
                    madeByOthers = true;
                }
            }
        }
        return false;
    }

    private static boolean makesStatus(StackTraceElement[] frames) {
        return Arrays.stream(frames)
                .map(StackTraceElement::getClassName)
                .anyMatch(name -> name.contains("SnapshotTaker") || name.contains("StatusJson"));
    }
}
