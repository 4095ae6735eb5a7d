package com.fastn.context.vertx;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.engine.ContextNode;
import com.fastn.context.engine.EngineRuntime;
import com.fastn.context.event.ContextEvent;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextState;
import io.vertx.core.Vertx;
import io.vertx.junit5.VertxExtension;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith({OwnTree.class, VertxExtension.class})
class ListenersTest {
    private EngineRuntime runtime;
    private Listeners listeners;
    private ContextNode host;

    @BeforeEach
    void open(Vertx vertx) {
        FastnVertx fastn = FastnVertx.install(vertx);
        runtime = (EngineRuntime) fastn.runtime();
        listeners = fastn.listeners();
        host = runtime.root().openChild("Web", ContextKind.SERVICE, null);
    }

    private void endHost() {
        host.cancel();
        listeners.endAll(host);
    }

    @Test
    void aListenerIsOneForItsNameAndEndsWithItsVerticle() {
        ContextNode listener = listeners.of(host, "http:1");
        assertThat(listeners.of(host, "http:1")).isSameAs(listener);
        assertThat(listener.parent()).isSameAs(host);
        endHost();
        assertThat(listener.state()).isEqualTo(ContextState.CLOSED);
    }

    @Test
    void aListenerThatWasCancelledGivesWayToAnotherAndEnds() {
        ContextNode cancelled = listeners.of(host, "http:1");
        ContextNode request = cancelled.openChild("GET /", ContextKind.REQUEST, null);
        cancelled.cancel();
        ContextNode listener = listeners.of(host, "http:1");
        assertThat(listener).isNotSameAs(cancelled).isNotSameAs(host);
        assertThat(listener.isCancelled()).isFalse();
        request.close();
        assertThat(cancelled.state()).isEqualTo(ContextState.CLOSED);
        endHost();
    }

    /** Who was about to serve the first connection of a port had found the verticle at work. */
    @Test
    void aListenerThatIsOpenedAfterItsVerticleWasCancelledDoesNotKeepIt() {
        endHost();
        assertThat(listeners.of(host, "http:1")).isSameAs(host);
        host.close();
        listeners.forget(host);
        assertThat(host.state()).isEqualTo(ContextState.CLOSED);
    }

    /** The end comes in the middle: the listener is open, and nobody can find it yet. */
    @Test
    void aListenerThatIsBeingOpenedWhileItsVerticleEndsDoesNotKeepIt() {
        isEndedWithItsVerticle();
    }

    /** The one before it is forgotten by then, and so nobody takes it for that one. */
    @Test
    void aListenerThatIsOpenedInPlaceOfAnotherWhileItsVerticleEndsDoesNotKeepIt() {
        listeners.of(host, "http:1").close();
        isEndedWithItsVerticle();
    }

    private void isEndedWithItsVerticle() {
        var ending = runtime.addListener(event -> {
            if (event instanceof ContextEvent.Opened opened
                    && opened.path().toString().endsWith("http:1")) {
                endHost();
                host.close();
            }
        });
        assertThat(listeners.of(host, "http:1")).isSameAs(host);
        ending.close();
        listeners.forget(host);
        assertThat(host.state()).isEqualTo(ContextState.CLOSED);
    }
}
