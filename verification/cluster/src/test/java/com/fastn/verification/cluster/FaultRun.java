package com.fastn.verification.cluster;

import static com.fastn.verification.cluster.Answers.list;
import static java.util.Objects.requireNonNull;

import com.fastn.verification.cluster.FaultPlan.Fault;
import com.fastn.verification.cluster.Fleet.Member;
import com.fastn.verification.cluster.View.Row;
import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Does what a plan says to a fleet that is at work, and looks what each node says of all others: at any time nothing that is not
 * so, and when things are quiet for a while all that is so.
 *
 * <p>What is not so ends the plan at once. What is only late, and what a stream tells of too long ago, is noted with what the nodes
 * were at just then, and fails the plan when all of it was done.
 */
final class FaultRun {
    private static final String STATUS = "fastn.status";
    private static final String ASKED = "asked";
    private static final long ASK_MILLIS = 2_500;
    /** Where a question must not stay without an answer: a machine that is busy is no reason. */
    private static final long ASK_STRICTLY_MILLIS = 20_000;

    private static final long LOOK_MILLIS = 250;
    private static final long AT_WORK_MILLIS = 400;
    private static final long SILENT_MILLIS = 2_000;
    /** Whoever is called silent was not heard for three seconds, and that is told within one. */
    private static final long UNHEARD_MILLIS = 4_000;
    /** A question of a member that is lost Hazelcast gives up after two minutes, and answers nobody there until then. */
    private static final long MOST_OF_MANAGER_NANOS = TimeUnit.SECONDS.toNanos(150);
    /** A machine that is busy may keep a stream or a reply late, and that is told then; not for longer. */
    private static final long MOMENT_NANOS = TimeUnit.SECONDS.toNanos(2);

    private final FaultPlan plan;
    private final Fleet fleet;
    private final long patienceNanos;
    private final long soonMillis;
    private final Map<String, String> streams = new LinkedHashMap<>();
    private final Map<String, Long> lostFrames = new LinkedHashMap<>();
    private final Map<String, Long> atLeast = new HashMap<>();
    private final Map<String, Took> slowest = new LinkedHashMap<>();
    private final Map<FaultPlan.Kind, Spent> spent = new EnumMap<>(FaultPlan.Kind.class);
    private final Map<String, ArrayDeque<Counted>> counted = new HashMap<>();
    /** Since when those read their streams that did not for a while; {@link Long#MAX_VALUE} where they do not yet. */
    private final Map<String, Long> readingSince = new HashMap<>();
    /** What was said in the last look of a node to which nothing was done, and since when. */
    private Map<String, Long> doubts = new HashMap<>();

    /** Since when a stream has told old statuses, by who reads it, which it is and of whom. */
    private final Map<String, Long> oldSince = new HashMap<>();

    private final Map<String, Integer> moments = new LinkedHashMap<>();
    /** When the cluster manager was split or silent, as a {@link Follower} tells of standstills. */
    private final List<JsonObject> managerAway = new ArrayList<>();

    private final List<String> late = new ArrayList<>();
    /** What fails the plan when it is over, by a key of what is the same. */
    private final Map<String, String> wrongs = new LinkedHashMap<>();

    private String now = "the start";
    private String noted = "";
    private boolean conflict;
    /** Who is dead, and had a later one of its alias beside it, so that it stays listed. */
    private @Nullable Member beside;
    /** Whether a question that a node does not answer is a failure, for nothing has happened to that node. */
    private boolean strict;
    /** Whether all was right and no fault has been made since, so that everybody has to be said to be up. */
    private boolean quiet;
    /** What the cluster manager makes of a fault that lasts is its own affair; what the nodes say of that is ours. */
    private boolean underFault;

    private long looks;
    private long lookedMillis = System.nanoTime() / 1_000_000;
    private Wait wait = new Wait();

    /** What a node had served at a time. */
    private record Counted(long nanos, long served) {}

    /** Until all is right: how the cluster manager was meanwhile, without which nobody hears anybody. */
    private static final class Wait {
        private final long beganNanos = System.nanoTime();
        private long lookedNanos = beganNanos;
        /** Since when it has had all who live, and answered them. */
        private long togetherNanos = beganNanos;

