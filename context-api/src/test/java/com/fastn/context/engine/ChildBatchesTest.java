package com.fastn.context.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.status.ContextKind;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A walk over children, beside others that leave. */
class ChildBatchesTest {
    private static final int BATCH = 256;

    @RegisterExtension
    final TestTree tree = new TestTree();

    private final ContextNode server = tree.open("server");

    private List<ContextNode> open(int children) {
        List<ContextNode> all = new ArrayList<>();
        for (int i = 0; i < children; i++) {
            all.add(server.openChild("request", ContextKind.REQUEST, null));
        }
        return all;
    }

    @Test
    void aBatchIsFullBeforeTheNextOneBeginsAndTheOldestComeFirst() {
        List<ContextNode> children = open(2 * BATCH + 10);
        ChildBatches walk = new ChildBatches(server);
        assertThat(walk.next()).isEqualTo(children.subList(0, BATCH));
        assertThat(server.isWatched()).as("it stands at a child").isTrue();
        assertThat(walk.next()).isEqualTo(children.subList(BATCH, 2 * BATCH));
        assertThat(walk.next()).isEqualTo(children.subList(2 * BATCH, 2 * BATCH + 10));
        assertThat(walk.next()).isEmpty();
        assertThat(server.isWatched()).as("it has come to its end").isFalse();
    }

    @Test
    void aWalkThatFindsAllInOneBatchKeepsNoPlace() {
        for (int more : new int[] {0, 1, BATCH - 1}) {
            List<ContextNode> children = open(more);
            ChildBatches walk = new ChildBatches(server);
            List<ContextNode> met = walk.next();
            assertThat(met).containsAll(children).hasSizeLessThanOrEqualTo(BATCH);
            assertThat(server.isWatched()).as("with %d children", met.size()).isFalse();
            assertThat(met.isEmpty() ? met : walk.next()).isEmpty();
        }
        assertThat(server.childNodes()).as("the last one was just a batch").hasSize(BATCH);
    }

    @Test
    void whoLeavesIsPassedOverAlsoWhereTheWalkStands() {
        List<ContextNode> children = open(2 * BATCH);
        ChildBatches walk = new ChildBatches(server);
        assertThat(walk.next()).hasSize(BATCH);
        children.get(BATCH).close();
        children.get(BATCH + 1).close();
        children.get(BATCH + 5).close();
        children.get(0).close();
        List<ContextNode> left = new ArrayList<>(children.subList(BATCH + 2, 2 * BATCH));
        left.remove(children.get(BATCH + 5));
        assertThat(walk.next()).isEqualTo(left);
        assertThat(walk.next()).isEmpty();
        assertThat(server.isWatched()).isFalse();
    }

    @Test
    void whereAllLeaveThatWereLeftTheWalkIsAtItsEnd() {
        List<ContextNode> children = open(BATCH + 3);
        ChildBatches walk = new ChildBatches(server);
        assertThat(walk.next()).hasSize(BATCH);
        children.subList(BATCH, BATCH + 3).forEach(ContextNode::close);
        assertThat(walk.next()).isEmpty();
        assertThat(server.isWatched()).isFalse();
    }

    @Test
    void eachOfSeveralWalksHasAPlaceOfItsOwn() {
        List<ContextNode> children = open(3 * BATCH);
        ChildBatches first = new ChildBatches(server);
        ChildBatches second = new ChildBatches(server);
        ChildBatches given = new ChildBatches(server);
        assertThat(first.next()).hasSize(BATCH);
        assertThat(second.next()).hasSize(BATCH);
        assertThat(second.next()).hasSize(BATCH);
        assertThat(given.next()).hasSize(BATCH);
        children.get(BATCH).close();
        children.get(2 * BATCH).close();

        given.leave();
        given.leave();
        assertThat(server.isWatched()).as("by those that go on").isTrue();
        assertThat(second.next()).isEqualTo(children.subList(2 * BATCH + 1, 3 * BATCH));
        assertThat(second.next()).isEmpty();
        assertThat(server.isWatched()).as("by the one that goes on").isTrue();
        assertThat(first.next()).first().isSameAs(children.get(BATCH + 1));
        assertThat(first.next()).last().isSameAs(children.get(3 * BATCH - 1));
        assertThat(first.next()).isEmpty();
        assertThat(server.isWatched()).isFalse();
    }

    @Test
    void aWalkGoesThroughAllListsOfAParentThatHasSeveral() {
        List<ContextNode> before = open(BATCH + 1);
        server.spread();
        List<ContextNode> behind = open(BATCH + 1);
        ChildBatches walk = new ChildBatches(server);
        assertThat(walk.next()).isEqualTo(before.subList(0, BATCH));
        behind.get(0).close();
        assertThat(walk.next()).containsExactly(before.get(BATCH));
        assertThat(walk.next()).isEqualTo(behind.subList(1, BATCH + 1));
        assertThat(walk.next()).isEmpty();
        assertThat(server.isWatched()).isFalse();
    }
}
