package com.fastn.verification.cluster;

import static com.fastn.verification.cluster.Scene.ME;

import com.google.errorprone.annotations.Immutable;
import java.util.regex.Pattern;

/** What a context can be stuck behind, on its own node, and what the first line of the explanation then has to say. */
enum Root {
    FORGOTTEN_GUARD("settle-N@NODE: no sign of life for .*, and holds mutex \"orders-N\"", scene -> {
        scene.takes("settle", "orders");
        scene.wants(ME, "orders");
    }),
    LEAKED_GUARD("settle-N@NODE: has ended, and never gave back mutex \"orders-N\"", scene -> {
        scene.takes("settle", "orders");
        scene.wants(ME, "orders");
        scene.ends("settle");
    }),
    SLOW_QUERY_OF_THE_HOLDER("settle-N@NODE: inside of \"db-query\"", scene -> {
        scene.takes("settle", "orders");
        scene.inside("settle", "db-query");
        scene.wants(ME, "orders");
        scene.wants("req2", "orders");
    }),
    RING_OF_LOCKS("(first|second|third)-N@NODE: deadlock: ", scene -> {
        scene.ring("first", "second", "third");
        scene.wants(ME, "first");
    }),
    RING_OF_RAW_GUARDS("(first|second)-N@NODE: suspected deadlock: ", scene -> {
        scene.takes("first", "m");
        scene.takes("second", "n");
        scene.wants("first", "n");
        scene.wants("second", "m");
        scene.wants(ME, "m");
    }),
    CANCELLED_HOLDER_THAT_IGNORES_IT("settle-N@NODE: was asked to stop \\(the shop closes\\) and has not", scene -> {
        scene.takes("settle", "orders");
        scene.cancelled("settle", "the shop closes");
        scene.wants(ME, "orders");
    }),
    CANCELLED_HOLDER_IN_ITS_QUERY(
            "settle-N@NODE: was asked to stop \\(enough\\) and has not: inside of \"db-query\"", scene -> {
                scene.takes("settle", "orders");
                scene.inside("settle", "db-query");
                scene.cancelled("settle", "enough");
                scene.wants(ME, "orders");
            }),
    WRITER_STARVED_BY_A_LEAKED_READER("report-N@NODE: has ended, and never gave back rwlock \"table-N\"", scene -> {
        scene.reads("report", "table");
        scene.writes(ME, "table");
        scene.ends("report");
    }),
    READER_BEHIND_A_WRITER_BEHIND_A_READER("report-N@NODE: inside of \"scan\"", scene -> {
        scene.reads("report", "table");
        scene.inside("report", "scan");
        scene.writes("writer", "table");
        scene.reads(ME, "table");
    }),
    LOST_PERMITS(
            "batch-N@NODE: has ended, and never gave back 2 of 2 permits of semaphore \"connections-N\"", scene -> {
                scene.permits("batch", "connections", 2);
                scene.permits(ME, "connections", 1);
                scene.ends("batch");
            }),
    LARGE_REQUEST_AT_THE_HEAD("busy-N@NODE: inside of \"upload\"", scene -> {
        scene.permits("busy", "connections", 1);
        scene.inside("busy", "upload");
        scene.permits("large", "connections", 2);
        scene.permits(ME, "connections", 1);
    }),
    KNOT_OF_PERMITS("(first|second)-N@NODE: deadlock: .* permits of semaphore \"connections-N\"", scene -> {
        scene.knot("connections", "first", "second");
        scene.permits(ME, "connections", 1);
    }),
    CHAIN_OF_THREE_LOCKS("first-N@NODE: inside of \"fsync\"", scene -> {
        scene.takes("first", "m1");
        scene.inside("first", "fsync");
        scene.takes("second", "m2");
        scene.wants("second", "m1");
        scene.takes("third", "m3");
        scene.wants("third", "m2");
        scene.wants(ME, "m3");
    }),
    HOLDER_WHOSE_CHILD_IS_SLOW("settle-N/load-N@NODE: inside of \"db-query\"", scene -> {
        scene.takes("settle", "orders");
        scene.insideOfChild("settle", "load", "db-query");
        scene.wants(ME, "orders");
    }),
    HOLDER_ON_A_THREAD("settle-N@NODE: runs on a thread", scene -> {
        scene.takes("settle", "orders");
        scene.computes("settle");
        scene.wants(ME, "orders");
    }),
    THREAD_IN_ONE_LOCK_WITH_ANOTHER("idle-N@NODE: no sign of life for .*, and holds mutex \"inner-N\"", scene -> {
        scene.takes("idle", "inner");
        scene.takes("settle", "orders");
        scene.blocksIn("settle", "inner");
        scene.wants(ME, "orders");
    }),
    SLOW_QUERY_WITHOUT_A_LOCK("ME@NODE: inside of \"db-query\"", scene -> scene.inside(ME, "db-query")),
    NOTHING_AT_ALL("ME@NODE: no sign of life for ", scene -> {}),
    BLOCKED_EVENT_LOOP(
            "ME@NODE: (event loop blocked|its event loop \\S+ is blocked for) .* at Scene.java:\\d+",
            Scene::blocksItsLoop),
    FULL_POOL_OF_SLOW_TASKS("(\\S+/)?slow\\d-N@NODE: inside of \"resize\"", scene -> {
        scene.fillsWorkers("slow", "resize");
        scene.wantsWorker(ME, "job");
    }),
    FULL_POOL_THAT_WAITS_FOR_ITS_QUEUE(".*-N@NODE: the pool is full of those that wait for each other: ", scene -> {
        scene.takes("settle", "orders");
        scene.fillsWorkersThatBlockIn("w", "orders");
        scene.wantsWorker("settle", "job");
        scene.wants(ME, "orders");
    });

    private final String firstLine;
    private final Planting planting;

    Root(String firstLine, Planting planting) {
        this.firstLine = firstLine;
        this.planting = planting;
    }

    void plant(Scene scene) {
        planting.plant(scene);
    }

    /**
     * How the first line has to begin.
     *
     * @param number the number of the scenario
     * @param node where the root is
     * @param stuck what the context is called there that is stuck behind it, as a pattern
     */
    Pattern firstLine(long number, String node, String stuck) {
        return Pattern.compile(
                firstLine.replace("ME", stuck).replace("NODE", node).replace("-N", "-" + number), Pattern.DOTALL);
    }

    /** Whether it takes all of a node that there is one of, so that for seconds nothing else can be tried there. */
    boolean isLongToShow() {
        return this == BLOCKED_EVENT_LOOP
                || this == FULL_POOL_OF_SLOW_TASKS
                || this == FULL_POOL_THAT_WAITS_FOR_ITS_QUEUE;
    }

    @Immutable
    private interface Planting {
        void plant(Scene scene);
    }
}
