package com.fastn.context.vertx;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.engine.ContextNode;
import com.fastn.context.engine.EngineRuntime;
import io.vertx.core.Vertx;
import io.vertx.junit5.VertxExtension;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What is known of the queue of a pool while its tasks come and go. */
@ExtendWith({OwnTree.class, VertxExtension.class})
class WorkerQueueTest {
    private final WorkerQueue queue = new WorkerQueue();
    private final List<Runnable> meanwhile = new ArrayList<>();
    private ThreadPoolExecutor pool;
    private ContextNode late;

    @BeforeEach
    void open(Vertx vertx) {
        EngineRuntime runtime = (EngineRuntime) FastnVertx.install(vertx).runtime();
        late = (ContextNode) runtime.root().child("late").open();
        // Never started: what stands in its queue is what the test puts there.
        pool = new ThreadPoolExecutor(1, 1, 1, TimeUnit.HOURS, new LinkedBlockingQueue<>() {
            @Override
            public int size() {
                int size = super.size();
                meanwhile.forEach(Runnable::run);
                return size;
            }
        });
    }

    @AfterEach
    void close() {
        meanwhile.clear();
        pool.shutdownNow();
    }

    private Runnable queued() {
        Runnable task = queue.queued(late, pool, () -> {});
        pool.getQueue().add(task);
        return task;
    }

    @Test
    void aTaskThatBeginsWhileTheQueueIsLookedAtIsNoneThatIsNotKnown() {
        meanwhile.add(queued());
        assertThat(queue.waitingFor(pool)).isEqualTo(new WorkerQueue.Waiting(List.of(), 1, 0));
    }

    @Test
    void aTaskThatNobodyWantsIsKnownUntilItBegins() {
        Runnable task = queued();
        queue.dropped(task);
        assertThat(queue.waitingFor(pool)).isEqualTo(new WorkerQueue.Waiting(List.of(), 1, 0));
        task.run();
        assertThat(queue.waitingFor(pool).unknown()).isEqualTo(1);
        // Too late.
        queue.dropped(task);
        assertThat(queue.waitingFor(pool).unknown()).isEqualTo(1);
    }
}