        private long splitNanos;
        private long silentNanos;
        /** The longest that it had all at a stretch, and something was not right yet. */
        private long oursNanos;

        void looked(boolean split, boolean silent) {
            long now = System.nanoTime();
            if (split || silent) {
                splitNanos += split ? now - lookedNanos : 0;
                silentNanos += silent ? now - lookedNanos : 0;
                togetherNanos = now;
            } else {
                oursNanos = Math.max(oursNanos, now - togetherNanos);
            }
            lookedNanos = now;
        }

        Took took() {
            return new Took(
                    (lookedNanos - beganNanos) / 1_000_000,
                    oursNanos / 1_000_000,
                    splitNanos / 1_000_000,
                    silentNanos / 1_000_000);
        }
    }

    /**
     * How long it was until all was right.
     *
     * @param millis all in all
     * @param ours the longest of it, at a stretch, for which the cluster manager had all
     * @param split for how long it took one of those who live, and can hear each other, for gone
     * @param silent for how long it answered one of them nothing
     */
    private record Took(long millis, long ours, long split, long silent) {
        Took slower(Took other) {
            return millis >= other.millis ? this : other;
        }

        @Override
        public String toString() {
            return millis + " ms, of these " + ours + " ms at a stretch while the cluster manager had all, " + split
                    + " ms while it was split and " + silent + " ms while it was silent";
        }
    }

    /** How many faults of a kind there were, and how long they took with all that was looked at. */
    private record Spent(int times, long millis) {
        Spent plus(Spent other) {
            return new Spent(times + other.times, millis + other.millis);
        }
    }

    /**
     * Makes one.
     *
     * @param patience after which nothing is waited for any more where the cluster manager has all
     * @param soon how long after the cluster manager has all everything has to be right, and how old may be what a stream
     *     tells of a node that it calls up
     */
    FaultRun(FaultPlan plan, Fleet fleet, Duration patience, Duration soon) {
        this.plan = plan;
        this.fleet = fleet;
        this.patienceNanos = patience.toNanos();
        this.soonMillis = soon.toMillis();
    }

    /** Does all of the plan. */
    void run() {
        run(Duration.ofDays(1));
    }

    /** Does the plan as far as it comes; no fault begins when this is over. */
    void run(Duration most) {
        long end = System.nanoTime() + most.toNanos();
        proven(() -> {
            settle("at the start");
            int number = 0;
            for (Fault fault : plan.faults()) {
                if (System.nanoTime() > end) {
                    System.out.println("the time is over");
                    return;
                }
                now = "fault " + ++number + ": " + fault;
                long began = System.nanoTime();
                tellAll("load");
                workQuietly();
                meet(fault);
                Spent here = new Spent(1, (System.nanoTime() - began) / 1_000_000);
                spent.merge(fault.kind(), here, Spent::plus);
                System.out.println(now + ": over after " + here.millis + " ms");
            }
        });
    }

    /**
     * Replaces these nodes, one after the other, each by another life of its alias, while all are at work: none of those that stay
     * may leave a question unanswered, and in the end all is right.
     */
    void rollingRestart(List<Member> members) {
        proven(() -> {
            settle("at the start");
            strict = true;
            for (Member former : members) {
                now = "the restart of " + former;
                tellAll("load");
                workQuietly();
                CompletableFuture<?> gone = fleet.leave(former);
                while (!gone.isDone()) {
                    work(LOOK_MILLIS);
                }
                gone.join();
                fleet.kill(former);
                Member young = fleet.begin(former.alias(), former.place());
                while (!young.jvm().isReady()) {
                    work(LOOK_MILLIS);
                }
                fleet.await(young);
                work(AT_WORK_MILLIS);
                settle("a node was replaced");
                nobodyWasCalledSilent();
            }
        });
    }

