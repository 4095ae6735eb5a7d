package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;

import com.fastn.context.ContextBuilder;
import com.fastn.context.FastnContext;
import com.fastn.context.status.CallerLink;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.MetricValue;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A child that is being described. */
final class NodeBuilder implements ContextBuilder {
    private final ContextNode parent;
    private final String name;
    private @Nullable String label;
    private @Nullable List<Function<NodeExtras, NodeExtras.Put>> description;
    private ContextKind kind = ContextKind.TASK;

    NodeBuilder(ContextNode parent, String name) {
        this.parent = parent;
        this.name = name;
    }

    @Override
    public ContextBuilder withData(String key, @Nullable Object value) {
        String cleanKey = Names.bounded(requireNonNull(key, "key"));
        Object frozen = PlainValues.freeze(parent.runtime(), key, value);
        describe(x -> x.putData(cleanKey, frozen));
        return this;
    }

    @Override
    public ContextBuilder withMetric(String key, MetricValue value) {
        String cleanKey = Names.bounded(requireNonNull(key, "key"));
        MetricValue kept = PlainValues.freeze(parent.runtime(), requireNonNull(value, "value"));
        describe(x -> x.putMetric(cleanKey, kept));
        return this;
    }

    @Override
    public ContextBuilder withLabel(String text) {
        label = Names.clean(requireNonNull(text, "label"));
        return this;
    }

    @Override
    public ContextBuilder withKind(ContextKind what) {
        kind = requireNonNull(what, "kind");
        return this;
    }

    @Override
    public ContextBuilder withSetting(String key, Object value) {
        requireNonNull(key, "key");
        requireNonNull(value, "value");
        Object kept = KnownSettings.checked(parent.runtime(), key, value);
        String cleanKey = Names.bounded(key);
        describe(x -> x.putSetting(cleanKey, kept));
        return this;
    }

    @Override
    public ContextBuilder withCaller(CallerLink caller) {
        requireNonNull(caller, "caller");
        describe(x -> {
            x.caller = caller;
            return NodeExtras.Put.CHANGED;
        });
        return this;
    }

    @Override
    public ContextBuilder persist() {
        describe(x -> {
            x.persisted = true;
            return NodeExtras.Put.CHANGED;
        });
        return this;
    }

    private void describe(Function<NodeExtras, NodeExtras.Put> part) {
        List<Function<NodeExtras, NodeExtras.Put>> parts = description;
        if (parts == null) {
            parts = new ArrayList<>(4);
            description = parts;
        }
        parts.add(part);
    }

    @Override
    public FastnContext open() {
        ContextNode child = openNode();
        LeakTracker leaks = parent.runtime().leaks();
        if (leaks != null) {
            leaks.contextOpened(child);
        }
        return child;
    }

    // Only what was said is handed on, so that a builder which is used at once is never made.
    private ContextNode openNode() {
        return parent.openChild(name, kind, label, description);
    }

    @Override
    public <T extends @Nullable Object> CompletionStage<T> spawn(
            Function<? super FastnContext, ? extends CompletionStage<T>> task) {
        requireNonNull(task, "task");
        return TaskRunner.spawnAndClose(openNode(), task);
    }

    @Override
    public <T extends @Nullable Object> CompletionStage<T> spawnBlocking(Callable<T> task) {
        requireNonNull(task, "task");
        return TaskRunner.spawnBlocking(openNode(), task);
    }
}
