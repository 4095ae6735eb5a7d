package com.fastn.context.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.status.ContextKind;
import com.fastn.context.status.SnapshotLimits;
import com.fastn.context.status.StatusSnapshot;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class WideTreeTest {
    @RegisterExtension
    final TestTree tree = new TestTree();

    @Test
    void C7_aMillionChildrenOpenAndCloseInAnyOrderAtTheSameCostOnASmallStack() throws InterruptedException {
        SmallStack.run(this::openCancelLookAndClose);
    }

    private void openCancelLookAndClose() {
        ContextNode server = tree.open("server");
        List<ContextNode> children = new ArrayList<>();
        for (int i = 0; i < 1_000_000; i++) {
            children.add(server.openChild("request", ContextKind.REQUEST, null));
        }
        assertThat(server.childNodes()).hasSize(1_000_000);
        server.cancel();
        assertThat(children).allMatch(ContextNode::isCancelled);

        StatusSnapshot shown = tree.runtime.status(SnapshotLimits.DEFAULT);
        assertThat(shown.globalContext().children().get(0).foldedChildren().count())
                .isGreaterThan(990_000);

        // Where taking one out means a search for it, these are 10^12 steps.
        Collections.shuffle(children, new Random(7));
        children.forEach(ContextNode::close);
        assertThat(server.children()).isEmpty();
        assertThat(tree.runtime.openContexts()).isEqualTo(2);
    }
}