    /** Whatever ends these steps, a node that died and a command of the machine that failed too, tells how to do it again. */
    private void proven(Runnable steps) {
        try {
            steps.run();
            now = "the end";
            if (!wrongs.isEmpty()) {
                throw failure(wrongs.size() + " times something was not as it is promised:\n  "
                        + String.join("\n  ", wrongs.values()));
            }
        } catch (RuntimeException | Error e) {
            StringBuilder text = new StringBuilder(now).append(": ").append(e.getMessage());
            text.append("\nagain: ")
                    .append(plan.replay())
                    .append(" --manager ")
                    .append(fleet.manager().name().toLowerCase(Locale.ROOT))
                    .append("\nthe plan, of seed ")
                    .append(plan.seed());
            plan.faults().forEach(fault -> text.append("\n  ").append(fault));
            throw new AssertionError(text.toString(), e);
        }
    }

    /**
     * A stream passes by too fast for a look: of a newcomer it says for a moment what it says. Who only watches has nothing in the part
     * that the others follow, so that there nothing but its hellos says that it lives; on a busy machine these may be late. Who was not
     * let run by the machine was silent, or heard nobody, and so was everybody while the cluster manager was.
     */
    private void nobodyWasCalledSilent() {
        Map<Member, JsonObject> all = tellAll("view");
        all.forEach((viewer, seen) -> {
            for (JsonObject told : list(seen, "views")) {
                Set<String> silent = everSilent(told);
                boolean ofAPart = told.getString("how").equals(FleetNode.BY_A_PART);
                for (Member member : fleet.living()) {
                    boolean expected =
                            !ofAPart || told.getJsonArray("ever_told").contains(member.incarnation());
                    if (expected && silent.contains(member.incarnation())) {
                        String said =
                                viewer + " has said of " + member + " that it is silent, " + told.getString("how");
                        List<JsonObject> excuses = new ArrayList<>(managerAway);
                        excuses.addAll(list(seen, "standstills"));
                        excuses.addAll(list(requireNonNull(all.get(member), "view"), "standstills"));
                        if (!isExcused(told, member.incarnation(), excuses)) {
                            throw failure(said + ", and it never was");
                        }
                        moments.merge(
                                said + ", when one of the two stood still or the cluster manager did", 1, Integer::sum);
                    }
                }
            }
        });
    }

    /** Whether each time just before a node was called silent something kept it from being heard, at one of these times. */
    static boolean isExcused(JsonObject told, String incarnation, List<JsonObject> times) {
        return list(told, "ever_silent").stream()
                .filter(silence -> silence.getString("incarnation").equals(incarnation))
                .mapToLong(silence -> silence.getLong("at_ms"))
                .allMatch(at -> times.stream()
                        .anyMatch(
                                time -> time.getLong("from_ms") <= at && time.getLong("to_ms") >= at - UNHEARD_MILLIS));
    }

    /** Whom a stream ever called silent, by incarnation; all was right before, so it has told something. */
    static Set<String> everSilent(JsonObject told) {
        if (!told.containsKey("ever_silent")) {
            throw failure("nothing was told " + told.getString("how"));
        }
        return list(told, "ever_silent").stream()
                .map(silence -> silence.getString("incarnation"))
                .collect(Collectors.toSet());
    }

    /** What was seen, for people. */
    List<String> figures() {
        List<String> lines = new ArrayList<>();
        slowest.forEach((what, took) -> lines.add("right after at most " + took + ": " + what));
        int faults = spent.values().stream().mapToInt(Spent::times).sum();
        lines.add(faults + " of " + plan.faults().size() + " faults of the plan were made");
        spent.forEach((kind, all) ->
                lines.add(all.times + " of " + faults + " faults took " + all.millis / 1_000 + " s in all: " + kind));
        streams.forEach((node, count) -> lines.add(node + " was told by " + count));
        lines.add("frames were missing in streams "
                + lostFrames.values().stream().mapToLong(Long::longValue).sum() + " times");
        moments.forEach((what, times) -> lines.add("for a moment, " + times + " times, of a node at peace: " + what));
        lines.addAll(late);
        wrongs.values().forEach(wrong -> lines.add("wrong: " + wrong));
        lines.add("late is what takes more than " + soonMillis
                + " ms, and wrong where the cluster manager had all for so long");
        lines.add(looks + " looks at views of all nodes");
        return lines;
    }

    // --- the faults

