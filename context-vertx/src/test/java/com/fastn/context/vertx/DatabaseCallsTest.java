package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fastn.context.FastnContext;
import com.fastn.context.engine.EngineRuntime;
import com.fastn.context.status.ContextState;
import com.fastn.context.status.OperationStatus;
import com.fastn.context.status.StatusJson;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.jdbcclient.JDBCConnectOptions;
import io.vertx.jdbcclient.JDBCPool;
import io.vertx.junit5.VertxExtension;
import io.vertx.pgclient.PgBuilder;
import io.vertx.pgclient.PgConnectOptions;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.Request;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.PoolOptions;
import io.vertx.sqlclient.Tuple;
import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.h2.tools.Server;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The real SQL and Redis clients of Vert.x: what they ask is an operation of the context that asked it. The database is H2, over
 * JDBC and over the protocol of PostgreSQL.
 */
@ExtendWith({OwnTree.class, VertxExtension.class})
class DatabaseCallsTest {
    private static final String HOST = "127.0.0.1";
    private static final String USER = "sa";
    private static final String DATABASE = "mem:shop;DB_CLOSE_DELAY=-1;MODE=PostgreSQL;DATABASE_TO_LOWER=TRUE;"
            + "DEFAULT_NULL_ORDERING=HIGH;LOCK_TIMEOUT=60000";
    private static final String HANGS = "UPDATE orders SET note = 'hunter2' WHERE id = 1";

    private static Server postgres;

    private Vertx vertx;
    private EngineRuntime runtime;
    /** Null where a test could not begin. */
    private @Nullable FastnContext child;

    /** What the call of {@link #begin} ends with; the call's context stays open until the test lets it go. */
    private final Promise<Object> called = Promise.promise();

    private final Promise<Void> look = Promise.promise();

