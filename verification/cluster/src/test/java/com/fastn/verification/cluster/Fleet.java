package com.fastn.verification.cluster;

import static java.util.Objects.requireNonNull;

import com.fastn.verification.cluster.LoopbackCluster.Manager;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Some nodes that serve orders, in a network of their own where this machine has such, otherwise on loopback. It knows who lives,
 * who stands still and who hears whom.
 */
final class Fleet implements AutoCloseable {
    /** In a long plan hundreds are killed, and how the first of them ended tells nobody anything. */
    private static final int ENDED_TOLD = 6;

    private final Class<?> main;
    private final List<String> options;
    private final Manager manager;
    private final @Nullable Network network;
    private final List<Integer> ports;
    private final JsonObject settings;
    private final List<Member> members = new ArrayList<>();
    private final List<Jvm> jvms = new ArrayList<>();
    private final Set<String> cuts = new HashSet<>();

    /** One life of a node. */
    static final class Member {
        private final String alias;
        private final int place;
        private final Jvm jvm;
        private final Set<String> known = new HashSet<>();
        private String incarnation = "";
        private boolean dead;
        private boolean paused;
        private boolean leaving;

        private Member(String alias, int place, Jvm jvm) {
            this.alias = alias;
            this.place = place;
            this.jvm = jvm;
        }

        String alias() {
            return alias;
        }

        int place() {
            return place;
        }

        Jvm jvm() {
            return jvm;
        }

        String incarnation() {
            return incarnation;
        }

        boolean isDead() {
            return dead;
        }

        boolean isPaused() {
            return paused;
        }

        /** The lives of nodes that it has listed when all was quiet, so that it has to account for them. */
        Set<String> known() {
            return known;
        }

        @Override
        public String toString() {
            return alias + " (" + incarnation + ")";
        }
    }

    Fleet(int nodes, boolean wantsNetwork) {
        this(Manager.HAZELCAST, nodes, wantsNetwork);
    }

    Fleet(Manager manager, int nodes, boolean wantsNetwork) {
        this(FleetNode.class, Jvm.SMALL, manager, nodes, wantsNetwork);
    }

    /** Nodes of another program, on loopback, in JVMs as they are where nobody minds the room. */
    static Fleet large(Class<?> main, int nodes) {
        return new Fleet(main, List.of("-Xmx1g"), Manager.HAZELCAST, nodes, false);
    }

    private Fleet(Class<?> main, List<String> options, Manager manager, int nodes, boolean wantsNetwork) {
        this.main = main;
        this.options = options;
        this.manager = manager;
        // One more for a node whose alias is taken.
        int places = nodes + 1;
        network = wantsNetwork ? Network.tryToMake(places) : null;
        ports = List.copyOf(ClusterExtension.freePorts(places));
        JsonArray addresses = new JsonArray();
        for (int i = 0; i < places; i++) {
            addresses.add(host(i) + ":" + ports.get(i));
        }
        settings = new JsonObject()
                .put("cluster", "fastn-" + UUID.randomUUID())
                .put("manager", manager.name())
                .put("members", addresses);
        try {
            List<Member> started = new ArrayList<>();
            for (int i = 0; i < nodes; i++) {
                started.add(begin(alias(i), i));
            }
            started.forEach(this::await);
        } catch (RuntimeException | Error e) {
            System.out.println(output());
            close();
            throw e;
        }
    }

    private static String alias(int place) {
        return "n" + place;
    }

    /** The alias of who has the next place, after the last of so many the first. */
    static String neighbour(String alias, int nodes) {
        int place = Integer.parseInt(alias.substring(alias(0).length() - 1));
        return alias((place + 1) % nodes);
    }

    Manager manager() {
        return manager;
    }

    boolean hasNetwork() {
        return network != null;
    }

    Network network() {
        return requireNonNull(network, "a network");
    }

    private String host(int place) {
        return network == null ? "127.0.0.1" : network.host(place);
    }