    private void meet(Fault fault) {
        Member target = fleet.at(fault.target());
        switch (fault.kind()) {
            case KILL_ONE -> {
                fleet.kill(target);
                settleUnder(fault);
                fleet.start(target.alias(), target.place());
            }
            case KILL_ALL_BUT_ONE -> {
                List<Member> others =
                        fleet.living().stream().filter(m -> m != target).toList();
                others.forEach(fleet::kill);
                settleUnder(fault);
                var unused = fleet.restart(others);
            }
            case RESTART -> {
                fleet.kill(target);
                fleet.start(target.alias(), target.place());
            }
            case PAUSE, LONG_PAUSE -> {
                long began = System.nanoTime();
                fleet.pause(target);
                settleUnder(fault);
                work(fault.millis() - (System.nanoTime() - began) / 1_000_000);
                readingSince.put(target.incarnation(), System.nanoTime());
                fleet.resume(target);
            }
            case DUPLICATE_ALIAS -> {
                Member second = fleet.start(target.alias(), fleet.sparePlace());
                conflict = true;
                settleUnder(fault);
                fleet.kill(second);
                settleAfter(fault);
                conflict = false;
            }
            case DUPLICATE_ALIAS_OLDER -> {
                Member second = fleet.start(target.alias(), fleet.sparePlace());
                conflict = true;
                settleUnder(fault);
                // Who lived beside another one is no former life of it (rules D4, D7).
                beside = target;
                fleet.kill(target);
                settle(fault.kind() + ", the older one is dead");
                conflict = false;
                fleet.kill(second);
                settle(fault.kind() + ", both are dead");
                beside = null;
                fleet.start(target.alias(), target.place());
            }
            case SLOW_READER -> {
                readingSince.put(target.incarnation(), Long.MAX_VALUE);
                tell(target, "read_nothing");
                work(fault.millis());
                tell(target, "read_on");
                readingSince.put(target.incarnation(), System.nanoTime());
            }
            case LOST_FRAMES -> {
                tell(target, "lose_frames");
                work(fault.millis());
            }
            case PARTITION -> {
                for (Member other : fleet.living()) {
                    if (other != target) {
                        fleet.cut(target.place(), other.place());
                        fleet.cut(other.place(), target.place());
                    }
                }
                settleUnder(fault);
                tellAll("load");
                work(fault.millis());
                fleet.heal();
            }
            case ONE_WAY_PARTITION -> {
                fleet.cut(target.place(), fault.other());
                work(fault.millis());
                fleet.heal();
            }
            case LINK_FLAP -> {
                for (int i = 0; i < 3; i++) {
                    fleet.network().pull(target.place());
                    work(fault.millis() / 10);
                    fleet.network().plug(target.place());
                    work(fault.millis() / 5);
                }
            }
            case PACKET_LOSS -> lose(target, fault.millis());
        }
        tellAll("load");
        work(AT_WORK_MILLIS);
        settleAfter(fault);
    }

    /** By cutting all ways for a third of the time: what is sent meanwhile is lost, as where a wire has a bad contact. */
    private void lose(Member target, int millis) {
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        while (System.nanoTime() < end) {
            for (Member other : fleet.living()) {
                if (other != target) {
                    fleet.network().cut(target.place(), other.place());
                    fleet.network().cut(other.place(), target.place());
                }
            }
            rest(100);
            fleet.network().heal();
            rest(200);
        }
    }

    // --- the looks

    /** Lets the fleet work, and looks that nobody says what is not so meanwhile. */
    private void work(long millis) {
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        do {
            look();
            rest(LOOK_MILLIS);
        } while (System.nanoTime() < end);
    }

    /** All was right, and nothing has been done to anybody since. */
    private void workQuietly() {
        quiet = true;
        doubts = new HashMap<>();
        work(AT_WORK_MILLIS);
        while (!doubts.isEmpty()) {
            rest(LOOK_MILLIS);
            look();
        }
        quiet = false;
    }

    private void settleUnder(Fault fault) {
        underFault = true;
        settle(fault.kind() + ", done");
        underFault = false;
    }

    private void settleAfter(Fault fault) {
        settle(fault.kind() + ", over");
    }

