package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.engine.EngineRuntime;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.ThreadingModel;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.Message;
import io.vertx.junit5.VertxExtension;
import java.io.IOException;
import java.io.InputStream;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** A verticle that is deployed again and again leaves nothing behind. */
@ExtendWith({OwnTree.class, VertxExtension.class})
// A thousand times over: a slow machine takes more than the two minutes of others.
@Timeout(value = 6, unit = TimeUnit.MINUTES)
class RedeployTest {
    private static final int REDEPLOYS = 1_000;
    private static final int LEAST_REDEPLOYS = 100;
    private static final Duration MOST_TIME = Duration.ofSeconds(10);
    private static final int MOST_PINNED = 5;

    /** A verticle with a message, a child, a repetition and a lock of its own. */
    private static final class Busy extends Front {
        final List<WeakReference<FastnContext>> contexts = new CopyOnWriteArrayList<>();

        @Override
        public Future<?> start() {
            FutureContext mine = FutureContext.current();
            contexts.add(new WeakReference<>(mine.context()));
            var ticks = mine.periodic(Duration.ofMillis(1), "tick", tick -> Future.succeededFuture());
            assertThat(ticks).isNotNull();
            return vertx.eventBus()
                    .consumer("busy", (Message<Object> message) -> {
                        contexts.add(new WeakReference<>(FastnContext.current()));
                        FutureContext.current()
                                .child("step")
                                .run(step -> {
                                    contexts.add(new WeakReference<>(step.context()));
                                    return mine.mutex("turns").withLock(value -> vertx.timer(1));
                                })
                                .onComplete(done -> message.reply("done"));
                    })
                    .completion();
        }
    }

    @Test
    void aThousandRedeploysLeaveNoContextNoVerticleAndNothingOpen(Vertx vertx) {
        FastnVertx fastn = FastnVertx.builder()
                .options(new VertxContextOptions().setGrace(Duration.ofHours(1)))
                .install(vertx);
        EngineRuntime runtime = (EngineRuntime) fastn.runtime();
        List<WeakReference<?>> all = new CopyOnWriteArrayList<>();
        for (int i = 0; i < REDEPLOYS; i++) {
            redeployOnce(vertx, all);
        }
        assertThat(runtime.root().children()).isEmpty();
        assertThat(runtime.openContexts()).isEqualTo(1);
        assertThat(fastn.awaitedReplies().count()).isZero();
        assertThat(fastn.pendingReplies().count()).isZero();
        assertThat(all.size()).isGreaterThanOrEqualTo(4 * REDEPLOYS);
        // One may still be referred to from a stack or a thread's last task.
        Waiting.until(() -> {
            System.gc();
            return all.stream().filter(reference -> reference.get() != null).count() <= 20;
        });
    }

    /** Loads the classes of {@link ReloadedVerticle} anew, as whoever reloads an application does. */
    private static final class Reloading extends ClassLoader {
        private static final String RELOADED = ReloadedVerticle.class.getName();

        Reloading() {
            super(RedeployTest.class.getClassLoader());
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (!name.equals(RELOADED) && !name.startsWith(RELOADED + "$")) {
                return super.loadClass(name, resolve);
            }
            synchronized (getClassLoadingLock(name)) {
                Class<?> known = findLoadedClass(name);
                return known != null ? known : define(name);
            }
        }

        private Class<?> define(String name) throws ClassNotFoundException {
            try (InputStream in = requireNonNull(getResourceAsStream(name.replace('.', '/') + ".class"))) {
                byte[] bytes = in.readAllBytes();
                return defineClass(name, bytes, 0, bytes.length);
            } catch (IOException e) {
                throw new ClassNotFoundException(name, e);
            }
        }
    }

    /** As many as there is time for, and a hundred at least. */
    @Test
    void theClassesOfAVerticleThatIsReloadedGoWithIt(Vertx vertx) {
        FastnVertx fastn = FastnVertx.builder()
                .options(new VertxContextOptions().setGrace(Duration.ZERO))
                .install(vertx);
        EngineRuntime runtime = (EngineRuntime) fastn.runtime();
        List<WeakReference<ClassLoader>> loaders = new ArrayList<>();
        LockGuard<?> held = Waiting.take(runtime.root().mutex("held"));
        long until = System.nanoTime() + MOST_TIME.toNanos();
        for (int i = 0; i < REDEPLOYS && (i < LEAST_REDEPLOYS || System.nanoTime() < until); i++) {
            loaders.add(new WeakReference<>(reloadOnce(vertx)));
        }
        Waiting.until(() -> runtime.openContexts() == 1);
        assertThat(runtime.root().children()).isEmpty();
        assertThat(fastn.workerQueue().count()).isZero();
        assertThat(fastn.requests().connections()).isZero();
        assertThat(fastn.sessions().count()).isZero();
        assertThat(runtime.root().mutex("held").waiters()).isZero();
        // Some may still be referred to from a stack or a thread's last task.
        Waiting.until(() -> {
            System.gc();
            return loaders.stream().filter(loader -> loader.get() != null).count() <= MOST_PINNED;
        });
        held.close();
    }

    private static ClassLoader reloadOnce(Vertx vertx) {
        Reloading loader = new Reloading();
        // With a pool of its own: threads of Vert.x's common one may outlive the loader that they were begun under.
        DeploymentOptions options = new DeploymentOptions()
                .setThreadingModel(ThreadingModel.WORKER)
                .setClassLoader(loader)
                .setWorkerPoolName("reloaded")
                .setWorkerPoolSize(2);
        String id = Waiting.result(vertx.deployVerticle("java:" + Reloading.RELOADED, options));
        Waiting.result(vertx.eventBus().request("reloaded", "x"));
        Waiting.result(vertx.undeploy(id));
        return loader;
    }

    private static void redeployOnce(Vertx vertx, List<WeakReference<?>> all) {
        Busy busy = new Busy();
        String id = Waiting.result(vertx.deployVerticle(busy));
        Waiting.result(vertx.eventBus().request("busy", "x"));
        Waiting.result(vertx.undeploy(id));
        all.add(new WeakReference<>(busy));
        all.addAll(busy.contexts);
    }
}
