package com.fastn.status.deadlock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fastn.context.status.DeadlockReport;
import com.fastn.context.status.LockType;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.NodeWaits;
import com.fastn.context.status.NodeWaits.Hold;
import com.fastn.context.status.NodeWaits.Kind;
import com.fastn.context.status.NodeWaits.Member;
import com.fastn.context.status.NodeWaits.Resource;
import com.fastn.context.status.NodeWaits.Wait;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class ClusterDeadlockSearchTest {
    private final ClusterDeadlockSearch search = new ClusterDeadlockSearch();

    /** What a node tells, with context 1 to 9 as contexts that do one thing at a time. */
    static NodeWaits node(String name, Resource... resources) {
        List<Member> members = new ArrayList<>();
        for (long id = 1; id < 10; id++) {
            members.add(new Member(id, "global.c" + id, "c" + id, "c" + id, true));
        }
        List<String> sharedHeld = Stream.of(resources)
                .filter(resource ->
                        resource.kind() == Kind.SHARED && !resource.holds().isEmpty())
                .map(Resource::key)
                .toList();
        return new NodeWaits(new NodeIdentity(name, name + "-1"), List.of(resources), members, false, sharedHeld);
    }

    static Resource held(String name, long context, long number) {
        return new Resource(
                Kind.SHARED,
                name,
                "shared:" + name,
                0,
                LockType.MUTEX,
                1,
                List.of(new Hold(number, context, 1, Duration.ofSeconds(12), true)),
                List.of());
    }

    static Resource wanted(String name, long context, long number, Long... inside) {
        Wait wait = new Wait(number, context, 1, Duration.ofSeconds(8), Duration.ofSeconds(30), List.of(inside));
        return new Resource(Kind.SHARED, name, "shared:" + name, 0, LockType.MUTEX, 1, List.of(), List.of(wait));
    }

    private static NodeWaits alice() {
        return node("alice", held("orders", 1, 11), wanted("stock", 1, 12));
    }

    private static NodeWaits bob() {
        return node("bob", held("stock", 1, 21), wanted("orders", 1, 22));
    }

    private List<ClusterCycle> findIn(List<NodeWaits> first, List<NodeWaits> second) {
        Set<String> living =
                first.stream().map(waits -> waits.node().incarnation()).collect(Collectors.toSet());
        return findIn(first, second, living);
    }

    private List<ClusterCycle> findIn(List<NodeWaits> first, List<NodeWaits> second, Set<String> living) {
        long round = search.begin();
        first.forEach(waits -> assertThat(search.answer(round, waits)).isTrue());
        if (search.confirm(living).isEmpty()) {
            return List.of();
        }
        for (NodeWaits waits : second) {
            var unused = search.answer(search.round(), waits);
        }
        return search.finish();
    }

    @Test
    void L14_aCircleThatStandsInBothAnswersIsFoundOnce() {
        List<ClusterCycle> found = findIn(List.of(alice(), bob()), List.of(alice(), bob()));
        assertThat(found).hasSize(1);
        ClusterCycle cycle = found.get(0);
        assertThat(cycle.proven()).isFalse();
        assertThat(cycle.nodes()).containsExactlyInAnyOrder("alice-1", "bob-1");
        assertThat(cycle.reporter()).isEqualTo("alice-1");
        DeadlockReport report = cycle.report(Instant.EPOCH, Duration.ofSeconds(2));
        assertThat(report.size()).isEqualTo(2);
        assertThat(report.resolvesWithin()).isEqualTo(Duration.ofSeconds(28));
        assertThat(report.cycle())
                .isEqualTo("suspected deadlock: c1@alice holds mutex \"shared:orders\" for 14s and waits for mutex"
                        + " \"shared:stock\" for 10s; c1@bob holds mutex \"shared:stock\" for 14s and waits for mutex"
                        + " \"shared:orders\" for 10s; resolves by itself within 28s, when a wait times out");
    }

    @Test
    void L14_whoHasALockAndWhoWaitsInsideOfItAreBothNamed() {
        NodeWaits alice = node("alice", held("orders", 1, 11), wanted("stock", 3, 12, 11L));
        assertThat(findIn(List.of(alice, bob()), List.of(alice, bob())))
                .singleElement()
                .satisfies(
                        cycle -> assertThat(cycle.report(Instant.EPOCH, Duration.ZERO)
                                        .cycle())
                                .contains(
                                        "c1@alice holds mutex \"shared:orders\" for 12s, and c3@alice waits inside of it for mutex"
                                                + " \"shared:stock\" for 8s")
                                .contains(
                                        "c1@bob holds mutex \"shared:stock\" for 12s and waits for mutex \"shared:orders\" for 8s"));
    }

    @Test
    void L14_aHoldThatIsAnotherOneInTheSecondAnswerMakesNoCircle() {
        NodeWaits later = node("bob", held("stock", 1, 23), wanted("orders", 1, 22));
        assertThat(findIn(List.of(alice(), bob()), List.of(alice(), later))).isEmpty();
    }

    @Test
    void L14_aWaitThatIsAnotherOneInTheSecondAnswerMakesNoCircle() {
        NodeWaits later = node("bob", held("stock", 1, 21), wanted("orders", 1, 24));
        assertThat(findIn(List.of(alice(), bob()), List.of(alice(), later))).isEmpty();
    }

    @Test
    void L14_aNodeThatBeganANewLifeMakesNoCircle() {
        NodeWaits before = bob();
        NodeWaits reborn = new NodeWaits(
                new NodeIdentity("bob", "bob-2"), before.resources(), before.contexts(), false, before.sharedHeld());
        assertThat(findIn(List.of(alice(), before), List.of(alice(), reborn))).isEmpty();
    }

    @Test
    void L14_aNodeThatDoesNotAnswerTwiceMakesNoCircle() {
        assertThat(findIn(List.of(alice(), bob()), List.of(alice()))).isEmpty();
        assertThat(findIn(List.of(alice()), List.of(alice(), bob()))).isEmpty();
    }

    @Test
    void L14_anAnswerToAnEarlierQuestionDoesNotCount() {
        long first = search.begin();
        assertThat(search.answer(first, alice())).isTrue();
        assertThat(search.answer(first, alice())).as("a second one").isFalse();
        assertThat(search.answer(first, bob())).isTrue();
        assertThat(search.confirm(Set.of("alice-1", "bob-1"))).containsExactlyInAnyOrder("alice-1", "bob-1");
        assertThat(search.answer(first, alice())).as("one that comes late").isFalse();
        assertThat(search.answer(search.round(), node("carol")))
                .as("one that was not asked")
                .isFalse();
        assertThat(search.answer(search.round(), alice())).isTrue();
        assertThat(search.isComplete()).isFalse();
        assertThat(search.answer(search.round(), bob())).isTrue();
        assertThat(search.isComplete()).isTrue();
        long second = search.round();
        assertThat(search.finish()).hasSize(1);
        assertThat(search.answer(second, bob())).as("after the end").isFalse();
        assertThatThrownBy(search::finish).hasMessageContaining("IDLE");
    }

    @Test
    void L14_aCircleIsADeadlockWhereEachHoldLastsAsLongAsItsWait() {
        NodeWaits alice = node("alice", held("orders", 1, 11), wanted("stock", 1, 12, 11L));
        NodeWaits bob = node("bob", held("stock", 1, 21), wanted("orders", 1, 22, 21L));
        assertThat(findIn(List.of(alice, bob), List.of(alice, bob)))
                .extracting(ClusterCycle::proven)
                .containsExactly(true);
        assertThat(findIn(List.of(alice, bob), List.of(alice, bob())))
                .as("it did not last in the second answer")
                .extracting(ClusterCycle::proven)
                .containsExactly(false);
    }

    @Test
    void L14_aContextOfManyBranchesMakesNoCircleByWhatItHolds() {
        NodeWaits bob = bob();
        NodeWaits service = new NodeWaits(
                bob.node(),
                bob.resources(),
                List.of(new Member(1, "global.Shop", "Shop", "Shop", false)),
                false,
                bob.sharedHeld());
        assertThat(findIn(List.of(alice(), service), List.of(alice(), service))).isEmpty();
        assertThat(findIn(List.of(alice(), bob), List.of(alice(), service)))
                .as("one that is such a one in the second answer")
                .isEmpty();
    }

    @Test
    void D8_aLockThatTwoHaveAsAfterASplitLeadsNowhere() {
        NodeWaits carol = node("carol", held("orders", 2, 31), wanted("till", 2, 32));
        List<NodeWaits> all = List.of(alice(), bob(), carol);
        assertThat(findIn(all, all)).isEmpty();
    }

    /** What a node tells of which a context holds a lock of the cluster and waits for nothing. */
    private static NodeWaits works(String name, String key) {
        return new NodeWaits(new NodeIdentity(name, name + "-1"), List.of(), List.of(), false, List.of(key));
    }

    @Test
    void D8_aLockThatSomebodyElseHoldsAndWorksLeadsNowhere() {
        NodeWaits alice = node("alice", held("orders", 1, 11), wanted("stock", 1, 12, 11L));
        NodeWaits bob = node("bob", held("stock", 1, 21), wanted("orders", 1, 22, 21L));
        List<NodeWaits> all = List.of(alice, bob, works("carol", "orders"));
        assertThat(findIn(all, all)).isEmpty();
        List<NodeWaits> other = List.of(alice, bob, works("carol", "till"));
        assertThat(findIn(other, other))
                .as("one of another lock changes nothing")
                .hasSize(1);
    }

    @Test
    void D8_aLockThatSomebodyMayHoldWhoDidNotTellAllLeadsNowhere() {
        List<NodeWaits> both = List.of(alice(), bob());
        assertThat(findIn(both, both, Set.of("alice-1", "bob-1", "carol-1")))
                .as("carol lives, and did not answer in the first round")
                .isEmpty();
        assertThat(search.inTheWay()).containsExactly("carol-1");
        NodeWaits carol = new NodeWaits(new NodeIdentity("carol", "carol-1"), List.of(), List.of(), false, null);
        List<NodeWaits> all = List.of(alice(), bob(), carol);
        assertThat(findIn(all, all)).as("carol left out some").isEmpty();
        assertThat(search.inTheWay()).containsExactly("carol-1");
        NodeWaits cut = new NodeWaits(carol.node(), List.of(), List.of(), true, List.of());
        List<NodeWaits> known = List.of(alice(), bob(), cut);
        assertThat(findIn(known, known)).as("carol left out others only").hasSize(1);
        assertThat(search.inTheWay()).isEmpty();
    }

    @Test
    void D8_whoIsNotAskedAgainCountsInTheSecondRoundToo() {
        NodeWaits alice = node(
                "alice", held("orders", 1, 11), wanted("stock", 1, 12), held("till", 2, 13), wanted("bill", 2, 14));
        NodeWaits bob =
                node("bob", held("stock", 1, 21), wanted("orders", 1, 22), held("bill", 2, 23), wanted("till", 2, 24));
        List<NodeWaits> all = List.of(alice, bob, works("carol", "orders"));
        List<ClusterCycle> found = findIn(all, List.of(alice, bob));
        assertThat(found).as("the one that leads over other locks").hasSize(1);
        assertThat(found.get(0).steps())
                .extracting(step -> step.resource().key())
                .containsExactlyInAnyOrder("till", "bill");
    }

    @Test
    void D8_whoSaysInTheSecondRoundThatHeHoldsItTooCounts() {
        NodeWaits dave = node("dave", held("till", 1, 41), wanted("orders", 1, 42));
        NodeWaits later =
                new NodeWaits(dave.node(), dave.resources(), dave.contexts(), false, List.of("till", "orders"));
        assertThat(findIn(List.of(alice(), bob(), dave), List.of(alice(), bob(), dave)))
                .hasSize(1);
        assertThat(findIn(List.of(alice(), bob(), dave), List.of(alice(), bob(), later)))
                .isEmpty();
    }

    @Test
    void D8_aCircleWithoutALockOfTheClusterIsFoundThoughSomebodyDidNotAnswer() {
        Resource reply = new Resource(
                Kind.REPLY,
                "r",
                "request pay",
                0,
                LockType.MUTEX,
                1,
                List.of(new Hold(13, 2, 1, Duration.ofSeconds(9), false)),
                List.of(new Wait(12, 1, 1, Duration.ofSeconds(9), null, List.of())));
        List<NodeWaits> alice = List.of(node("alice", lock("1", 1, 11, 2, 14), reply));
        assertThat(findIn(alice, alice, Set.of("alice-1", "carol-1"))).hasSize(1);
        assertThat(search.inTheWay()).as("nothing is kept back").isEmpty();
    }

    @Test
    void L14_whoHoldsOneOfTwoPermitsMakesNoCircleUnlessTheOtherIsStuckToo() {
        Resource line = new Resource(
                Kind.LOCK,
                "7",
                "pool",
                7,
                LockType.SEMAPHORE,
                2,
                List.of(
                        new Hold(21, 1, 1, Duration.ofSeconds(9), false),
                        new Hold(25, 2, 1, Duration.ofSeconds(9), false)),
                List.of(new Wait(23, 3, 1, Duration.ofSeconds(8), null, List.of())));
        NodeWaits alice = alice();
        NodeWaits free = node("bob", line, wanted("orders", 1, 22), held("stock", 3, 24));
        assertThat(findIn(List.of(alice, free), List.of(alice, free))).isEmpty();
        Resource both = new Resource(
                Kind.SHARED,
                "stock",
                "shared:stock",
                0,
                LockType.MUTEX,
                1,
                held("stock", 3, 24).holds(),
                wanted("stock", 2, 26).waits());
        NodeWaits stuck = node("bob", line, wanted("orders", 1, 22), both);
        assertThat(findIn(List.of(alice, stuck), List.of(alice, stuck))).hasSize(1);
    }

    @Test
    void aCircleOfTheLocksOfOneNodeIsThatNodesOwnBusiness() {
        Resource one = lock("1", 1, 11, 2, 12);
        Resource other = lock("2", 2, 13, 1, 14);
        NodeWaits alice = node("alice", one, other);
        assertThat(findIn(List.of(alice), List.of(alice))).isEmpty();
    }

    private static Resource lock(String key, long holder, long hold, long waiter, long wait) {
        return new Resource(
                Kind.LOCK,
                key,
                "m" + key,
                Long.parseLong(key),
                LockType.MUTEX,
                1,
                List.of(new Hold(hold, holder, 1, Duration.ofSeconds(9), false)),
                List.of(new Wait(wait, waiter, 1, Duration.ofSeconds(8), null, List.of())));
    }

    @Test
    void aCircleOfRequestsOnOneNodeIsFound() {
        Resource reply = new Resource(
                Kind.REPLY,
                "r",
                "request pay",
                0,
                LockType.MUTEX,
                1,
                List.of(new Hold(13, 2, 1, Duration.ofSeconds(9), false)),
                List.of(new Wait(12, 1, 1, Duration.ofSeconds(9), null, List.of())));
        NodeWaits alice = node("alice", lock("1", 1, 11, 2, 14), reply);
        List<ClusterCycle> found = findIn(List.of(alice), List.of(alice));
        assertThat(found).hasSize(1);
        assertThat(found.get(0).report(Instant.EPOCH, Duration.ZERO).cycle())
                .contains("c1@alice holds mutex \"m1\" for 9s and waits for a reply of \"pay\" for 9s")
                .contains("c2@alice owes a reply of \"pay\" for 9s and waits for mutex \"m1\" for 8s");
    }

    @Test
    void onlyNodesOfTheCircleAreAskedAgain() {
        long round = search.begin();
        assertThat(search.answer(round, alice())).isTrue();
        assertThat(search.answer(round, bob())).isTrue();
        assertThat(search.answer(round, node("carol", wanted("orders", 1, 31)))).isTrue();
        assertThat(search.answer(round, node("dave", held("till", 1, 41)))).isTrue();
        assertThat(search.confirm(Set.of()))
                .as("who waits behind the circle too, because it may hold what decides")
                .isEqualTo(Set.of("alice-1", "bob-1", "carol-1"));
    }
}