    /** Has the orders end, and waits until all that each node says is so. */
    private void settle(String what) {
        wait = new Wait();
        tellAll("calm");
        List<String> wrong = look();
        boolean isNoted = false;
        while (!wrong.isEmpty()) {
            Took until = wait.took();
            long since = Math.min(wait.togetherNanos, wait.beganNanos + MOST_OF_MANAGER_NANOS);
            if (System.nanoTime() - since > patienceNanos) {
                throw failure("after " + until + " (" + what + ") this is still not so: " + String.join("; ", wrong));
            }
            if (until.ours > soonMillis && !isNoted) {
                isNoted = true;
                note(what + ", after " + until, String.join("; ", wrong));
            }
            rest(LOOK_MILLIS);
            wrong = look();
        }
        Took took = wait.took();
        slowest.merge(what, took, Took::slower);
        if (took.millis > soonMillis) {
            late.add("late: " + now + ", " + what + ": right after " + took);
        }
        if (took.ours > soonMillis) {
            wrongs.put(now + what, now + ", " + what + ": right only after " + took);
            System.out.println("noted in " + now + ": right only after " + took);
        }
        for (Member viewer : fleet.moving()) {
            for (Member other : fleet.living()) {
                viewer.known().add(other.incarnation());
            }
        }
    }

    /** Asks each node, and looks at its stream; fails for what may never be, and gives what is not yet as it should be. */
    private List<String> look() {
        looks++;
        List<String> wrong = new ArrayList<>();
        Map<String, Truth> before = truths();
        Map<Member, CompletableFuture<JsonObject>> answers = new LinkedHashMap<>();
        for (Member viewer : fleet.moving()) {
            answers.put(viewer, viewer.jvm().asking(STATUS, null, strict ? ASK_STRICTLY_MILLIS : ASK_MILLIS));
        }
        Map<Member, View> asked = new LinkedHashMap<>();
        answers.forEach((viewer, answer) -> {
            JsonObject heard = heard(viewer, answer);
            JsonObject body = heard.getJsonObject("body");
            if (body == null) {
                String silence = viewer + " did not answer itself: " + heard.getString("failure");
                if (strict) {
                    throw failure(silence);
                }
                wrong.add(silence);
            } else {
                asked.put(viewer, View.asked(body));
            }
        });
        Map<Member, JsonObject> streamed = tellAll("view");
        Map<String, Truth> after = truths();
        boolean silent = after.values().stream().anyMatch(truth -> truth.managerSilentMillis() > SILENT_MILLIS);
        boolean split = isSplit(after);
        wait.looked(split, silent);
        noteManager(split, after);
        boolean atPeace = quiet && !conflict && !silent;
        Map<String, Long> former = doubts;
        doubts = new HashMap<>();
        asked.forEach((viewer, view) -> {
            never(viewer, view, ASKED);
            bounds(viewer, view, before, after);
            if (atPeace) {
                untouched(viewer, view, ASKED, before, after, former);
            }
            wrong.addAll(notYet(viewer, view, ASKED, after));
        });
        streamed.forEach((viewer, seen) -> {
            streams.put(
                    viewer.toString(),
                    seen.getInteger("streams") + " streams, which began anew " + seen.getLong("restarts") + " times");
            gaps(viewer, seen);
            for (JsonObject told : list(seen, "views")) {
                String how = told.getString("how");
                if (!told.containsKey("rows")) {
                    wrong.add(viewer + " has seen nothing " + how);
                    continue;
                }
                View view = View.streamed(told);
                never(viewer, view, how);
                recent(viewer, view, how, after);
                if (atPeace) {
                    untouched(viewer, view, how, before, after, former);
                }
                wrong.addAll(notYet(viewer, view, how, after));
            }
        });
        return wrong;
    }

    /** Keeps when the cluster manager had not all, or answered one of them nothing, by the clock of {@link Follower}. */
    private void noteManager(boolean split, Map<String, Truth> truths) {
        long now = System.nanoTime() / 1_000_000;
        long silentMillis = truths.values().stream()
                .mapToLong(Truth::managerSilentMillis)
                .max()
                .orElse(0);
        long since = Math.max(silentMillis > SILENT_MILLIS ? silentMillis : 0, split ? now - lookedMillis : 0);
        if (since > 0) {
            managerAway.add(new JsonObject().put("from_ms", now - since).put("to_ms", now));
        }
        lookedMillis = now;
    }

