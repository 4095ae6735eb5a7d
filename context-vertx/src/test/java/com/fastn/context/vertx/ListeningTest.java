package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.FastnContext;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextState;
import com.fastn.context.status.ContextStatus;
import io.netty.util.AttributeKey;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.ThreadingModel;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.net.NetClient;
import io.vertx.core.net.NetServer;
import io.vertx.core.net.NetSocket;
import io.vertx.core.net.SocketAddress;
import io.vertx.junit5.VertxExtension;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A port is in the tree from {@code listen()} on where its server is told, and no longer than that listens. */
@ExtendWith({OwnTree.class, VertxExtension.class})
class ListeningTest {
    private static final String HOST = "127.0.0.1";
    // The same free port for all that ask for it.
    private static final int SHARED = -1;

    private Vertx vertx;
    // Kept in fields: a client that nothing refers to is closed by the garbage collector.
    private HttpClient client;
    private NetClient peers;
    private final List<FastnContext> served = new CopyOnWriteArrayList<>();

    @BeforeEach
    void prepare(Vertx made) {
        vertx = made;
        client = vertx.createHttpClient();
        peers = vertx.createNetClient();
        Waiting.endsWithoutGrace(vertx);
    }

    @AfterEach
    void closeClients() {
        Waiting.result(client.close());
        Waiting.result(peers.close());
    }

    /** Listens for HTTP when it starts. */
    private class Web extends Front {
        private final int port;
        private final List<HttpServer> servers;

        Web(int port, List<HttpServer> servers) {
            this.port = port;
            this.servers = servers;
        }

        @Override
        public Future<?> start() {
            return listen().onSuccess(FastnVertx.listening());
        }

        Future<HttpServer> listen() {
            return vertx.createHttpServer()
                    .requestHandler(request -> {
                        served.add(FastnContext.current());
                        request.response().end();
                    })
                    .listen(port, HOST)
                    .onSuccess(servers::add);
        }

        FastnContext verticle() {
            return FastnVertx.install(vertx).verticles().of((ContextInternal) place());
        }
    }

    private Web deployed(ThreadingModel model) {
        Web web = new Web(0, new CopyOnWriteArrayList<>());
        Waiting.result(vertx.deployVerticle(web, new DeploymentOptions().setThreadingModel(model)));
        return web;
    }

    private Web deployed() {
        return deployed(ThreadingModel.EVENT_LOOP);
    }

    private void get(int port) {
        Waiting.result(client.request(HttpMethod.GET, port, HOST, "/")
                .compose(request -> request.send().compose(HttpClientResponse::body)));
    }

    private static FastnContext only(List<FastnContext> contexts) {
        assertThat(contexts).hasSize(1);
        return contexts.get(0);
    }

    /** Whoever takes a snapshot sees them. */
    private List<String> shownPorts() {
        List<String> ports = new ArrayList<>();
        ContextStatus root = FastnVertx.install(vertx).runtime().status().globalContext();
        List<ContextStatus> open = new ArrayList<>(List.of(root));
        for (int i = 0; i < open.size(); i++) {
            open.addAll(open.get(i).children());
            String name = open.get(i).name();
            if (name.startsWith("http") || name.startsWith("net")) {
                ports.add(name);
            }
        }
        return ports;
    }

    @ParameterizedTest
    @EnumSource(
            value = ThreadingModel.class,
            names = {"EVENT_LOOP", "WORKER"})
    void aPortIsThereBeforeAnybodyConnectsAndServesWhoDoes(ThreadingModel model) {
        Web web = deployed(model);
        int port = web.servers.get(0).actualPort();
        FastnContext listener = only(web.verticle().children());
        assertThat(listener.name()).isEqualTo("http:" + port);
        assertThat(listener.kind()).isEqualTo(ContextKind.SERVICE);
        assertThat(shownPorts()).containsExactly("http:" + port);

        get(port);
        assertThat(only(served).parent()).isSameAs(listener);
        assertThat(web.verticle().children()).containsExactly(listener);
    }

    @Test
    void thatOfANetServerIsTheOneOfItsSessions() {
        List<NetServer> servers = new CopyOnWriteArrayList<>();
        Front front = new Front() {
            @Override
            public Future<?> start() {
                return vertx.createNetServer()
                        .connectHandler(FastnVertx.sessions(socket -> served.add(FastnContext.current())))
                        .listen(0, HOST)
                        .onSuccess(FastnVertx.listening())
                        .onSuccess(servers::add);
            }
        };
        Waiting.result(vertx.deployVerticle(front));
        int port = servers.get(0).actualPort();
        assertThat(shownPorts()).containsExactly("net:" + port);
        NetSocket socket = Waiting.result(peers.connect(port, HOST));
        Waiting.until(() -> !served.isEmpty());
        assertThat(served.get(0).kind()).isEqualTo(ContextKind.SESSION);
        assertThat(shownPorts()).containsExactly("net:" + port);
        Waiting.result(socket.close());

        Waiting.result(servers.get(0).close());
        Waiting.until(() -> shownPorts().isEmpty());
    }

