package com.fastn.context.status;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class ContextStatusTest {
    /** Of many levels, with one child of each; the deepest one has that number. */
    private static ContextStatus chain(int levels, long deepest) {
        ContextStatus leaf = new Row(deepest, "x", ContextKind.OTHER).status();
        ContextStatus level = new Row(0, "x", ContextKind.OTHER).status();
        ContextStatus chain = leaf;
        for (int i = 1; i < levels; i++) {
            chain = level.withChildren(List.of(chain), FoldedChildren.NONE);
        }
        return chain;
    }

    @Test
    void C6_aMillionDeepAreComparedAndHashedWithoutRecursion() {
        ContextStatus one = chain(1_000_000, 7);
        ContextStatus same = chain(1_000_000, 7);

        assertThat(one.equals(same)).isTrue();
        assertThat(one.hashCode()).isEqualTo(same.hashCode());
        assertThat(one.equals(chain(1_000_000, 8))).isFalse();
        assertThat(one.equals(chain(999_999, 7))).isFalse();
    }

    @Test
    void C6_aDeepOneSaysAllThatIsBelowItWithoutRecursion() {
        String text = chain(10_000, 7).toString();

        assertThat(text).startsWith("ContextStatus[id=0, path=").contains("id=7, name=x");
        assertThat(text.split("foldedChildren=", -1)).hasSize(10_001);
    }

    @Test
    void equalOnesAreThoseWithTheSameBelowThemInTheSameOrder() {
        Row a = new Row(2, "a", ContextKind.TASK);
        Row b = new Row(3, "b", ContextKind.TASK).note("exit pending");
        ContextStatus root = new Row(1, "app", ContextKind.ROOT).with(a).with(b).status();

        assertThat(root)
                .isEqualTo(new Row(1, "app", ContextKind.ROOT).with(a).with(b).status());
        assertThat(root)
                .isNotEqualTo(
                        new Row(1, "app", ContextKind.ROOT).with(b).with(a).status());
        assertThat(root)
                .isNotEqualTo(new Row(1, "app", ContextKind.ROOT).with(a).status());
        assertThat(root)
                .isNotEqualTo(new Row(1, "app", ContextKind.ROOT)
                        .with(a)
                        .with(new Row(3, "b", ContextKind.TASK))
                        .status());
        assertThat(root).isNotEqualTo("app");
        assertThat(root.toString())
                .contains("children=[ContextStatus[id=2, name=a,")
                .contains("}, children=[], ");
    }
}