    /** What a node knows of itself, and whom the cluster manager takes for members there. */
    private record Truth(long served, String id, List<String> members, long managerSilentMillis) {}

    private Map<String, Truth> truths() {
        Map<String, Truth> truths = new HashMap<>();
        tellAll("truth").forEach((member, truth) -> {
            counted.computeIfAbsent(member.incarnation(), incarnation -> new ArrayDeque<>())
                    .addLast(new Counted(System.nanoTime(), truth.getLong("served")));
            List<String> members = truth.getJsonArray("members").stream()
                    .map(String.class::cast)
                    .toList();
            truths.put(
                    member.incarnation(),
                    new Truth(
                            truth.getLong("served"),
                            truth.getString("member"),
                            members,
                            truth.getLong("manager_silent_millis")));
        });
        return truths;
    }

    /** Whether the cluster manager takes one for gone whom another one can hear. */
    private boolean isSplit(Map<String, Truth> truths) {
        List<Member> all = fleet.moving();
        return all.stream()
                .anyMatch(one -> all.stream()
                        .anyMatch(other -> one != other
                                && fleet.isJoined(one, other)
                                && !isOneCluster(truths.get(one.incarnation()), truths.get(other.incarnation()))));
    }

    /** Whether the cluster manager takes each of the two for a member where the other is: otherwise there is no bus. */
    private static boolean isOneCluster(@Nullable Truth one, @Nullable Truth other) {
        return one != null
                && other != null
                && one.members().contains(other.id())
                && other.members().contains(one.id());
    }

    /** What no view may ever say, whatever happens. */
    private void never(Member viewer, View view, String how) {
        long sum = 0;
        for (Row row : view.rows()) {
            String where = viewer + " says, " + how + ", of " + row + ": ";
            boolean silent = row.reason() == null || row.reason().isBlank();
            if (row.served() == null && silent) {
                throw failure(where + "it has neither a status nor a reason");
            }
            if (row.isSilent() && row.served() != null) {
                throw failure(where + "it is silent and has a status");
            }
            if (row.deadlock()) {
                throw failure(where + "it warns of a deadlock, and nobody holds anything");
            }
            if (row.state().equals("CONFLICT") && !conflict) {
                throw failure(where + "nobody shares an alias");
            }
            if (row.served() != null) {
                sum += row.served();
                Long least = atLeast.put(viewer.incarnation() + how + row.incarnation(), row.served());
                if (least != null && row.served() < least) {
                    String back = where + "it said " + least + " before";
                    if (how.equals(ASKED)) {
                        throw failure(back);
                    }
                    wrong(now + viewer + how + " back " + row.incarnation(), back);
                }
            }
        }
        if (view.total() != sum) {
            throw failure(viewer + " says, " + how + ", that the total is " + view.total() + ", and the rows add up to "
                    + sum + ": " + view);
        }
        if (view.complete() != view.rows().stream().noneMatch(row -> row.served() == null)) {
            throw failure(viewer + " says, " + how + ", that its view is complete, or not: " + view);
        }
        for (Member member : fleet.members()) {
            if (view.isOf(member.alias())
                    && viewer.known().contains(member.incarnation())
                    && view.of(member.incarnation()) == null
                    && !hasNewLife(view, member)) {
                throw failure(viewer + " says, " + how + ", nothing of " + member + ", which it knew: " + view);
            }
        }
    }

