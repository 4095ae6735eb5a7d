package com.fastn.verification.cluster;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Rule L14 over two to six JVMs: rings of locks, and of locks and requests, all at once. */
@Tag("slow")
class DeadlockRingsTest {
    private static final String STATUS = "fastn.status";
    private static final long TIMEOUT = 20_000;
    private static final List<String> NODES = List.of("a", "b", "c", "d", "e", "f");

    /** How old a wait is when it is looked for, unless an option says otherwise. */
    private static final Duration THRESHOLD = Duration.ofSeconds(5);

    /** How long it takes to find a ring once its waits are old; what it took is printed. */
    private static final Duration SOON = Duration.ofSeconds(2);

    /** What a machine that is busy may add to the one in the middle. */
    private static final Duration BUSY = Duration.ofSeconds(3);

    /**
     * What the machine may add to the slowest, where six JVMs that all search at once, and one of which is asked for all of it
     * over and over, share two processors with whatever else is built there.
     */
    private static final Duration MACHINE = Duration.ofSeconds(30);

    private static final Duration LONGEST = THRESHOLD.plus(SOON).plus(MACHINE);

    private static final Duration PAUSE = Duration.ofMillis(50);
    private static final Pattern LOCK = Pattern.compile("shelf-(\\d+)-([a-f])");

    @RegisterExtension
    static final ClusterExtension CLUSTER = new ClusterExtension(RingNode.class, NODES.toArray(new String[0]));

    /** Nodes that wait for each other in a ring, by locks alone or by requests whose handlers want the locks. */
    private record Ring(long number, List<String> nodes, Link.By by) {
        JsonObject task() {
            return new JsonObject().put("number", number);
        }

        String next(String node) {
            return nodes.get((nodes.indexOf(node) + 1) % nodes.size());
        }

        /** What a node owns, and waits for then. */
        List<Link> chain(String node) {
            return by == Link.By.LOCK
                    ? List.of(Link.lock(node), Link.lock(next(node)))
                    : List.of(Link.lock(node), Link.request(next(node)), Link.lock(next(node)));
        }

        @Override
        public String toString() {
            return nodes.size() + " nodes, by " + (by == Link.By.LOCK ? "locks" : "requests and locks");
        }
    }

    @Test
    void L14_eachRingIsToldOfOnceAndWholeSoonAfterItsWaitsAreOld() {
        List<Ring> rings = new ArrayList<>();
        for (int size = 2; size <= NODES.size(); size++) {
            for (Link.By by : Link.By.values()) {
                rings.add(new Ring(rings.size() + 1, NODES.subList(0, size), by));
            }
        }
        for (Ring ring : rings) {
            for (String node : ring.nodes()) {
                JsonObject own =
                        ring.task().put("do", "own").put("later", true).put("links", Link.write(ring.chain(node)));
                tell(node, own);
            }
        }
        // The last wait of a ring begins between these two moments.
        Map<Ring, Long> open = new LinkedHashMap<>();
        Map<Ring, Long> closed = new LinkedHashMap<>();
        for (Ring ring : rings) {
            for (String node : ring.nodes()) {
                open.put(ring, System.nanoTime());
                tell(node, ring.task().put("do", "go"));
            }
            closed.put(ring, System.nanoTime());
        }

        Map<Ring, Long> found = new LinkedHashMap<>();
        Awaitility.await().atMost(LONGEST.multipliedBy(2)).pollInterval(PAUSE).until(() -> {
            Map<Long, List<Set<String>>> told = told();
            for (Ring ring : rings) {
                List<Set<String>> tellings = told.getOrDefault(ring.number(), List.of());
                if (!tellings.isEmpty()) {
                    assertThat(tellings).as(ring.toString()).containsExactly(new TreeSet<>(ring.nodes()));
                    found.putIfAbsent(ring, System.nanoTime());
                }
            }
            return found.keySet().containsAll(rings);
        });

        // A search that became slow shows in most of them, a machine that is busy in some.
        List<Duration> took = new ArrayList<>();
        found.forEach((ring, nanos) -> {
            Duration atLeast = Duration.ofNanos(nanos - requireNonNull(closed.get(ring)));
            Duration atMost = Duration.ofNanos(nanos - requireNonNull(open.get(ring)));
            System.out.println("told of " + atLeast.minus(THRESHOLD).toMillis() + " ms after the threshold: " + ring);
            assertThat(atMost).as(ring.toString()).isGreaterThanOrEqualTo(THRESHOLD);
            assertThat(atLeast).as(ring.toString()).isLessThanOrEqualTo(LONGEST);
            took.add(atLeast);
        });
        Collections.sort(took);
        assertThat(took.get(took.size() / 2))
                .as("the one in the middle")
                .isLessThanOrEqualTo(THRESHOLD.plus(SOON).plus(BUSY));
    }

    /** For each number of a ring the nodes whose locks are in what is told of it, once for each telling. */
    private static Map<Long, List<Set<String>>> told() {
        Map<Long, List<Set<String>>> told = new LinkedHashMap<>();
        JsonObject answer = CLUSTER.node("a").ask(STATUS, null, TIMEOUT);
        for (JsonObject row : Answers.list(answer, "nodes")) {
            JsonObject status = row.getJsonObject("status");
            JsonObject causes = status == null ? null : status.getJsonObject("causes");
            JsonArray deadlocks = causes == null ? null : causes.getJsonArray("deadlocks");
            if (deadlocks != null) {
                deadlocks.forEach(deadlock -> note(told, ((JsonObject) deadlock).encode()));
            }
        }
        return told;
    }

    private static void note(Map<Long, List<Set<String>>> told, String deadlock) {
        Set<String> nodes = new TreeSet<>();
        long number = 0;
        Matcher locks = LOCK.matcher(deadlock);
        while (locks.find()) {
            number = Long.parseLong(locks.group(1));
            nodes.add(locks.group(2));
        }
        told.computeIfAbsent(number, unknown -> new ArrayList<>()).add(nodes);
    }

    private static void tell(String alias, JsonObject command) {
        var unused = CLUSTER.node(alias).command(command);
    }
}
