package com.fastn.context.vertx;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextRuntime;
import com.fastn.context.ContextScope;
import com.fastn.context.FastnContext;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.slf4j.helpers.BasicMDCAdapter;

/** What lines are logged with; after each hop, {@link HopTableTest} looks. */
class ContextMdcTest {
    private final BasicMDCAdapter behind = new BasicMDCAdapter();
    private final ContextMdc mdc = new ContextMdc(behind);

    @Test
    void offAnyContextTheTwoKeysHaveNoValueAndOthersKeepTheirs() {
        mdc.put("user", "alice");
        assertThat(mdc.get(ContextMdc.ID)).isNull();
        assertThat(mdc.get(ContextMdc.PATH)).isNull();
        assertThat(mdc.getCopyOfContextMap()).isEqualTo(Map.of("user", "alice"));
        mdc.remove("user");
        assertThat(mdc.get("user")).isNull();
    }

    @Test
    void inAContextTheyAreItsIdAndPathWhateverIsPutThere() {
        ContextRuntime runtime = ContextRuntime.builder().build();
        FastnContext context = runtime.root().child("orders").open();
        try (ContextScope scope = context.makeCurrent()) {
            mdc.put(ContextMdc.PATH, "forged");
            mdc.setContextMap(Map.of(ContextMdc.ID, "forged", "user", "alice"));
            assertThat(mdc.get(ContextMdc.ID)).isEqualTo(Long.toString(context.id()));
            assertThat(mdc.get(ContextMdc.PATH)).isEqualTo("global.orders");
            assertThat(mdc.getCopyOfContextMap())
                    .isEqualTo(Map.of(
                            "user",
                            "alice",
                            ContextMdc.ID,
                            Long.toString(context.id()),
                            ContextMdc.PATH,
                            "global.orders"));
            mdc.clear();
            assertThat(mdc.getCopyOfContextMap()).containsOnlyKeys(ContextMdc.ID, ContextMdc.PATH);
        }
        runtime.close();
    }

    /** As libraries do that take the diagnostic context of one thread to another: there it may be another context. */
    @Test
    void aCopyThatIsSetInAnotherContextOrInNoneBringsNeitherKeyAlong() {
        ContextRuntime runtime = ContextRuntime.builder().build();
        FastnContext orders = runtime.root().child("orders").open();
        FastnContext stock = runtime.root().child("stock").open();
        mdc.put("user", "alice");
        Map<String, String> copy;
        try (ContextScope scope = orders.makeCurrent()) {
            copy = mdc.getCopyOfContextMap();
        }
        assertThat(copy).containsEntry(ContextMdc.PATH, "global.orders");
        mdc.clear();
        mdc.setContextMap(copy);
        assertThat(behind.getCopyOfContextMap()).isEqualTo(Map.of("user", "alice"));
        assertThat(mdc.getCopyOfContextMap()).isEqualTo(Map.of("user", "alice"));
        try (ContextScope scope = stock.makeCurrent()) {
            assertThat(mdc.getCopyOfContextMap()).containsEntry(ContextMdc.PATH, "global.stock");
        }
        mdc.put(ContextMdc.ID, "forged");
        assertThat(behind.get(ContextMdc.ID)).isNull();
        runtime.close();
    }

    @Test
    void aMapThatIsNullClears() {
        mdc.put("user", "alice");
        mdc.setContextMap(null);
        assertThat(mdc.get("user")).isNull();
    }

    @Test
    void stacksOfOtherKeysAreThoseOfTheAdapterBehind() {
        mdc.pushByKey("step", "one");
        mdc.pushByKey("step", "two");
        assertThat(mdc.getCopyOfDequeByKey("step")).hasSize(2);
        assertThat(mdc.popByKey("step")).isEqualTo("two");
        mdc.clearDequeByKey("step");
        assertThat(mdc.getCopyOfDequeByKey("step")).isNullOrEmpty();
    }

    @Test
    void logbackWritesBothKeysBesideThoseOfTheApplicationAndLooksWhenALineIsLogged() {
        ContextRuntime runtime = ContextRuntime.builder().build();
        FastnContext context = runtime.root().child("orders").open();
        try (LoggedLines log = new LoggedLines()) {
            log.applications.put("user", "alice");
            assertThat(log.line()).isEqualTo("  alice");
            String handed;
            try (ContextScope scope = context.makeCurrent()) {
                assertThat(log.line()).isEqualTo(context.id() + " global.orders alice");
                handed = log.hand();
            }
            // Another thread writes it, when neither is current any more.
            log.applications.clear();
            Waiting.until(() -> log.written(handed) != null);
            assertThat(log.written(handed)).isEqualTo(context.id() + " global.orders alice");
            assertThat(log.line()).isEqualTo("  ");
        }
        runtime.close();
    }
}