    /** What may not be said of nodes to which nothing was done, where the cluster manager sees them all the time. */
    private void untouched(
            Member viewer,
            View view,
            String how,
            Map<String, Truth> before,
            Map<String, Truth> after,
            Map<String, Long> former) {
        for (Member member : fleet.moving()) {
            Row row = view.of(member.incarnation());
            boolean together = isOneCluster(before.get(viewer.incarnation()), before.get(member.incarnation()))
                    && isOneCluster(after.get(viewer.incarnation()), after.get(member.incarnation()));
            // A machine that is busy may keep a node from answering in time, and that is what is said of it then.
            boolean late = row != null && row.reason() != null && row.reason().startsWith("no answer within");
            if (row == null || !together || late || row.state().equals("UP")) {
                continue;
            }
            String doubt = viewer + how + member;
            Long since = former.get(doubt);
            doubts.put(doubt, since == null ? System.nanoTime() : since);
            if (since == null) {
                moments.merge(how + " " + row.state() + ", " + row.reason(), 1, Integer::sum);
            } else if (System.nanoTime() - since > MOMENT_NANOS) {
                throw failure(viewer + " says, " + how + ", of " + row + ": nothing was done to it");
            }
        }
    }

    /** What a stream tells of a node that it calls up is of the last seconds, and of nothing that is not yet. */
    private void recent(Member viewer, View view, String how, Map<String, Truth> after) {
        long nanos = System.nanoTime();
        long old = nanos - TimeUnit.MILLISECONDS.toNanos(soonMillis);
        Long since = readingSince.get(viewer.incarnation());
        boolean reads = since == null || since < old;
        for (Row row : view.rows()) {
            ArrayDeque<Counted> counts = counted.get(row.incarnation());
            if (row.served() == null || counts == null) {
                continue;
            }
            String told = viewer + " says, " + how + ", of " + row + ": ";
            Truth most = after.get(row.incarnation());
            // The node may have counted by the library, and not yet beside it.
            if (most != null && row.served() > most.served() + 1) {
                wrong(
                        now + viewer + how + " too much " + row.incarnation(),
                        told + "it has served " + most.served() + " only");
            }
            Counted least = null;
            while (!counts.isEmpty() && counts.getFirst().nanos < old) {
                least = counts.removeFirst();
            }
            if (least == null) {
                continue;
            }
            // All viewers have to find it.
            counts.addFirst(least);
            String pair = viewer.incarnation() + how + row.incarnation();
            if (!reads || !row.state().equals("UP") || row.served() >= least.served) {
                oldSince.remove(pair);
                continue;
            }
            Long first = oldSince.putIfAbsent(pair, nanos);
            if (first == null) {
                moments.merge(how + " UP, by a status of more than " + soonMillis + " ms ago", 1, Integer::sum);
            } else if (nanos - first > MOMENT_NANOS) {
                wrong(
                        now + viewer + how + " old " + row.incarnation(),
                        told + "it had served " + least.served + " " + (nanos - least.nanos) / 1_000_000
                                + " ms ago already");
            }
        }
    }

    /** A stream in which frames were missing begins anew, and does not just go on. */
    private void gaps(Member viewer, JsonObject seen) {
        lostFrames.put(viewer.toString(), seen.getLong("gaps"));
        if (seen.getLong("gap_millis") > soonMillis) {
            wrong(
                    viewer + " gap",
                    viewer + " gets frames of a stream in which some were missing " + seen.getLong("gap_millis")
                            + " ms ago, and which has not begun anew");
        }
    }

    /** Whether a later life of its alias is listed, which takes its place (rule D3). */
    private boolean hasNewLife(View view, Member member) {
        return member != beside
                && view.rows().stream()
                        .anyMatch(row -> row.alias().equals(member.alias())
                                && row.incarnation().compareTo(member.incarnation()) > 0);
    }

    /** An answer is of now: its numbers are between those of before and after. */
    private void bounds(Member viewer, View view, Map<String, Truth> before, Map<String, Truth> after) {
        for (Row row : view.rows()) {
            Truth least = before.get(row.incarnation());
            Truth most = after.get(row.incarnation());
            if (row.served() != null && least != null && most != null) {
                // The node may have counted by the library, and not yet beside it.
                if (row.served() < least.served() || row.served() > most.served() + 1) {
                    throw failure(viewer + " says of " + row + ", which served from " + least + " to " + most);
                }
            }
        }
    }

    /** What a view has to say when things are quiet, and does not. */
    private List<String> notYet(Member viewer, View view, String how, Map<String, Truth> truths) {
        List<String> wrong = new ArrayList<>();
        for (Member member : fleet.members()) {
            if (!view.isOf(member.alias())) {
                continue;
            }
            Row row = view.of(member.incarnation());
            String problem =
                    member.isDead() ? ofDead(viewer, view, row, member) : ofLiving(viewer, row, member, truths);
            if (problem != null) {
                wrong.add(viewer + " says, " + how + ", of " + member + " " + row + ": " + problem);
            }
        }
        return wrong;
    }