    /** It tells the address that its peer asked for, as Vert.x does then, and nobody listens on that. */
    @Test
    void behindAProxyItIsThePortThatIsListenedOn() {
        List<HttpServer> servers = new CopyOnWriteArrayList<>();
        Front front = new Front() {
            @Override
            public Future<?> start() {
                return vertx.createHttpServer()
                        .connectionHandler(connection -> requireNonNull(ConnectionHandlers.of(connection))
                                .channel()
                                .attr(AttributeKey.<SocketAddress>valueOf("LocalAddressOverride"))
                                .set(SocketAddress.inetSocketAddress(8443, "10.0.0.2")))
                        .requestHandler(request -> {
                            served.add(FastnContext.current());
                            request.response()
                                    .end(String.valueOf(request.localAddress().port()));
                        })
                        .listen(0, HOST)
                        .onSuccess(FastnVertx.listening())
                        .onSuccess(servers::add);
            }
        };
        Waiting.result(vertx.deployVerticle(front));
        int port = servers.get(0).actualPort();
        Buffer told = Waiting.result(client.request(HttpMethod.GET, port, HOST, "/")
                .compose(request -> request.send().compose(HttpClientResponse::body)));
        assertThat(told).hasToString("8443");
        assertThat(requireNonNull(only(served).parent()).name()).isEqualTo("http:" + port);
        assertThat(shownPorts()).containsExactly("http:" + port);
    }

    @Test
    void itEndsWhenItsServerIsClosed() {
        Web web = deployed();
        FastnContext listener = only(web.verticle().children());
        get(web.servers.get(0).actualPort());
        Waiting.result(web.servers.get(0).close());
        Waiting.until(() -> shownPorts().isEmpty());
        Waiting.until(() -> listener.state() == ContextState.CLOSED);
        assertThat(listener.isCancelled()).isFalse();
    }

    @Test
    void itEndsWithItsVerticle() {
        Web web = deployed();
        FastnContext listener = only(web.verticle().children());
        Waiting.result(web.undeploy());
        assertThat(listener.state()).isEqualTo(ContextState.CLOSED);
        assertThat(shownPorts()).isEmpty();
    }

    @Test
    void whoTellsTwiceOrAfterTheFirstConnectionTellsNothingNew() {
        List<HttpServer> servers = new CopyOnWriteArrayList<>();
        Web web = new Web(0, servers) {
            @Override
            public Future<?> start() {
                return listen();
            }
        };
        Waiting.result(vertx.deployVerticle(web));
        get(servers.get(0).actualPort());
        FastnContext listener = only(served).parent();
        for (int i = 0; i < 2; i++) {
            Waiting.on(web.place(), () -> {
                FastnVertx.listening().handle(servers.get(0));
                return Future.succeededFuture();
            });
            assertThat(web.verticle().children()).containsExactly(listener);
        }
        Waiting.result(servers.get(0).close());
        Waiting.until(() -> shownPorts().isEmpty());
        assertThat(web.verticle().children()).isEmpty();
    }

    @Test
    void ofSeveralInstancesOnOnePortThereIsOneUntilTheLastServerIsClosed() {
        List<HttpServer> servers = new CopyOnWriteArrayList<>();
        Waiting.result(vertx.deployVerticle(() -> new Web(SHARED, servers), new DeploymentOptions().setInstances(4)));
        int port = servers.get(0).actualPort();
        for (int i = 0; i < 4; i++) {
            assertThat(shownPorts()).containsExactly("http:" + port);
            Waiting.result(servers.get(i).close());
        }
        assertThat(shownPorts()).isEmpty();
    }

    /** Each is known to listen, so none gives way to another. */
    @Test
    void aVerticleMayListenOnAnyNumberOfPorts() {
        int many = Listeners.MOST_IDLE + 4;
        List<HttpServer> servers = new CopyOnWriteArrayList<>();
        Web web = new Web(0, servers) {
            @Override
            public Future<?> start() {
                List<Future<HttpServer>> all = new ArrayList<>();
                for (int i = 0; i < many; i++) {
                    all.add(listen().onSuccess(FastnVertx.listening()));
                }
                return Future.all(all);
            }
        };
        Waiting.result(vertx.deployVerticle(web));
        assertThat(shownPorts()).hasSize(many).doesNotHaveDuplicates();
    }

    @Test
    void whereNoneIsWantedThereIsNone() {
        FastnVertx.builder()
                .options(new VertxContextOptions().setListeners(false))
                .install(vertx);
        deployed();
        assertThat(shownPorts()).isEmpty();
        FastnVertx.builder()
                .options(new VertxContextOptions().setNames((kind, name) -> name.startsWith("http") ? null : name))
                .install(vertx);
        deployed();
        assertThat(shownPorts()).isEmpty();
    }

    @Test
    void whereThereAreNoContextsAServerListensAsWithoutIt() {
        Vertx without = FastnVertx.withoutContexts(Vertx::vertx);
        HttpServer server = Waiting.result(without.createHttpServer()
                .requestHandler(request -> request.response().end())
                .listen(0, HOST)
                .onSuccess(FastnVertx.listening()));
        get(server.actualPort());
        FastnVertx.listening().handle(server);
        assertThat(shownPorts()).isEmpty();
        Waiting.result(without.close());
    }
}
