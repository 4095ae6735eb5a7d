package com.fastn.verification.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Pattern;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Faults that are planted on one node, with those that are stuck behind them on others, and the first line of the explanation
 * at a node that has no part in it.
 */
@Tag("slow")
class ExplainAcrossNodesTest {
    private static final String STATUS = "fastn.status";
    private static final long TIMEOUT = 5_000;
    private static final Duration SOON = Duration.ofSeconds(5);
    private static final Duration PAUSE = Duration.ofMillis(50);
    private static final double ENOUGH = 0.95;

    /** How the first of them, a context on alice, gets to the root: by what it waits for, and so on. */
    private static final List<List<Link>> WAYS = List.of(
            List.of(Link.request("carol")),
            List.of(Link.lock("carol")),
            List.of(Link.request("bob"), Link.request("carol")),
            List.of(Link.request("bob"), Link.lock("carol")),
            List.of(Link.lock("bob"), Link.request("carol")),
            List.of(Link.lock("bob"), Link.lock("carol")));

    /** Not tried with roots that take seconds to show, to save time. */
    private static final Set<List<Link>> LONG_WAYS_OF_LOCKS = Set.of(WAYS.get(3), WAYS.get(5));

    @RegisterExtension
    static final ClusterExtension CLUSTER = new ClusterExtension(ChainNode.class, "alice", "bob", "carol", "watcher");

    /** What holds locks, and waits for others that hold locks: nobody of them is a root, and all are. */
    private static final List<List<List<Link>>> CIRCLES = List.of(
            List.of(List.of(Link.lock("bob"), Link.lock("carol")), List.of(Link.lock("carol"), Link.lock("bob"))),
            List.of(
                    List.of(Link.lock("alice"), Link.lock("bob")),
                    List.of(Link.lock("bob"), Link.lock("carol")),
                    List.of(Link.lock("carol"), Link.lock("alice"))),
            List.of(List.of(Link.lock("bob"), Link.request("carol"), Link.lock("bob"))));

    private final List<String> misses = new ArrayList<>();
    private final Map<String, Long> slowest = new LinkedHashMap<>();
    private int tried;

    @Test
    void theFirstLineNamesTheRootAndItsNodeWithinFiveSeconds() {
        for (Root root : Root.values()) {
            for (List<Link> way : WAYS) {
                if (!root.isLongToShow() || !LONG_WAYS_OF_LOCKS.contains(way)) {
                    meet(root, way);
                }
            }
        }
        CIRCLES.forEach(this::meetCircle);

        slowest.forEach((root, millis) -> System.out.println("named after at most " + millis + " ms: " + root));
        System.out.println(tried - misses.size() + " of " + tried + " scenarios are explained by their first line");
        misses.forEach(System.out::println);
        assertThat(misses)
                .as("of " + tried + " scenarios these are not explained by their first line")
                .hasSizeLessThanOrEqualTo((int) (tried * (1 - ENOUGH)));
    }

    private void meet(Root root, List<Link> way) {
        long number = ++tried;
        JsonObject task = new JsonObject().put("number", number).put("root", root.name());
        for (int i = way.size() - 1; i >= 0; i--) {
            if (way.get(i).by() == Link.By.LOCK) {
                own(task, way.subList(i, way.size()));
            }
        }
        String stuck = stuck(number, way.get(way.size() - 1));
        String name = root.name().toLowerCase(Locale.ROOT).replace('_', ' ');
        watch(name, task, way, root.firstLine(number, "carol", stuck));
    }

    private void meetCircle(List<List<Link>> owners) {
        long number = ++tried;
        JsonObject task = new JsonObject().put("number", number);
        // All have their locks before the first goes on.
        owners.forEach(chain -> own(task.copy().put("later", true), chain));
        owners.forEach(chain -> tell(chain.get(0).node(), task.copy().put("do", "go")));
        String one =
                "(" + stuck(number, Link.lock("")) + "|" + stuck(number, Link.request("carol")) + ")@(alice|bob|carol)";
        Pattern circle = Pattern.compile("(" + one + ": )?(all wait for each other: |(suspected )?deadlock: ).*" + one);
        watch("a circle over nodes", task, List.of(owners.get(0).get(0)), circle);
    }

    private static void own(JsonObject task, List<Link> chain) {
        tell(chain.get(0).node(), task.copy().put("do", "own").put("links", Link.write(chain)));
    }

    private void watch(String root, JsonObject task, List<Link> way, Pattern expected) {
        long began = System.nanoTime();
        tell("alice", task.copy().put("do", "front").put("links", Link.write(way)));
        AtomicReference<String> line = new AtomicReference<>("");
        try {
            await().atMost(SOON).pollDelay(Duration.ZERO).pollInterval(PAUSE).until(() -> {
                line.set(firstLine("front-" + task.getLong("number")));
                return expected.matcher(line.get()).lookingAt();
            });
            slowest.merge(root, (System.nanoTime() - began) / 1_000_000, Math::max);
        } catch (ConditionTimeoutException e) {
            misses.add(root + " behind " + way + ": " + line.get());
        }
        JsonObject end = task.copy().put("do", "end");
        List.of("carol", "bob", "alice").forEach(alias -> tell(alias, end.copy()));
    }

    private static String stuck(long number, Link last) {
        return "(\\S+/)?(" + (last.by() == Link.By.LOCK ? "owner-" + number : "chain\\.carol") + ")(#\\d+)?";
    }

    private static String firstLine(String context) {
        JsonObject question = new JsonObject().put("explain", context).put("format", "text");
        JsonObject answer =
                CLUSTER.node("watcher").asking(STATUS, question, TIMEOUT).join();
        String text = answer.getString("body");
        return text == null
                ? "(" + answer.getString("failure") + ")"
                : text.lines().findFirst().orElse("");
    }

    private static void tell(String alias, JsonObject command) {
        var unused = CLUSTER.node(alias).command(command);
    }
}