    @BeforeAll
    static void open() throws SQLException {
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE TABLE orders(id INT PRIMARY KEY, note VARCHAR)");
            statement.execute("INSERT INTO orders VALUES(1, 'tea')");
        }
        postgres = Server.createPgServer("-pgPort", "0", "-ifExists", "-key", "shop", DATABASE)
                .start();
    }

    @AfterAll
    static void shut() throws SQLException {
        postgres.stop();
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            statement.execute("SHUTDOWN");
        }
    }

    private static Connection connect() throws SQLException {
        return DriverManager.getConnection("jdbc:h2:" + DATABASE, USER, USER);
    }

    @BeforeEach
    void prepare(Vertx made) {
        vertx = made;
        runtime = (EngineRuntime) FastnVertx.install(vertx).runtime();
    }

    @AfterEach
    void nothingIsLeft() {
        look.tryComplete();
        FastnContext begun = child;
        if (begun != null) {
            Waiting.until(() -> begun.state() == ContextState.CLOSED);
            Waiting.until(() -> operations(requireNonNull(begun.parent())).isEmpty());
        }
        assertThat(runtime.misuses()).isEmpty();
    }

    private FastnContext child() {
        return requireNonNull(child);
    }

    /** Starts a call in a child of a verticle. */
    private void begin(Supplier<Future<?>> call) {
        CompletableFuture<FastnContext> opened = new CompletableFuture<>();
        Front.deploy(vertx)
                .place()
                .runOnContext(now -> FutureContext.current().child("call").run(ctx -> {
                    opened.complete(ctx.context());
                    return ctx.race(call.get())
                            .<Object>map(result -> result)
                            .onComplete(called)
                            .transform(ended -> ctx.context().isCancelled() ? Future.succeededFuture() : look.future());
                }));
        child = Waiting.result(opened);
    }

    private static List<OperationStatus> operations(FastnContext of) {
        return of.subtreeStatus().globalContext().operations();
    }

    private void isShown(String name) {
        Waiting.until(() -> !operations(child()).isEmpty());
        OperationStatus shown = operations(child()).get(0);
        assertThat(operations(child())).hasSize(1);
        assertThat(shown.name()).isEqualTo(name);
        Waiting.until(() -> operations(child()).get(0).elapsed().compareTo(shown.elapsed()) > 0);
        assertThat(runtime.status().toString()).contains("\"" + name + "\"");
    }

    private void isOver() {
        Waiting.until(() -> operations(child()).isEmpty());
    }

    // --- SQL

    private enum Client {
        JDBC,
        POSTGRESQL
    }

    private Pool pool(Client client) {
        PoolOptions options = new PoolOptions().setMaxSize(4);
        if (client == Client.JDBC) {
            return JDBCPool.pool(
                    vertx,
                    new JDBCConnectOptions()
                            .setJdbcUrl("jdbc:h2:" + DATABASE)
                            .setUser(USER)
                            .setPassword(USER),
                    options);
        }
        assumeTrue(
                VertxLine.isFiveZero(),
                "there is a PostgreSQL client for Vert.x 5.0 only; verification/versions runs this there");
        return PgBuilder.pool()
                .using(vertx)
                .with(options)
                .connectingTo(new PgConnectOptions()
                        .setHost(HOST)
                        .setPort(postgres.getPort())
                        .setDatabase("shop")
                        .setUser(USER)
                        .setPassword(USER))
                .build();
    }

    /** Another transaction, on which whoever writes the same row waits. */
    private static Connection locked() throws SQLException {
        Connection other = connect();
        other.setAutoCommit(false);
        try (Statement statement = other.createStatement()) {
            statement.execute("UPDATE orders SET note = 'coffee' WHERE id = 1");
        }
        return other;
    }

    @ParameterizedTest
    @EnumSource
    void aStatementIsAnOperationWhileItLastsAndTellsNoLiteral(Client client) throws SQLException {
        Pool pool = pool(client);
        try (Connection other = locked()) {
            begin(() -> pool.query(HANGS).execute());
            isShown("UPDATE orders");
            assertThat(StatusJson.write(runtime.status()))
                    .contains("UPDATE orders")
                    .doesNotContain("hunter2");
            other.rollback();
        }
        Waiting.result(called.future());
        isOver();
    }

    @ParameterizedTest
    @EnumSource
    void aPreparedStatementIsAnOperationWhileItLasts(Client client) throws SQLException {
        Pool pool = pool(client);
        String parameter = client == Client.JDBC ? "?" : "$1";
        try (Connection other = locked()) {
            begin(() -> pool.preparedQuery("UPDATE orders SET note = " + parameter + " WHERE id = 1")
                    .execute(Tuple.of("hunter2")));
            isShown("UPDATE orders");
            assertThat(StatusJson.write(runtime.status())).doesNotContain("hunter2");
            other.rollback();
        }
        Waiting.result(called.future());
        isOver();
    }

    @ParameterizedTest
    @EnumSource
    void aStatementThatFailsIsNoOperationAnyMore(Client client) {
        Pool pool = pool(client);
        begin(() -> pool.query("SELECT secret FROM nowhere").execute());
        assertThat(Waiting.failure(called.future())).hasMessageContaining("nowhere");
        isOver();
        assertThat(runtime.operationBaselines()).containsKey("SELECT nowhere");
    }

    @ParameterizedTest
    @EnumSource
    void aStatementOfAContextThatIsCancelledIsGoneWithIt(Client client) throws SQLException {
        Pool pool = pool(client);
        try (Connection other = locked()) {
            begin(() -> pool.query(HANGS).execute());
            isShown("UPDATE orders");
            child().cancel("enough");
            Waiting.failure(called.future());
            Waiting.until(() -> child().state() == ContextState.CLOSED);
            // It leaves the tree a moment after it is closed.
            Waiting.until(() -> !runtime.status().toString().contains("UPDATE orders"));
            other.rollback();
        }
        // The connection is usable again: the database has answered, and nobody is disturbed by it.
        Waiting.result(pool.query("SELECT 1").execute());
    }

    @ParameterizedTest
    @EnumSource
    void aTransactionShowsWhatItIsAtOneByOne(Client client) throws SQLException {
        Pool pool = pool(client);
        try (Connection other = locked()) {
            begin(() -> pool.withTransaction(connection -> connection
                    .query("SELECT note FROM orders")
                    .execute()
                    .compose(read -> connection.query(HANGS).execute())));
            Waiting.until(() ->
                    operations(child()).stream().anyMatch(shown -> shown.name().equals("UPDATE orders")));
            isShown("UPDATE orders");
            other.rollback();
        }
        Waiting.result(called.future());
        isOver();
    }

    // --- Redis

    private Redis redis(RespServer server) {
        return Redis.createClient(vertx, "redis://" + HOST + ":" + server.port());
    }

    private Future<?> get(Redis redis) {
        return redis.send(Request.cmd(Command.GET).arg("hunter2"));
    }

    private enum Answer {
        VALUE,
        ERROR,
        NONE
    }

    @ParameterizedTest
    @EnumSource
    void aCommandIsAnOperationUntilItsAnswerOrTheEndOfItsConnection(Answer answer) throws IOException {
        try (RespServer server = new RespServer()) {
            Redis redis = redis(server);
            begin(() -> get(redis));
            RespServer.Asked asked = server.take();
            assertThat(asked.words()).hasSize(2);
            isShown("redis GET");
            assertThat(StatusJson.write(runtime.status())).doesNotContain("hunter2");
            switch (answer) {
                case VALUE -> asked.answer("+tea");
                case ERROR -> asked.answer("-WRONGTYPE no");
                case NONE -> asked.socket().close();
            }
            @Nullable
            Object result =
                    Waiting.result(called.future().<Object>map(Object::toString).otherwise("failed"));
            assertThat(result).isEqualTo(answer == Answer.VALUE ? "tea" : "failed");
            isOver();
            redis.close();
        }
    }

    @Test
    void aCommandOfAContextThatIsCancelledIsGoneWithIt() throws IOException {
        try (RespServer server = new RespServer()) {
            Redis redis = redis(server);
            begin(() -> get(redis));
            RespServer.Asked asked = server.take();
            isShown("redis GET");
            child().cancel("enough");
            Waiting.failure(called.future());
            Waiting.until(() -> child().state() == ContextState.CLOSED);
            // It leaves the tree a moment after it is closed.
            Waiting.until(() -> !runtime.status().toString().contains("redis GET"));
            asked.answer("+tea");
            Future<?> next = get(redis);
            server.take().answer("+coffee");
            assertThat(String.valueOf(Waiting.result(next.map(Object::toString))))
                    .isEqualTo("coffee");
            redis.close();
        }
    }

    @Test
    void whoeverAsksOutsideOfAnyContextHasNoOperation() throws IOException {
        begin(() -> Future.succeededFuture("x"));
        try (RespServer server = new RespServer()) {
            Redis redis = redis(server);
            Future<?> asked = get(redis);
            RespServer.Asked open = server.take();
            assertThat(runtime.status().toString()).doesNotContain("redis GET");
            open.answer("+tea");
            Waiting.result(asked.map(Object::toString));
            redis.close();
        }
    }
}
