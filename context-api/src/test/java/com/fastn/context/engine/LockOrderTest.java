package com.fastn.context.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextState;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class LockOrderTest {
    @RegisterExtension
    final TestTree tree = new TestTree();

    /** Every other test holds it too, as all of them run with assertions. */
    @Test
    void C2_nobodyLinksAChildWhoseMonitorIsHeld() {
        assumeTrue(TreeNode.class.desiredAssertionStatus(), "assertions are off");
        ContextNode parent = tree.open("parent");
        ContextNode child = new ContextNode(tree.runtime, parent, "child", ContextKind.TASK);
        synchronized (child) {
            assertThatThrownBy(() -> parent.link(child))
                    .isInstanceOf(AssertionError.class)
                    .hasMessageContaining("C2");
        }
        assertThat(parent.isChildless()).isTrue();

        assertThat(parent.link(child)).isTrue();
        assertThat(parent.children()).containsExactly(child);
        child.close();
        assertThat(parent.isChildless()).isTrue();
    }

    /** An application that locks contexts for itself in another order than ours stops nobody. */
    @Test
    void C2_aContextThatTheApplicationHoldsOpensChildrenAndEnds() {
        ContextNode parent = tree.open("parent");
        ContextNode child = tree.open(parent, "child");
        synchronized (child) {
            tree.open(parent, "sibling").close();
            tree.open(child, "grandchild").close();
            parent.cancel();
            child.close();
            parent.close();
        }
        assertThat(parent.state()).isEqualTo(ContextState.CLOSED);
    }
}
