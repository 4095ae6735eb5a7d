package com.fastn.context.vertx;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.FastnContext;
import io.vertx.core.AsyncResult;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.MultiMap;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;
import io.vertx.ext.web.RoutingContext;
import io.vertx.junit5.VertxExtension;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What is told of a response in whatever order vertx-web tells it. */
@ExtendWith({OwnTree.class, VertxExtension.class})
class RoutedResponseTest {
    private static final Future<Void> CLOSED = Future.failedFuture("Connection closed");

    private final List<Optional<Throwable>> told = new CopyOnWriteArrayList<>();
    private final List<Handler<AsyncResult<Void>>> ends = new ArrayList<>();
    private final List<Handler<Void>> bodyEnds = new ArrayList<>();

    private final Map<String, Object> data = new HashMap<>();
    private RoutingContext routing;

    private static <T> T acting(Class<T> type, InvocationHandler as) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, as));
    }

    @SuppressWarnings("unchecked") // the two methods that are given a handler
    @BeforeEach
    void observe(Vertx vertx) {
        HttpServerResponse response = acting(HttpServerResponse.class, (proxy, method, given) -> true);
        HttpServerRequest request = acting(HttpServerRequest.class, (proxy, method, given) -> HttpVersion.HTTP_2);
        routing = acting(RoutingContext.class, (proxy, method, given) -> switch (method.getName()) {
            case "response" -> response;
            case "data" -> data;
            case "put" -> {
                data.put((String) given[0], given[1]);
                yield proxy;
            }
            case "request" -> request;
            case "addEndHandler" -> ends.add((Handler<AsyncResult<Void>>) given[0]) ? 1 : 0;
            default -> bodyEnds.add((Handler<Void>) given[0]) ? 1 : 0;
        });
        RoutedResponse.observe(
                FastnVertx.install(vertx), routing, (ended, failure) -> told.add(Optional.ofNullable(failure)));
    }

    /** Does something while the short wait for the end of a body is not over, however long that takes. */
    private static void beforeTheWaitIsOver(Vertx vertx, Runnable steps) {
        CountDownLatch goOn = new CountDownLatch(1);
        // Its timers are of this event loop.
        FastnVertx.install(vertx).home().nettyEventLoop().execute(() -> {
            try {
                goOn.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        try {
            steps.run();
        } finally {
            goOn.countDown();
        }
    }

    private void end(Future<Void> how) {
        ends.get(0).handle(how);
    }

    private void endBody() {
        bodyEnds.get(0).handle(null);
    }

    @Test
    void aResponseWhoseStreamIsToldClosedBeforeItsBodyIsToldEndedWentOutWhole(Vertx vertx) {
        beforeTheWaitIsOver(vertx, () -> {
            end(CLOSED);
            assertThat(told).isEmpty();
            endBody();
        });
        assertThat(told).containsExactly(Optional.empty());
    }

    @Test
    void aResponseWhoseStreamIsToldClosedBetweenTheEndsOfItsBodyAndOfItselfWentOutWhole() {
        endBody();
        assertThat(told).isEmpty();
        end(CLOSED);
        assertThat(told).containsExactly(Optional.empty());
    }

    @Test
    void aResponseWhoseBodyDoesNotEndWasCutOffAndThatIsToldOnce() {
        end(CLOSED);
        Waiting.until(() -> !told.isEmpty());
        endBody();
        assertThat(told).containsExactly(Optional.of(CLOSED.cause()));
    }

    /** A router that hands out a request again has forgotten who is told of the end of its body. */
    @Test
    void aResponseToARequestThatIsReroutedWentOutWhole(Vertx vertx) {
        bodyEnds.clear();
        assertThat(RoutedResponse.observeAgain(routing)).isTrue();
        assertThat(ends).hasSize(1);
        beforeTheWaitIsOver(vertx, () -> {
            end(CLOSED);
            endBody();
        });
        assertThat(told).containsExactly(Optional.empty());
    }

    /** Asking for its data makes it a map, for each request. */
    @Test
    void nothingIsAskedOfTheRoutingOfARequestOfHttp1ThatHasItsContext(Vertx vertx) {
        List<String> asked = new CopyOnWriteArrayList<>();
        HttpServerRequest request = acting(
                HttpServerRequest.class,
                (proxy, method, given) ->
                        method.getName().equals("version") ? HttpVersion.HTTP_1_1 : MultiMap.caseInsensitiveMultiMap());
        RoutingContext plain = acting(RoutingContext.class, (proxy, method, given) -> {
            asked.add(method.getName());
            return switch (method.getName()) {
                case "vertx" -> vertx;
                case "request" -> request;
                default -> null;
            };
        });
        Waiting.<Void>on(Front.deploy(vertx).place(), () -> {
            assertThat(FastnContext.current().name()).isEqualTo("Front");
            WebContexts.requests().handle(plain);
            return Future.succeededFuture();
        });
        assertThat(asked).containsOnly("vertx", "request", "next");
    }

    @Test
    void aResponseThatEndsIsToldAtOnce() {
        end(Future.succeededFuture());
        assertThat(told).containsExactly(Optional.empty());
    }
}
