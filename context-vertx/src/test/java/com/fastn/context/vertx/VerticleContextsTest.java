package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fastn.context.FastnContext;
import com.fastn.context.Registration;
import com.fastn.context.engine.EngineRuntime;
import com.fastn.context.event.ContextEvent;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextState;
import com.fastn.context.status.ContextStatus;
import io.vertx.core.Deployable;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.ThreadingModel;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.spi.VerticleFactory;
import io.vertx.junit5.VertxExtension;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

@ExtendWith({OwnTree.class, VertxExtension.class})
class VerticleContextsTest {
    private EngineRuntime runtime;

    @BeforeEach
    void runtime(Vertx vertx) {
        runtime = (EngineRuntime) FastnVertx.install(vertx).runtime();
    }

    private List<FastnContext> services() {
        return runtime.root().children();
    }

    private static DeploymentOptions model(ThreadingModel model) {
        return new DeploymentOptions().setThreadingModel(model);
    }

    @Test
    void aVerticleIsInTheNextSnapshotThoughNothingHappenedInIt(Vertx vertx) {
        Waiting.result(vertx.deployVerticle(new Front()));
        assertThat(services()).isEmpty();
        assertThat(runtime.status().globalContext().children()).singleElement().satisfies(service -> {
            assertThat(service.name()).isEqualTo("Front");
            assertThat(service.kind()).isEqualTo(ContextKind.SERVICE);
            assertThat(service.state()).isEqualTo(ContextState.ACTIVE);
        });
    }

    @Test
    void theContextIsThereAtFirstUseInStart(Vertx vertx) {
        CompletableFuture<FastnContext> inStart = new CompletableFuture<>();
        Waiting.result(vertx.deployVerticle(new VerticleBase() {
            @Override
            public Future<?> start() {
                inStart.complete(FastnContext.current());
                return Future.succeededFuture();
            }
        }));
        assertThat(services()).containsExactly(Waiting.result(inStart));
        runtime.status();
        assertThat(services()).containsExactly(Waiting.result(inStart));
    }

    @Test
    void theInstancesOfOneDeploymentAreOneServiceAndTwoDeploymentsAreTwo(Vertx vertx) {
        List<FastnContext> seen = new CopyOnWriteArrayList<>();
        Waiting.result(vertx.deployVerticle(
                () -> new VerticleBase() {
                    @Override
                    public Future<?> start() {
                        seen.add(FastnContext.current());
                        return Future.succeededFuture();
                    }
                },
                new DeploymentOptions().setInstances(4)));
        assertThat(seen).hasSize(4);
        assertThat(services()).hasSize(1);
        assertThat(seen).containsOnly(services().get(0));
        Front.deploy(vertx);
        runtime.status();
        assertThat(services()).hasSize(2);
    }

    @ParameterizedTest
    @EnumSource(value = ThreadingModel.class, mode = EnumSource.Mode.EXCLUDE, names = "EXTERNAL")
    void everyThreadingModelHasAServiceThatIsCurrentInIt(ThreadingModel model, Vertx vertx) {
        assumeTrue(
                model != ThreadingModel.VIRTUAL_THREAD || ((VertxInternal) vertx).isVirtualThreadAvailable(),
                "virtual threads need Java 21");
        Front front = new Front();
        String id = Waiting.result(vertx.deployVerticle(front, model(model)));
        FastnContext current = Waiting.on(front.place(), () -> Future.succeededFuture(FastnContext.current()));
        assertThat(services()).containsExactly(current);
        assertThat(Waiting.<FastnContext>onDuplicate(
                        front.place(), () -> Future.succeededFuture(FastnContext.current())))
                .isSameAs(current);
        Waiting.result(vertx.undeploy(id));
        assertThat(services()).isEmpty();
        assertThat(current.state()).isEqualTo(ContextState.CLOSED);
    }

    @Test
    void theContextEndsAfterStopAndItsWorkIsCancelledThen(Vertx vertx) {
        Promise<Void> mayStop = Promise.promise();
        CompletableFuture<FastnContext> stopping = new CompletableFuture<>();
        String id = Waiting.result(vertx.deployVerticle(new VerticleBase() {
            @Override
            public Future<?> stop() {
                stopping.complete(FastnContext.current());
                return mayStop.future();
            }
        }));
        runtime.status();
        FastnContext work = services().get(0).child("work").open();
        Future<Void> undeployed = vertx.undeploy(id);
        assertThat(Waiting.result(stopping)).isSameAs(work.parent());
        assertThat(work.isCancelled()).isFalse();
        mayStop.complete();
        Waiting.result(undeployed);
        assertThat(work.isCancelled()).isTrue();
        assertThat(requireNonNull(work.cancelReason()).message()).isEqualTo("the verticle was undeployed");
        assertThat(services()).containsExactly(Waiting.result(stopping));
        work.close();
        assertThat(services()).isEmpty();
    }

