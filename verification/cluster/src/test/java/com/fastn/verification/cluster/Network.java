package com.fastn.verification.cluster;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A network of its own for some nodes: each in a namespace, with one wire to a router, which is in another. Nothing outside of
 * them is touched. The router drops in silence what is cut, so that a node does not know of it.
 *
 * <p>Linux, for root. Whether this machine can is found out by making one.
 */
final class Network implements AutoCloseable {
    /** Each takes some milliseconds. */
    private static final int MOST_LOOKS = 1_000;

    private static final Pattern NAME = Pattern.compile("fr(\\d+)(r|n\\d+)\\b.*");

    /**
     * TCP repeats what is lost after 0.2, 0.6, 1.4, .. 25.4 s: what is cut for 13 s would be dumb for 12 s more, and that would be
     * neither the nodes' nor the cluster manager's. Kernels before 6.15 do not have it.
     */
    private static final String REPEAT_SOON = "f=/proc/sys/net/ipv4/tcp_rto_max_ms; [ ! -e $f ] || echo 1000 > $f";

    private final String name = "fr" + ProcessHandle.current().pid();
    private final int nodes;
    private final Set<String> cuts = new TreeSet<>();

    private Network(int nodes) {
        this.nodes = nodes;
    }

    /** {@return a network for that many nodes, or {@code null} where there can be none} */
    static @Nullable Network tryToMake(int nodes) {
        Network network = new Network(nodes);
        try {
            removeLeftOver();
            network.make();
            return network;
        } catch (NotPossible e) {
            System.out.println("there is no network of namespaces here: " + e.getMessage());
            network.close();
            return null;
        }
    }

    private void make() {
        run("ip", "netns", "add", router());
        run("ip", "netns", "exec", router(), "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward");
        for (int i = 0; i < nodes; i++) {
            run("ip", "netns", "add", place(i));
            run("ip", "-n", router(), "link", "add", wire(i), "type", "veth", "peer", "name", "e0", "netns", place(i));
            run("ip", "-n", router(), "addr", "add", gateway(i) + "/30", "dev", wire(i));
            run("ip", "-n", router(), "link", "set", wire(i), "up");
            run("ip", "-n", place(i), "addr", "add", host(i) + "/30", "dev", "e0");
            run("ip", "-n", place(i), "link", "set", "e0", "up");
            run("ip", "-n", place(i), "link", "set", "lo", "up");
            run("ip", "-n", place(i), "route", "add", "default", "via", gateway(i));
            run("ip", "netns", "exec", place(i), "sh", "-c", REPEAT_SOON);
        }
        for (int i = 0; i < nodes; i++) {
            awaitWire(i);
        }
        // Whether what is cut can be cut.
        cut(0, nodes - 1);
        join(0, nodes - 1);
    }

    /** A wire carries a moment after both of its ends were put up, and a node that begins before that may not find its address. */
    private void awaitWire(int node) {
        for (int look = 0; look < MOST_LOOKS; look++) {
            String shown = run("ip", "-n", place(node), "addr", "show", "dev", "e0", "up");
            if (shown.contains("LOWER_UP") && shown.contains(host(node))) {
                return;
            }
        }
        throw new NotPossible("the wire of " + place(node) + " does not carry");
    }

    /** Of processes that were killed before they could do it. */
    private static void removeLeftOver() {
        for (String line : run("ip", "netns", "list").lines().toList()) {
            Matcher ours = NAME.matcher(line);
            if (ours.matches()
                    && ProcessHandle.of(Long.parseLong(ours.group(1))).isEmpty()) {
                remove("fr" + ours.group(1) + ours.group(2));
            }
        }
    }

    /** The address of a node. */
    String host(int node) {
        return "10.9." + node + ".2";
    }

    private static String gateway(int node) {
        return "10.9." + node + ".1";
    }

    /** How a command is run where a node is; it becomes the command. */
    List<String> at(int node) {
        return List.of("ip", "netns", "exec", place(node));
    }

    private String router() {
        return name + "r";
    }

    private String place(int node) {
        return name + "n" + node;
    }

    private static String wire(int node) {
        return "w" + node;
    }

    // --- faults

    /** Nothing that one node sends to another arrives any more. */
    void cut(int from, int to) {
        if (cuts.add(from + ">" + to)) {
            run("ip", "-n", router(), "rule", "add", "from", host(from), "to", host(to), "blackhole");
        }
    }

    /** What one node sends to another arrives again. */
    void join(int from, int to) {
        if (cuts.remove(from + ">" + to)) {
            run("ip", "-n", router(), "rule", "del", "from", host(from), "to", host(to), "blackhole");
        }
    }

    /** The wire of a node is pulled out, which the node notices. */
    void pull(int node) {
        run("ip", "-n", router(), "link", "set", wire(node), "down");
    }

    /** It is put in again. */
    void plug(int node) {
        run("ip", "-n", router(), "link", "set", wire(node), "up");
    }

    /** Everything arrives again. */
    void heal() {
        for (String cut : List.copyOf(cuts)) {
            String[] ends = cut.split(">", 2);
            join(Integer.parseInt(ends[0]), Integer.parseInt(ends[1]));
        }
        for (int i = 0; i < nodes; i++) {
            plug(i);
        }
    }

    @Override
    public void close() {
        for (int i = 0; i < nodes; i++) {
            remove(place(i));
        }
        remove(router());
    }

    private static void remove(String namespace) {
        try {
            run("ip", "netns", "del", namespace);
        } catch (NotPossible e) {
            // It was not made.
        }
    }

    @CanIgnoreReturnValue
    private static String run(String... command) {
        List<String> words = new ArrayList<>(List.of(command));
        try {
            Process process =
                    new ProcessBuilder(words).redirectErrorStream(true).start();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.waitFor() != 0) {
                throw new NotPossible(String.join(" ", words) + ": " + said.strip());
            }
            return said;
        } catch (IOException e) {
            throw new NotPossible(e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new NotPossible("interrupted");
        }
    }

    /** The machine cannot do this, or we may not. */
    private static final class NotPossible extends RuntimeException {
        NotPossible(@Nullable String why) {
            super(why);
        }
    }
}
