package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;

import com.fastn.context.ContextEngine;
import com.fastn.context.FastnContext;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.spi.MDCAdapter;

/**
 * A diagnostic context of SLF4J in which {@value #ID} and {@value #PATH} are those of the current context, whichever thread a
 * line is logged on: {@code %X{fastn.path}} in a pattern is right after every hop that carries the context.
 *
 * <p>It looks when a line is logged, and so costs nothing otherwise; nothing has to be put in or taken out. All other keys are
 * those of the adapter behind it. With Logback: {@code loggerContext.setMDCAdapter(new
 * ContextMdc(loggerContext.getMDCAdapter()))}. Off any context the two keys have no value.
 */
public final class ContextMdc implements MDCAdapter {
    /** The id of the current context. */
    public static final String ID = "fastn.ctx";

    /** The path of the current context. */
    public static final String PATH = "fastn.path";

    private final MDCAdapter others;

    /**
     * Adds the two keys to an adapter.
     *
     * @param others keeps all other keys
     */
    public ContextMdc(MDCAdapter others) {
        this.others = requireNonNull(others, "others");
    }

    private static @Nullable FastnContext here() {
        return ContextEngine.get().currentOrNull();
    }

    @Override
    public @Nullable String get(String key) {
        if (key.equals(ID)) {
            FastnContext here = here();
            return here == null ? null : Long.toString(here.id());
        }
        if (key.equals(PATH)) {
            FastnContext here = here();
            return here == null ? null : here.path().toString();
        }
        return others.get(key);
    }

    @Override
    @SuppressWarnings("NullAway") // the adapter's map has whatever the application put into it
    public Map<String, String> getCopyOfContextMap() {
        Map<String, String> known = others.getCopyOfContextMap();
        Map<String, String> all = known == null ? new HashMap<>() : new HashMap<>(known);
        FastnContext here = here();
        if (here != null) {
            all.put(ID, Long.toString(here.id()));
            all.put(PATH, here.path().toString());
        }
        return all;
    }

    @Override
    public void put(String key, @Nullable String value) {
        if (!isOurs(key)) {
            others.put(key, value);
        }
    }

    @Override
    public void remove(String key) {
        if (!isOurs(key)) {
            others.remove(key);
        }
    }

    @Override
    public void clear() {
        others.clear();
    }

    @Override
    public void setContextMap(@Nullable Map<String, String> map) {
        if (map == null) {
            // What the copy of an adapter that has nothing gives.
            others.clear();
            return;
        }
        Map<String, String> kept = new HashMap<>(map);
        kept.keySet().removeIf(ContextMdc::isOurs);
        others.setContextMap(kept);
    }

    @Override
    public void pushByKey(String key, @Nullable String value) {
        others.pushByKey(key, value);
    }

    @Override
    public @Nullable String popByKey(String key) {
        return others.popByKey(key);
    }

    @Override
    public @Nullable Deque<String> getCopyOfDequeByKey(String key) {
        return others.getCopyOfDequeByKey(key);
    }

    @Override
    public void clearDequeByKey(String key) {
        others.clearDequeByKey(key);
    }

    private static boolean isOurs(String key) {
        return key.equals(ID) || key.equals(PATH);
    }
}
