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

    @Test
    void itKnowsItsFirstOneTheNextAndWhoIsInIt() {
        Chain<Item> chain = new Chain<>();
        Item a = new Item();
        Item b = new Item();
        Item c = new Item();
        assertThat(chain.first()).isNull();
        assertThat(chain.isEmpty()).isTrue();
        assertThat(chain.contains(a)).isFalse();
        chain.add(a);
        assertThat(chain.isEmpty()).isFalse();
        assertThat(chain.after(a)).isNull();
        chain.add(b);
        chain.add(c);
        assertThat(chain.first()).isSameAs(a);
        assertThat(chain.after(a)).isSameAs(b);
        assertThat(chain.contains(c)).isTrue();
        assertThat(new Chain<Item>().contains(c)).isFalse();

        chain.remove(b);
        assertThat(chain.after(a)).isSameAs(c);
        assertThat(chain.contains(b)).isFalse();
        assertThat(chain.after(b)).as("it is not led on from where it was").isNull();
        chain.remove(a);
        assertThat(chain.first()).isSameAs(c);
        chain.remove(c);
        assertThat(chain.first()).isNull();
        assertThat(chain.isEmpty()).isTrue();
        chain.add(b);
        assertThat(chain.list()).as("behind nobody that left").containsExactly(b);
    }

    @Test
    void whatWasDrainedCanBeAddedElsewhere() {
        Chain<Item> chain = new Chain<>();
        List<Item> items = List.of(new Item(), new Item(), new Item());
        items.forEach(chain::add);
        assertThat(chain.drain()).isEqualTo(items);
        assertThat(chain.first()).isNull();
        assertThat(items).noneMatch(chain::contains);

        Chain<Item> other = new Chain<>();
        other.add(items.get(2));
        other.add(items.get(0));
        assertThat(other.list()).containsExactly(items.get(2), items.get(0));
        assertThat(chain.drain()).isEmpty();
    }
}
