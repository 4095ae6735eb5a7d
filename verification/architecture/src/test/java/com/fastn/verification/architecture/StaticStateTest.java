package com.fastn.verification.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The rule about static fields bites where it should, and only there. */
class StaticStateTest {

    @ParameterizedTest
    @ValueSource(strings = {"notFinal", "LIST", "MAP", "COUNT", "THREAD_LOCAL", "RECORD_OF_LIST", "OPEN_TABLE"})
    void whatCanChangeIsRefused(String field) throws NoSuchFieldException {
        assertThat(StaticState.complaint(Held.class.getDeclaredField(field))).isNotNull();
    }

    @ParameterizedTest
    @ValueSource(strings = {"FIXED_LIST", "RECORD", "LAMBDA", "TABLE"})
    void whatNeverChangesIsNot(String field) throws NoSuchFieldException {
        assertThat(StaticState.complaint(Held.class.getDeclaredField(field))).isNull();
    }

    @Test
    void theComplaintNamesWhatIsHeld() throws NoSuchFieldException {
        assertThat(StaticState.complaint(Held.class.getDeclaredField("MAP"))).isEqualTo("holds a java.util.HashMap");
    }

    private record Pair(String name, List<String> values) {}

    @SuppressWarnings({"unused", "UnnecessaryLambda", "ThreadLocalUsage", "MutablePublicArray", "NonFinalStaticField"
    }) // the point of the fixture
    private static final class Held {
        private static int notFinal;
        private static final List<String> LIST = new ArrayList<>();
        private static final Map<String, String> MAP = new HashMap<>();
        private static final AtomicInteger COUNT = new AtomicInteger();
        private static final ThreadLocal<String> THREAD_LOCAL = new ThreadLocal<>();
        private static final Pair RECORD_OF_LIST = new Pair("list", new ArrayList<>());
        static final int[] OPEN_TABLE = {1, 2};

        private static final List<String> FIXED_LIST = List.of("a");
        private static final Pair RECORD = new Pair("list", List.of());
        private static final Runnable LAMBDA = () -> {};
        private static final int[] TABLE = {1, 2};
    }
}