    /** Starts a node, and gives it when it says that it is there. */
    Member start(String alias, int place) {
        Member member = begin(alias, place);
        await(member);
        return member;
    }

    /** Starts all of these again, as later lives of their aliases, and gives them when all say that they are there. */
    List<Member> restart(List<Member> formers) {
        List<Member> started = formers.stream()
                .map(former -> begin(former.alias, former.place))
                .toList();
        started.forEach(this::await);
        return started;
    }

    /** Starts a node, and does not wait for it. It is one of the fleet once {@link #await} has returned. */
    Member begin(String alias, int place) {
        return begin(main, alias, place);
    }

    /** Starts a node of another program at the place that no node has by itself. */
    Member startSpare(Class<?> other, String alias) {
        Member member = begin(other, alias, sparePlace());
        await(member);
        return member;
    }

    private Member begin(Class<?> program, String alias, int place) {
        Jvm jvm = Jvm.start(
                network == null ? List.of() : network.at(place),
                options,
                alias,
                program,
                System.getProperty("java.class.path"),
                settings.copy().put("host", host(place)).put("port", ports.get(place)));
        jvms.add(jvm);
        return new Member(alias, place, jvm);
    }

    /** Waits until it says that it is there. */
    void await(Member member) {
        member.incarnation = member.jvm.facts().getString("incarnation");
        members.add(member);
    }

    /** All lives of all nodes, in the order in which they began. */
    List<Member> members() {
        return List.copyOf(members);
    }

    List<Member> living() {
        return members.stream().filter(member -> !member.dead).toList();
    }

    /** Those who can be asked. */
    List<Member> moving() {
        return members.stream()
                .filter(member -> !member.dead && !member.paused && !member.leaving)
                .toList();
    }

    Member at(int place) {
        return living().stream()
                .filter(member -> member.place == place)
                .findFirst()
                .orElseThrow(() -> new AssertionError("nobody lives at " + place));
    }

    /** The place that no node has by itself. */
    int sparePlace() {
        return ports.size() - 1;
    }

    // --- faults

    void kill(Member member) {
        member.dead = true;
        member.jvm.kill();
    }

    /** Has it leave in good order, with a goodbye, so that nobody has to list it any more; completes when it has. */
    CompletableFuture<Void> leave(Member member) {
        member.leaving = true;
        members.forEach(other -> other.known.remove(member.incarnation));
        return member.jvm.telling(new JsonObject().put("do", "leave")).thenAccept(done -> {
            if (done.containsKey("failure")) {
                throw new AssertionError(member + " did not leave: " + done.getString("failure"));
            }
        });
    }

    void pause(Member member) {
        member.paused = true;
        member.jvm.pause();
    }

    void resume(Member member) {
        member.jvm.resume();
        member.paused = false;
    }

    void cut(int from, int to) {
        cuts.add(from + ">" + to);
        network().cut(from, to);
    }

    void heal() {
        cuts.clear();
        network().heal();
    }

    /** Whether each of the two hears the other. */
    boolean isJoined(Member one, Member other) {
        return !cuts.contains(one.place + ">" + other.place) && !cuts.contains(other.place + ">" + one.place);
    }

    /** What those said who run, and the last of those who do not, and what the threads of the former are at. */
    String output() {
        StringBuilder all = new StringBuilder();
        List<Jvm> ended = jvms.stream().filter(jvm -> !jvm.isAlive()).toList();
        ended.stream()
                .skip(Math.max(0, ended.size() - ENDED_TOLD))
                .forEach(jvm -> all.append(jvm.output()).append('\n'));
        jvms.stream()
                .filter(Jvm::isAlive)
                .forEach(jvm -> all.append(jvm.output()).append('\n'));
        jvms.forEach(jvm -> all.append(jvm.threads()).append('\n'));
        return all.toString();
    }

    @Override
    public void close() {
        jvms.forEach(Jvm::kill);
        if (network != null) {
            network.close();
        }
    }
}
