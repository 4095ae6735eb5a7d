package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;

import com.fastn.context.Registration;
import com.fastn.context.event.ContextEvent;
import com.fastn.context.event.ContextListener;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who is told of the events of a runtime. On each thread one event is told after the other: those that a listener makes
 * itself wait until the one that it is told has been told to all, and a chain of such events has an end.
 */
final class Listeners {
    private static final Logger LOG = LoggerFactory.getLogger("com.fastn.context");

    /** Events that were made because of events that were made because of an event. */
    static final int LONGEST_CHAIN = 8;

    /** Events that were made because of one, in all. */
    static final int MOST_MADE = 10_000;

    // Told apart by identity: a thread tells events and none waits, and none may wait any more.
    private static final List<ContextEvent> NONE = List.of();
    private static final List<ContextEvent> END = Collections.unmodifiableList(new ArrayList<>());

    private final Consumer<String> misuse;

    /** What waits on a thread that tells events; it holds null on one that does not, and nothing but classes of the JDK. */
    @SuppressWarnings("ThreadLocalUsage") // one a runtime, of which there are few
    private final ThreadLocal<@Nullable AtomicReference<@Nullable List<ContextEvent>>> waiting = new ThreadLocal<>();

    private volatile Listening[] all = {};

    Listeners(Consumer<String> misuse) {
        this.misuse = misuse;
    }

    /** One registration of a listener. */
    private static final class Listening {
        final ContextListener listener;
        final AtomicBoolean failed = new AtomicBoolean();

        Listening(ContextListener listener) {
            this.listener = listener;
        }
    }

    boolean any() {
        return all.length != 0;
    }

    synchronized Registration add(ContextListener listener) {
        Listening added = new Listening(requireNonNull(listener, "listener"));
        List<Listening> longer = new ArrayList<>(List.of(all));
        longer.add(added);
        all = longer.toArray(new Listening[0]);
        return () -> remove(added);
    }

    private synchronized void remove(Listening gone) {
        List<Listening> left = new ArrayList<>(List.of(all));
        left.remove(gone);
        all = left.toArray(new Listening[0]);
    }

    void tell(ContextEvent event) {
        AtomicReference<@Nullable List<ContextEvent>> here = waiting.get();
        if (here == null) {
            here = new AtomicReference<>();
            waiting.set(here);
        }
        List<ContextEvent> made = here.getPlain();
        if (made != null) {
            keep(here, made, event);
            return;
        }
        here.setPlain(NONE);
        try {
            tellAll(event);
            tellWhatWasMade(here);
        } finally {
            here.setPlain(null);
        }
    }

    /** What is told here may make more, which comes behind it in the same list. */
    private void tellWhatWasMade(AtomicReference<@Nullable List<ContextEvent>> here) {
        List<ContextEvent> made = requireNonNull(here.getPlain(), "made");
        int told = 0;
        for (int chain = 1; told < made.size(); chain++) {
            if (chain == LONGEST_CHAIN) {
                here.setPlain(END);
            }
            for (int end = made.size(); told < end; told++) {
                tellAll(made.get(told));
            }
        }
    }

    private void keep(
            AtomicReference<@Nullable List<ContextEvent>> here, List<ContextEvent> before, ContextEvent event) {
        if (before == END) {
            misuse.accept("a listener changes the tree at every event, also at those of its own changes; after "
                    + LONGEST_CHAIN + " of these in a chain no further one is told. Change nothing in onEvent(..), or"
                    + " leave out the events that your own changes make");
        } else if (before == NONE) {
            List<ContextEvent> made = new ArrayList<>();
            made.add(event);
            here.setPlain(made);
        } else if (before.size() < MOST_MADE) {
            before.add(event);
        } else {
            misuse.accept("listeners made more than " + MOST_MADE + " events at one; the others are told to nobody."
                    + " Change the tree on another thread than the one that tells the event");
        }
    }

    private void tellAll(ContextEvent event) {
        for (Listening each : all) {
            try {
                each.listener.onEvent(event);
            } catch (Throwable t) {
                failed(each, event, t);
            }
        }
    }

    private void failed(Listening who, ContextEvent event, Throwable failure) {
        String kind = code(who.listener);
        if (who.failed.compareAndSet(false, true)) {
            LoggedFailure.error(
                    LOG,
                    failure,
                    "a listener failed on {}; what the one {} throws from now on is counted and not logged",
                    event.getClass().getSimpleName(),
                    kind);
        }
        misuse.accept("a listener, " + kind + ", threw at an event; onEvent(..) has to catch what its code throws");
    }

    private static String code(ContextListener listener) {
        String code = listener.getClass().getName();
        int lambda = code.indexOf("$$Lambda");
        return lambda < 0 ? code : "made by " + code.substring(0, lambda);
    }
}
