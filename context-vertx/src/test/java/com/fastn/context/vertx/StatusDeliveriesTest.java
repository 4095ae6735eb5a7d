package com.fastn.context.vertx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fastn.context.Registration;
import io.netty.channel.EventLoop;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.internal.ContextInternal;
import io.vertx.junit5.VertxExtension;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CopyOnWriteArraySet;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith({OwnTree.class, VertxExtension.class})
class StatusDeliveriesTest {
    private static final String STATUS = "fastn.status";

    private Vertx vertx;
    private FastnVertx fastn;

    @BeforeEach
    void install(Vertx made) {
        vertx = made;
        fastn = FastnVertx.install(vertx);
    }

    /** As the status verticle does: it consumes the address, and answers what falls to others. */
    private Answerer answerer() {
        Answerer answerer = new Answerer(fastn);
        Waiting.result(vertx.deployVerticle(answerer));
        return answerer;
    }

    private static final class Answerer extends Front {
        final Set<Context> places = new CopyOnWriteArraySet<>();
        private final FastnVertx fastn;
        private Registration registration = () -> {};

        Answerer(FastnVertx fastn) {
            this.fastn = fastn;
        }

        @Override
        public Future<?> start() {
            registration = fastn.answerStatus((question, body, askedHere) -> {
                places.add(Vertx.currentContext());
                question.reply("an answer");
            });
            return vertx.eventBus()
                    .consumer(STATUS, message -> {
                        if (message.replyAddress() != null) {
                            message.reply("an answer");
                        }
                    })
                    .completion();
        }

        void stepBack() {
            registration.close();
        }
    }

    /** A consumer whose thread a busy machine keeps waiting may be missed once. */
    private void areCounted(int consumers) {
        Waiting.until(() -> Waiting.result(fastn.consumers(STATUS)) == consumers);
    }

    private Future<Object> ask() {
        return vertx.eventBus()
                .request(STATUS, null, new DeliveryOptions().setSendTimeout(50_000))
                .map(reply -> reply.body());
    }

    @Test
    void questionsThatFallToAnApplicationsConsumerAreAnsweredAndItNeverSeesOne() {
        Answerer answerer = answerer();
        Service application = Service.deploy(vertx, STATUS, message -> {});
        for (int i = 0; i < 20; i++) {
            assertThat(Waiting.result(ask())).isEqualTo("an answer");
        }
        assertThat(application.messages).isEmpty();
        // Half of them fell to the application.
        assertThat(answerer.places).containsExactly(answerer.place());
    }

    @Test
    void whatIsPublishedIsSeenByTheApplication() {
        answerer();
        Service application = Service.deploy(vertx, STATUS, message -> {});
        vertx.eventBus().publish(STATUS, "changed");
        assertThat(application.only()).isNotNull();
        assertThat(application.messages)
                .singleElement()
                .satisfies(message -> assertThat(message.body()).isEqualTo("changed"));
    }

    @Test
    void withoutAnAnswererAQuestionIsTheConsumersAgain() {
        Answerer answerer = answerer();
        Service application = Service.deploy(vertx, STATUS, message -> message.reply("mine"));
        answerer.stepBack();
        Waiting.result(answerer.undeploy());
        assertThat(Waiting.result(ask())).isEqualTo("mine");
        assertThat(application.messages).hasSize(1);
    }

    @Test
    void anAnswererThatWasReplacedDoesNotTakeItsSuccessorBack() {
        Answerer first = answerer();
        Answerer second = answerer();
        first.stepBack();
        Waiting.result(first.undeploy());
        Service application = Service.deploy(vertx, STATUS, message -> {});
        for (int i = 0; i < 10; i++) {
            assertThat(Waiting.result(ask())).isEqualTo("an answer");
        }
        assertThat(application.messages).isEmpty();
        assertThat(second.places).containsExactly(second.place());
    }

    @Test
    void onlyAVerticleAnswers() {
        assertThatThrownBy(() -> fastn.answerStatus((question, body, askedHere) -> {}))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("start()");
    }

    @Test
    void consumersAreCountedWithoutTheAnswererAndSeeNothingOfIt() {
        assertThat(Waiting.result(fastn.consumers(STATUS))).isZero();
        answerer();
        assertThat(Waiting.result(fastn.consumers(STATUS))).isZero();
        Service one = Service.deploy(vertx, STATUS, message -> {});
        areCounted(1);
        Service two = Service.deploy(vertx, STATUS, message -> {});
        List<Object> local = new CopyOnWriteArrayList<>();
        Waiting.result(vertx.eventBus().localConsumer(STATUS, local::add).completion());
        areCounted(3);
        Waiting.result(one.undeploy());
        areCounted(2);
        assertThat(one.messages).isEmpty();
        assertThat(two.messages).isEmpty();
        assertThat(local).isEmpty();
    }

    @Test
    void countsAtTheSameTimeDoNotDisturbEachOther() {
        Service.deploy(vertx, STATUS, message -> {});
        Service.deploy(vertx, Addresses.EVENTS_LOCKS, message -> {});
        Service.deploy(vertx, Addresses.EVENTS_LOCKS, message -> {});
        // Of several rounds one in which no thread was kept waiting; none counts too many.
        Waiting.until(() -> {
            Future<Integer> status = fastn.consumers(STATUS);
            Future<Integer> locks = fastn.consumers(Addresses.EVENTS_LOCKS);
            Future<Integer> again = fastn.consumers(STATUS);
            List<Integer> counted = List.of(Waiting.result(status), Waiting.result(locks), Waiting.result(again));
            assertThat(counted.get(0)).isLessThanOrEqualTo(1);
            assertThat(counted.get(1)).isLessThanOrEqualTo(2);
            assertThat(counted.get(2)).isLessThanOrEqualTo(1);
            return counted.equals(List.of(1, 2, 1));
        });
    }

    @Test
    void aConsumerWhoseThreadIsBusyDoesNotHoldUpTheCount() {
        Service busy = Service.deploy(vertx, STATUS, message -> {});
        // Not on the loop that counts, of which there may be two only.
        while (loop(busy.place()) == loop(fastn.home())) {
            Waiting.result(busy.undeploy());
            busy = Service.deploy(vertx, STATUS, message -> {});
        }
        CountDownLatch free = new CountDownLatch(1);
        busy.place().runOnContext(now -> {
            try {
                free.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        try {
            int counted = Waiting.on(fastn.home(), () -> fastn.consumers(STATUS));
            assertThat(counted).isZero();
        } finally {
            free.countDown();
        }
        areCounted(1);
    }

    private static EventLoop loop(Context place) {
        return ((ContextInternal) place).nettyEventLoop();
    }

    @Test
    void aForgedProbeReachesNobodyAndCountsNothing() {
        Service application = Service.deploy(vertx, STATUS, message -> {});
        vertx.eventBus().publish(STATUS, "x", new DeliveryOptions().addHeader("fastn-probe", "77"));
        vertx.eventBus().publish(STATUS, "real");
        assertThat(application.only()).isNotNull();
        assertThat(application.messages).extracting(message -> message.body()).containsExactly("real");
        areCounted(1);
    }

    @Test
    void anApplicationsOwnAddressMayCarryTheHeaderOfAProbe() {
        Service application = Service.deploy(vertx, "orders", message -> {});
        vertx.eventBus().send("orders", "x", new DeliveryOptions().addHeader("fastn-probe", "77"));
        assertThat(application.only()).isNotNull();
    }
}
