package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.fastn.context.ContextRuntime;
import com.fastn.context.FastnContext;
import com.fastn.context.status.ContextState;
import org.junit.jupiter.api.Test;

/** The bound on the depth of a tree, as a policy (rule C6). */
class DepthTest {
    private static FastnContext chain(FastnContext from, int levels) {
        FastnContext deepest = from;
        for (int i = 0; i < levels; i++) {
            deepest = deepest.child("n").open();
        }
        return deepest;
    }

    @Test
    void C6_beyondTheBoundAContextIsClosedAndCancelledFromTheStart() {
        try (ContextRuntime runtime = ContextRuntime.builder().maxDepth(3).build()) {
            FastnContext deepest = chain(runtime.root(), 3);
            assertThat(deepest.state()).isEqualTo(ContextState.ACTIVE);
            assertThat(runtime.misuses()).isEmpty();

            FastnContext beyond = deepest.child("n").open();
            assertThat(beyond.state()).isEqualTo(ContextState.CLOSED);
            assertThat(beyond.isCancelled()).isTrue();
            assertThat(requireNonNull(beyond.cancelReason()).message()).isEqualTo("the tree may be 3 deep at most");
            assertThat(deepest.children()).isEmpty();
            assertThat(runtime.misuses()).singleElement().asString().contains("3 levels", "maxDepth");
            beyond.incrementTotal("still-counted");
            assertThat(beyond.getTotal("still-counted")).isEqualTo(1);
        }
    }

    @Test
    void C6_anUnusualDepthIsSaidAndTenThousandIsTheEndUnlessSaid() {
        try (ContextRuntime runtime = ContextRuntime.builder().build()) {
            FastnContext deepest = chain(runtime.root(), 999);
            assertThat(runtime.misuses()).isEmpty();
            deepest = chain(deepest, 1);
            assertThat(runtime.misuses()).singleElement().asString().contains("1000 levels deep");
            deepest = chain(deepest, 9_000);
            assertThat(deepest.state()).isEqualTo(ContextState.ACTIVE);
            assertThat(chain(deepest, 1).state()).isEqualTo(ContextState.CLOSED);
        }
    }

    @Test
    void aDepthThatAllowsNothingIsRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ContextRuntime.builder().maxDepth(0))
                .withMessageContaining("at least 1, not 0");
    }
}
