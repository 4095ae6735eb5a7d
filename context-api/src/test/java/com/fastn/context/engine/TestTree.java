package com.fastn.context.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextEngine;
import com.fastn.context.FastnContext;
import com.fastn.context.ManualTicker;
import com.fastn.context.spi.ContextBinding;
import com.fastn.context.status.ContextState;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A runtime with a clock that is moved by hand, for one test. After the test its tree has to be whole, and once all that
 * the test left open is closed, nothing may be left: no context, no live count, no current context on the thread.
 */
final class TestTree implements AfterEachCallback {
    static final Instant START = Instant.parse("2026-01-01T12:00:00Z");

    final ManualTicker ticker = new ManualTicker(START);
    final EngineRuntime runtime;
    final ContextNode root;

    TestTree() {
        this((ContextBinding) null);
    }

    /** A tree in an environment of its own, as the one of a Vertx is. */
    TestTree(@Nullable ContextBinding binding) {
        this(binding, CounterStore.Caps.DEFAULT);
    }

    /** A tree that keeps few counters apart. */
    TestTree(CounterStore.Caps caps) {
        this(null, caps);
    }

    /** A tree in which no look for deadlocks takes place by itself: it is changed by the test alone. */
    static TestTree withoutLooks() {
        return new TestTree(null, CounterStore.Caps.DEFAULT, new Timers(() -> Runnable::run) {
            @Override
            boolean tick(Duration delay, Runnable task) {
                return false;
            }
        });
    }

    private TestTree(@Nullable ContextBinding binding, CounterStore.Caps caps) {
        this(binding, caps, null);
    }

    private TestTree(@Nullable ContextBinding binding, CounterStore.Caps caps, @Nullable Timers timers) {
        CurrentContext current = binding == null ? Engine.instance().currentContext() : new CurrentContext(binding);
        runtime = new EngineRuntime(
                new ContextEngine.Settings("app", "App", "alice", ticker, Integer.MAX_VALUE, 100, false),
                current,
                caps,
                timers);
        root = runtime.root();
        // At once, so that a test knows what is so afterwards.
        runtime.counterStore().foldOn(Runnable::run);
    }

    /** Another runtime with the same clock, which the test closes. */
    EngineRuntime another() {
        return another("other", "bob");
    }

    EngineRuntime another(String rootName, String alias) {
        return new EngineRuntime(
                new ContextEngine.Settings(rootName, "Other", alias, ticker, Integer.MAX_VALUE, 100, false),
                runtime.current());
    }

    /** Opens a task below the root. */
    ContextNode open(String name) {
        return open(root, name);
    }

    ContextNode open(FastnContext parent, String name) {
        return (ContextNode) parent.child(name).open();
    }

    void pass(Duration time) {
        ticker.advance(time);
    }

    void passSeconds(double seconds) {
        ticker.advance(Duration.ofNanos((long) (seconds * 1e9)));
    }

    @Override
    public void afterEach(ExtensionContext test) {
        end();
    }

    /** What is checked after a test, for a tree that the test makes itself. */
    void end() {
        isWhole();
        List<ContextNode> all = nodes();
        for (int i = all.size() - 1; i > 0; i--) {
            all.get(i).close();
        }
        assertThat(root.children()).as("what is left after all was closed").isEmpty();
        runtime.close();
        assertThat(root.state()).isEqualTo(ContextState.CLOSED);
        assertThat(runtime.openContexts())
                .as("contexts that are counted as open")
                .isZero();
        assertThat(runtime.counters().flat(root.path()).keySet())
                .as("live counts after the end")
                .noneMatch(key -> key.contains(".live_"));
        assertThat(ContextEngine.get().currentOrNull())
                .as("the current context that the test left on its thread")
                .isNull();
    }

    /** Checks the invariants that stand on top of {@link ContextNode}. */
    void isWhole() {
        List<ContextNode> all = nodes();
        for (ContextNode node : all) {
            List<ContextNode> children = node.childNodes();
            if (node.state() == ContextState.CLOSING) {
                assertThat(children).as("%s closes, so it has children", node).isNotEmpty();
            }
            for (ContextNode child : children) {
                assertThat(child.parent()).as("parent of %s", child).isSameAs(node);
                assertThat(child.id()).as("%s is younger than %s", child, node).isGreaterThan(node.id());
                assertThat(child.isClosed()).as("%s is linked", child).isFalse();
                assertThat(child.isCancelled() || !node.isCancelled())
                        .as("%s is alive below %s", child, node)
                        .isTrue();
            }
        }
        if (!root.isClosed()) {
            assertThat(runtime.openContexts()).as("open contexts").isEqualTo(all.size());
        }
    }

    /** All linked nodes, parents before their children. */
    List<ContextNode> nodes() {
        List<ContextNode> all = new ArrayList<>();
        all.add(root);
        for (int i = 0; i < all.size(); i++) {
            all.addAll(all.get(i).childNodes());
        }
        return all;
    }
}