    private @Nullable String ofDead(Member viewer, View view, @Nullable Row row, Member member) {
        boolean replaced = member != beside
                && fleet.living().stream()
                        .anyMatch(other -> other.alias().equals(member.alias())
                                && other.incarnation().compareTo(member.incarnation()) > 0
                                && !other.isPaused()
                                && fleet.isJoined(viewer, other));
        if (row == null) {
            return !replaced && viewer.known().contains(member.incarnation()) && !hasNewLife(view, member)
                    ? "it was killed, and has no row"
                    : null;
        }
        if (replaced) {
            return "its alias has a new life";
        }
        return row.isSilent() ? null : "it was killed";
    }

    private @Nullable String ofLiving(Member viewer, @Nullable Row row, Member member, Map<String, Truth> truths) {
        if (row == null) {
            return "it lives";
        }
        if (member.isPaused() || !fleet.isJoined(viewer, member)) {
            return row.isSilent() ? null : "it cannot be heard";
        }
        boolean shared = fleet.living().stream()
                .anyMatch(other -> other != member && other.alias().equals(member.alias()));
        boolean split = !isOneCluster(truths.get(viewer.incarnation()), truths.get(member.incarnation()));
        if (split && underFault && row.isSilent()) {
            return null;
        }
        String expected = shared ? "CONFLICT" : "UP";
        if (!row.state().equals(expected)) {
            return "it is " + expected + (split ? ", but the cluster manager has forgotten one of the two" : "");
        }
        Truth truth = truths.get(member.incarnation());
        if (truth == null
                || Objects.equals(truth.served(), row.served())
                || (truth.served() == 0 && hasNoSuchPart(row))) {
            return null;
        }
        return "it has served " + truth.served();
    }

    /** A node that only watches has nothing where the others serve, and says so to who follows that part. */
    private static boolean hasNoSuchPart(Row row) {
        return row.served() == null && row.reason() != null && row.reason().startsWith("nothing is open at ");
    }

    // --- the pieces

    @CanIgnoreReturnValue
    private Map<Member, JsonObject> tellAll(String what) {
        Map<Member, CompletableFuture<JsonObject>> told = new LinkedHashMap<>();
        for (Member member : fleet.moving()) {
            told.put(member, member.jvm().telling(new JsonObject().put("do", what)));
        }
        Map<Member, JsonObject> answers = new LinkedHashMap<>();
        told.forEach((member, answer) -> {
            JsonObject done = heard(member, answer);
            if (done.containsKey("failure")) {
                throw failure(member + " cannot do this (" + what + "): " + done.getString("failure"));
            }
            answers.put(member, done);
        });
        return answers;
    }

    private static JsonObject heard(Member member, CompletableFuture<JsonObject> answer) {
        try {
            return answer.join();
        } catch (CompletionException e) {
            throw new AssertionError(member + " does not answer: " + e.getCause(), e);
        }
    }

    private static void tell(Member member, String what) {
        var unused = member.jvm().command(new JsonObject().put("do", what));
    }

    /** How long a fault lasts, and how often is looked, is what is tested here: nothing could be waited for instead. */
    private static void rest(long millis) {
        try {
            TimeUnit.MILLISECONDS.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }

    private static AssertionError failure(String what) {
        return new AssertionError(what);
    }

    /** Fails the plan when all of it was done; what was said by the same key is not said again. */
    private void wrong(String key, String what) {
        if (wrongs.putIfAbsent(key, now + ": " + what) == null) {
            note("not as it is promised", what);
        }
    }

    /** Keeps what all nodes were at just then, once a fault. */
    private void note(String when, String what) {
        System.out.println("noted in " + now + ", " + when + ": " + what);
        if (!noted.equals(now)) {
            noted = now;
            System.out.println(fleet.output());
            System.out.println("--- end of what was noted in " + now);
        }
    }
}
