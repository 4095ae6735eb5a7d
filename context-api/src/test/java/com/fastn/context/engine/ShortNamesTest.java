package com.fastn.context.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.status.ContextPath;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ShortNamesTest {
    private final ShortNames names = new ShortNames();
    private long lastId;

    private long add(String... path) {
        names.add(++lastId, ContextPath.of(path));
        return lastId;
    }

    @Test
    void twoNamesFromTheEndAreEnoughWithoutTheRootsAndWhatFollowsAnAt() {
        long deep = add("global", "remote-access", "alice@bv478gen", "stdout-handler");
        long child = add("global", "db");
        long root = add("global");
        names.decide();

        assertThat(names.of(deep)).isEqualTo("alice/stdout-handler");
        assertThat(names.of(child)).isEqualTo("db");
        assertThat(names.of(root)).isEqualTo("global");
    }

    @Test
    void whatFollowsAnAtIsShownWhereItTellsApart() {
        long one = add("global", "alice@one", "handler");
        long two = add("global", "alice@two", "handler");
        names.decide();

        assertThat(names.of(one)).isEqualTo("alice@one/handler");
        assertThat(names.of(two)).isEqualTo("alice@two/handler");
    }

    @Test
    void moreNamesAreShownWhereTwoAreNotEnough() {
        long one = add("global", "a", "x", "y");
        long two = add("global", "b", "x", "y");
        long three = add("global", "x", "y");
        names.decide();

        assertThat(names.of(one)).isEqualTo("a/x/y");
        assertThat(names.of(two)).isEqualTo("b/x/y");
        assertThat(names.of(three)).isEqualTo("x/y");
    }

    @Test
    void contextsOfOnePathAreToldApartById() {
        long one = add("global", "worker");
        long two = add("global", "worker");
        names.decide();

        assertThat(names.of(one)).isEqualTo("worker#" + one);
        assertThat(names.of(two)).isEqualTo("worker#" + two);
    }

    @Test
    void whatNoNumberOfNamesTellsApartIsToldApartById() {
        long root = add("global");
        long child = add("global", "global");
        long slash = add("global", "a/b");
        long path = add("global", "a", "b");
        names.decide();

        assertThat(names.of(root)).isEqualTo("global#" + root);
        assertThat(names.of(child)).isEqualTo("global#" + child);
        assertThat(Set.of(names.of(slash), names.of(path))).hasSize(2);
    }

    @Test
    void pathsThatDifferOnlyFarUpCostLittle() {
        List<String> tail = Collections.nCopies(50_000, "n");
        List<String> one = new ArrayList<>(List.of("global", "a"));
        one.addAll(tail);
        List<String> two = new ArrayList<>(List.of("global", "b"));
        two.addAll(tail);
        names.add(1, ContextPath.of(one));
        names.add(2, ContextPath.of(two));
        names.decide();

        assertThat(names.of(1)).isNotEqualTo(names.of(2));
    }

    @Test
    void noTwoContextsHaveOneName() {
        Random random = new Random(3);
        for (int round = 0; round < 300; round++) {
            ShortNames some = new ShortNames();
            for (long id = 1; id <= 12; id++) {
                List<String> path = new ArrayList<>(List.of("g"));
                for (int n = random.nextInt(5); n > 0; n--) {
                    path.add(List.of("a", "b", "a@1", "a@2", "g", "a/b").get(random.nextInt(6)));
                }
                some.add(id, ContextPath.of(path));
            }
            some.decide();
            Set<String> seen = new HashSet<>();
            for (long id = 1; id <= 12; id++) {
                assertThat(seen.add(some.of(id)))
                        .as("round %d: %s", round, some.of(id))
                        .isTrue();
            }
        }
    }

    @Test
    void whoWasNotAddedIsShownByItsId() {
        names.decide();
        assertThat(names.of(7)).isEqualTo("#7");
        assertThat(names.knows(7)).isFalse();
    }
}
