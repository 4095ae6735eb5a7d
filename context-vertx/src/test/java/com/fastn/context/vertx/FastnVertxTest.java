package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fastn.context.ContextRuntime;
import com.fastn.context.FastnContext;
import com.fastn.context.engine.EngineRuntime;
import com.fastn.context.status.ContextState;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.spi.tracing.VertxTracer;
import java.io.File;
import java.lang.reflect.InvocationTargetException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class FastnVertxTest {
    private final List<Vertx> open = new ArrayList<>();

    @AfterEach
    void close() {
        open.forEach(vertx -> Waiting.result(vertx.close()));
    }

    private Vertx vertx() {
        Vertx vertx = Vertx.vertx();
        open.add(vertx);
        return vertx;
    }

    private static FastnVertx installed(Vertx vertx) {
        return requireNonNull(FastnVertx.installedIn(vertx), "installed");
    }

    @Test
    void theJarAloneInstallsContexts() {
        assertThat(FastnVertx.installedIn(vertx())).isNotNull();
    }

    @Test
    void theJarAloneInstallsContextsInAClusteredVertx() {
        try (TestCluster cluster = TestCluster.of(1)) {
            assertThat(FastnVertx.installedIn(cluster.node(0))).isNotNull();
        }
    }

    @Test
    void theFirstVertxAdoptsTheDefaultRuntimeAndFurtherOnesHaveTheirOwn() {
        FastnVertx first = installed(vertx());
        FastnVertx second = installed(vertx());
        FastnVertx third = installed(vertx());
        assertThat(first.runtime()).isSameAs(ContextRuntime.defaultRuntime());
        assertThat(first.runtime().root()).isSameAs(FastnContext.global());
        assertThat(List.of(first.runtime(), second.runtime(), third.runtime())).doesNotHaveDuplicates();
        assertThat(first.node().incarnation()).isNotEqualTo(second.node().incarnation());
    }

    @Test
    void theDefaultRuntimeIsGivenBackAtTheCloseAndAdoptedByTheNext() {
        ContextRuntime runtime = ContextRuntime.defaultRuntime();
        Vertx first = vertx();
        assertThat(installed(first).runtime()).isSameAs(runtime);
        Waiting.result(first.close());
        assertThat(runtime.root().state()).isEqualTo(ContextState.ACTIVE);
        assertThat(installed(vertx()).runtime()).isSameAs(runtime);
    }

    @Test
    void closingCancelsAndClosesEverythingInTheTree() {
        Vertx adopter = vertx();
        Vertx other = vertx();
        for (Vertx vertx : List.of(adopter, other)) {
            FastnContext service =
                    Waiting.on(Front.deploy(vertx).place(), () -> Future.succeededFuture(FastnContext.current()));
            FastnContext work = service.child("work").open();
            FastnContext beside =
                    installed(vertx).runtime().root().child("beside").open();
            CompletableFuture<Boolean> told = new CompletableFuture<>();
            work.onCancel(reason -> told.complete(true));
            Waiting.endsWithoutGrace(vertx);
            Waiting.result(vertx.close());
            assertThat(told).isCompletedWithValue(true);
            assertThat(List.of(service, work, beside)).allSatisfy(context -> {
                assertThat(context.isCancelled()).isTrue();
                assertThat(context.state()).isNotEqualTo(ContextState.ACTIVE);
            });
            work.close();
            assertThat(service.state()).isEqualTo(ContextState.CLOSED);
        }
        EngineRuntime own = (EngineRuntime) installed(other).runtime();
        assertThat(own.root().isCancelled()).isTrue();
        Waiting.until(() -> !own.hasListeners());
    }

    @Test
    void installingAgainGivesWhatIsThere() {
        Vertx vertx = vertx();
        FastnVertx known = installed(vertx);
        assertThat(FastnVertx.install(vertx)).isSameAs(known).isSameAs(FastnVertx.install(vertx));
    }

    /** What went before ours would see what ours takes out. */
    @Test
    void whereAnInterceptorOfTheApplicationIsFirstItSeesAMessageAsItIs() {
        System.setProperty(AutoInstall.PROPERTY, "false");
        Vertx vertx;
        try {
            vertx = vertx();
        } finally {
            System.clearProperty(AutoInstall.PROPERTY);
        }
        List<String> seen = new CopyOnWriteArrayList<>();
        vertx.eventBus().addInboundInterceptor(delivery -> {
            seen.add(delivery.message().address() + " " + delivery.message().replyAddress());
            delivery.next();
        });
        FastnVertx.install(vertx);
        Service log = Service.deploy(vertx, "log", message -> {});
        FastnContext sender = Waiting.on(Front.deploy(vertx).place(), () -> {
            vertx.eventBus().send("log", 1);
            return Future.succeededFuture(FastnContext.current());
        });
        assertThat(requireNonNull(log.only().caller()).contextId()).isEqualTo(sender.id());
        assertThat(seen).filteredOn(line -> !line.startsWith("fastn.")).containsExactly("log null");
    }

    @Test
    void thePropertyLeavesInstallingToTheApplication() {
        System.setProperty(AutoInstall.PROPERTY, "false");
        Vertx vertx;
        try {
            vertx = vertx();
        } finally {
            System.clearProperty(AutoInstall.PROPERTY);
        }
        assertThat(FastnVertx.installedIn(vertx)).isNull();
        Front front = Front.deploy(vertx);
        assertThat(Waiting.<FastnContext>on(front.place(), () -> Future.succeededFuture(FastnContext.current())))
                .isSameAs(FastnContext.global());
        FastnVertx fastn = FastnVertx.install(vertx);
        assertThat(Waiting.<FastnContext>on(front.place(), () -> Future.succeededFuture(FastnContext.current()))
                        .parent())
                .isSameAs(fastn.runtime().root());
    }

    @Test
    void aVertxWithoutContextsIsNoNodeAndItsVerticlesRunInTheGlobalContext() {
        Vertx vertx = FastnVertx.withoutContexts(Vertx::vertx);
        open.add(vertx);
        assertThat(FastnVertx.installedIn(vertx)).isNull();
        Front front = Front.deploy(vertx);
        assertThat(Waiting.<FastnContext>on(front.place(), () -> Future.succeededFuture(FastnContext.current())))
                .isSameAs(FastnContext.global());
        // The default runtime is still free.
        assertThat(installed(vertx()).runtime()).isSameAs(ContextRuntime.defaultRuntime());
    }

    /** As that of Zipkin does, to send its spans. It is made before the application's own, and is none of it. */
    @Test
    void aVertxThatTheTracerOfAnotherOneMakesForItselfIsNoNode() {
        CompletableFuture<Vertx> inner = new CompletableFuture<>();
        Vertx vertx = Vertx.builder()
                .withTracer(options -> {
                    inner.complete(vertx());
                    return VertxTracer.NOOP;
                })
                .build();
        open.add(vertx);
        assertThat(FastnVertx.installedIn(Waiting.result(inner))).isNull();
        assertThat(installed(vertx).runtime()).isSameAs(ContextRuntime.defaultRuntime());
        assertThat(FastnVertx.install(Waiting.result(inner)).runtime()).isNotSameAs(ContextRuntime.defaultRuntime());
    }

    @Test
    void aMakerThatThrowsIsTheCauseOfTheFailure() {
        IllegalArgumentException thrown = new IllegalArgumentException("no");
        assertThatThrownBy(() -> FastnVertx.withoutContexts(() -> {
                    throw thrown;
                }))
                .isInstanceOf(IllegalStateException.class)
                .hasCause(thrown);
    }

    @Test
    void theAliasNamesTheNodeAndKeepsItsIncarnation() {
        FastnVertx fastn = installed(vertx());
        String incarnation = fastn.node().incarnation();
        assertThat(fastn.alias("bob").node().alias()).isEqualTo("bob");
        assertThat(fastn.node().incarnation()).isEqualTo(incarnation);
    }

    @Test
    void onlyConsumersOfOurOwnAddressesCanBeCounted() {
        FastnVertx fastn = installed(vertx());
        assertThatThrownBy(() -> fastn.consumers("orders"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("orders");
    }

    @Test
    void aVertxThatWasMadeBeforeTheJarWasFoundIsRefusedWithTheReason() throws Exception {
        // All of Vert.x and of ours once more, because in this process the slot is registered already.
        ClassLoader before = Thread.currentThread().getContextClassLoader();
        try (URLClassLoader apart = new URLClassLoader(
                classPath(), ClassLoader.getSystemClassLoader().getParent())) {
            Thread.currentThread().setContextClassLoader(apart);
            Object message = apart.loadClass(LateJar.class.getName())
                    .getMethod("refusal")
                    .invoke(null);
            assertThat(message)
                    .asString()
                    .contains("made before fastn-context-vertx was found")
                    .contains("META-INF/services");
        } catch (InvocationTargetException e) {
            throw new AssertionError("it failed otherwise", e.getCause());
        } finally {
            Thread.currentThread().setContextClassLoader(before);
        }
    }

    private static URL[] classPath() throws MalformedURLException {
        List<URL> urls = new ArrayList<>();
        String classPath = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        for (String entry : classPath.split(File.pathSeparator, -1)) {
            urls.add(new File(entry).toURI().toURL());
        }
        return urls.toArray(new URL[0]);
    }
}