    @Test
    void aVerticleThatFailsToStartLeavesNothing(Vertx vertx) {
        Waiting.failure(vertx.deployVerticle(new VerticleBase() {
            @Override
            public Future<?> start() {
                FastnContext.current().touch();
                throw new IllegalStateException("no");
            }
        }));
        assertThat(services()).isEmpty();
        assertThat(runtime.status().globalContext().children()).isEmpty();
    }

    @Test
    void whatStillRunsInAnUndeployedVerticleThatWasNeverNoticedLeavesNoServiceBehind(Vertx vertx) {
        Front front = Front.deploy(vertx);
        ContextInternal place = (ContextInternal) front.place();
        // Its hooks have run, and the deployment is still listed: as it is for a moment in every undeployment.
        Waiting.result(place.closeFuture().close());
        assertThat(Waiting.<FastnContext>on(place, () -> Future.succeededFuture(FastnContext.current())))
                .isSameAs(runtime.root());
        assertThat(runtime.status().globalContext().children()).isEmpty();
    }

    @Test
    void aListenerOfEventsMayWaitForAnotherVerticleWhileOneIsNoticed(Vertx vertx) {
        Front first = Front.deploy(vertx);
        Front second = Front.deploy(vertx);
        CompletableFuture<FastnContext> other = new CompletableFuture<>();
        AtomicBoolean asked = new AtomicBoolean();
        Registration listening = runtime.addListener(event -> {
            if (event instanceof ContextEvent.Opened && asked.compareAndSet(false, true)) {
                second.place().runOnContext(now -> other.complete(FastnContext.current()));
                Waiting.result(other);
            }
        });
        Waiting.<FastnContext>on(first.place(), () -> Future.succeededFuture(FastnContext.current()));
        listening.close();
        assertThat(services()).hasSize(2).contains(Waiting.result(other));
    }

    @Test
    void aCancelHandlerOfAVerticleThatEndsMayUndeployAnother(Vertx vertx) {
        Front first = Front.deploy(vertx);
        Front second = Front.deploy(vertx);
        runtime.status();
        Promise<Void> gone = Promise.promise();
        Waiting.<FastnContext>on(first.place(), () -> Future.succeededFuture(FastnContext.current()))
                .onCancel(reason -> second.undeploy().onComplete(gone));
        Waiting.result(first.undeploy());
        Waiting.result(gone.future());
        assertThat(runtime.status().globalContext().children()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "java:com.example.Front, Front",
        "com.example.Front, Front",
        "java:Front, Front",
        "java:com.example.Outer$Front, Outer$Front",
        "java:com.example.AppKt$main$1, AppKt$main$1",
        "java:com.example.App$$Lambda/0x00007f8a1c123456, App-lambda",
        "java:com.example.App$$Lambda$14/0x00007f8a1c123456, App-lambda",
        "service:com.example.orders, service:com.example.orders",
        "maven:com.example:orders:1.0::front, maven:com.example:orders:1.0::front",
        "js:app.js, js:app.js",
        "com/example/Front.java, com/example/Front",
        "Front.java, Front",
        "'', ''",
        "., .",
    })
    void theNameIsThatOfTheClass(String identifier, String name) {
        assertThat(VerticleContexts.name(identifier)).isEqualTo(name);
    }

    @Test
    void aLambdaIsNamedAfterTheClassThatItStandsIn(Vertx vertx) {
        Deployable lambda = context -> Future.succeededFuture();
        Waiting.result(vertx.deployVerticle(lambda));
        assertThat(runtime.status().globalContext().children())
                .extracting(ContextStatus::name)
                .containsExactly("VerticleContextsTest-lambda");
    }

    @Test
    void aVerticleOfAFactoryIsNamedByItsWholeIdentifier(Vertx vertx) {
        vertx.registerVerticleFactory(new VerticleFactory() {
            @Override
            public String prefix() {
                return "service";
            }

            @Override
            public void createVerticle2(
                    String name, ClassLoader classLoader, Promise<Callable<? extends Deployable>> promise) {
                promise.complete(Front::new);
            }
        });
        Waiting.result(vertx.deployVerticle("service:com.example.orders"));
        assertThat(runtime.status().globalContext().children())
                .extracting(ContextStatus::name)
                .containsExactly("service:com.example.orders");
    }

    @Test
    void theInstallerIsNoPlaceToFindVerticles(Vertx vertx) {
        assertThat(Waiting.failure(vertx.deployVerticle("fastn-context-install:x")))
                .hasMessageContaining("no place to find verticles");
    }
}
