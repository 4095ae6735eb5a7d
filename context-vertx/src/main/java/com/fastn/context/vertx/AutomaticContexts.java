package com.fastn.context.vertx;

import com.fastn.context.engine.ContextNode;
import com.fastn.context.status.CallerLink;
import com.fastn.context.status.ContextKind;
import java.util.Locale;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Opens the contexts that are made by themselves, where the options want them and under the names that they give. */
final class AutomaticContexts {
    private static final Logger LOG = LoggerFactory.getLogger(AutomaticContexts.class);

    private volatile VertxContextOptions options = new VertxContextOptions();

    VertxContextOptions options() {
        return options;
    }

    void configure(VertxContextOptions wanted) {
        options = new VertxContextOptions(wanted);
    }

    /** Opens a context, or gives null where none is wanted. */
    @Nullable
    ContextNode open(ContextNode host, ContextKind kind, String name) {
        String wanted = wanted(host, kind, name);
        return wanted == null ? null : host.openChild(wanted, kind, null);
    }

    /** The same for one that is remembered, and counted in total and alive. */
    @Nullable
    ContextNode openCounted(
            ContextNode host, ContextKind kind, String name, @Nullable CallerLink caller, String counter) {
        String wanted = wanted(host, kind, name);
        return wanted == null ? null : host.openCounted(wanted, kind, caller, counter);
    }

    private @Nullable String wanted(ContextNode host, ContextKind kind, String name) {
        VertxContextOptions now = options;
        if (now.samples() && !now.isSampled(kind, ThreadLocalRandom.current().nextDouble())) {
            host.incrementTotal("unsampled_" + kind.name().toLowerCase(Locale.ROOT) + "s");
            return null;
        }
        return nameOf(now.names(), kind, name);
    }

    /** The name of a context that there always is. */
    String nameOf(ContextKind kind, String name) {
        String wanted = nameOf(options.names(), kind, name);
        return wanted == null ? name : wanted;
    }

    private static @Nullable String nameOf(ContextNames names, ContextKind kind, String name) {
        try {
            return names.nameOf(kind, name);
        } catch (Throwable t) {
            // Also an Error, and what Kotlin throws unannounced: a name is no reason not to serve a request.
            LOG.error("the names of contexts failed; this one keeps its own", t);
            return name;
        }
    }
}
