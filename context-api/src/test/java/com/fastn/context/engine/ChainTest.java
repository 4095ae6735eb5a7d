package com.fastn.context.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ChainTest {
    private static final class Item extends Chain.Link<Item> {}

    @Test
    void aChainIsAListThatForgetsFast() {
        long seed = new Random().nextLong();
        System.out.println("ChainTest seed " + seed);
        Random random = new Random(seed);
        Chain<Item> chain = new Chain<>();
        List<Item> model = new ArrayList<>();
        for (int i = 0; i < 10_000; i++) {
            if (model.isEmpty() || random.nextInt(5) < 3) {
                Item item = new Item();
                chain.add(item);
                model.add(item);
            } else {
                chain.remove(model.remove(random.nextInt(model.size())));
            }
            assertThat(chain.size()).isEqualTo(model.size());
            if (i % 100 == 0) {
                assertThat(chain.list()).as("seed %d", seed).isEqualTo(model);
            }
        }
        assertThat(chain.drain()).isEqualTo(model);
        assertThat(chain.size()).isZero();
        assertThat(chain.list()).isEmpty();
    }

    @Test
    void whatIsNotInAChainIsNotTakenOut() {
        Chain<Item> chain = new Chain<>();
        Chain<Item> other = new Chain<>();
        Item mine = new Item();
        Item theirs = new Item();
        chain.add(mine);
        other.add(theirs);
        chain.remove(theirs);
        chain.remove(new Item());
        assertThat(chain.list()).containsExactly(mine);
        assertThat(other.list()).containsExactly(theirs);

        chain.remove(mine);
        chain.remove(mine);
        assertThat(chain.size()).isZero();
        other.add(mine);
        assertThat(other.list()).containsExactly(theirs, mine);
    }
}
