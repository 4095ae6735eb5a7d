package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Who holds up whom on one node, of those who may be part of a circle of waits: what deadlocks of a cluster are found in.
 *
 * <p>Each hold and each wait has a number. It belongs to that one hold or wait from its beginning to its end, and to no other
 * in the life of the node: so one that has the same number in two readings was there all the time between them. Who holds a
 * lock and who waits for it is of one instant; several locks are not.
 *
 * @param node which node
 * @param resources what is held or wanted
 * @param contexts those who hold and wait
 * @param cut whether some resources or contexts were left out because there were too many
 * @param sharedHeld the keys of all locks of the cluster that contexts of this node hold, also of those that nobody waits for: who
 *     holds one and goes on is part of no circle, but that he holds it keeps others from being part of one. It is {@code null}
 *     where not all are told
 */
public record NodeWaits(
        NodeIdentity node,
        List<Resource> resources,
        List<Member> contexts,
        boolean cut,
        @Nullable List<String> sharedHeld) {
    /** Copies the lists. */
    public NodeWaits {
        requireNonNull(node, "node");
        resources = List.copyOf(resources);
        contexts = List.copyOf(contexts);
        sharedHeld = sharedHeld == null ? null : List.copyOf(sharedHeld);
    }

    /** What contexts hold and wait for. */
    public enum Kind {
        /** A lock of the node. */
        LOCK,
        /** A lock of the whole cluster, which one context of one node has. */
        SHARED,
        /** A reply on the event bus: the one who asked waits for it, the one who works on it holds it. */
        REPLY
    }

    /**
     * Something that contexts hold and wait for.
     *
     * @param kind what it is
     * @param key tells it from others of its kind: on its node, or in the whole cluster for what is shared and for replies
     * @param name as the status calls it
     * @param lockId the lock's id on its node; 0 for a reply and for a lock of the cluster
     * @param type the kind of lock
     * @param units how many can be held: 1, the permits of a semaphore, or as many as there can be readers
     * @param holds who has some
     * @param waits who wants some, the first in front
     */
    public record Resource(
            Kind kind,
            String key,
            String name,
            long lockId,
            LockType type,
            long units,
            List<Hold> holds,
            List<Wait> waits) {
        /** Copies the lists. */
        public Resource {
            requireNonNull(kind, "kind");
            requireNonNull(key, "key");
            requireNonNull(name, "name");
            requireNonNull(type, "type");
            holds = List.copyOf(holds);
            waits = List.copyOf(waits);
        }
    }

    /**
     * Units that a context has.
     *
     * @param number tells it from all other holds of this node
     * @param contextId who has them
     * @param units how many
     * @param held since when
     * @param scoped whether the end of a piece of work gives them back, and nothing else does
     */
    public record Hold(long number, long contextId, long units, Duration held, boolean scoped) {
        /** Checks that all parts are there. */
        public Hold {
            requireNonNull(held, "held");
        }
    }

    /**
     * A context that wants units.
     *
     * @param number tells it from all other waits of this node
     * @param contextId who wants them
     * @param units how many
     * @param waited since when
     * @param timesOutIn when the wait ends by itself, or {@code null} when it does not or nobody knows
     * @param inside the numbers of the holds that provably last as long as this wait
     */
    public record Wait(
            long number,
            long contextId,
            long units,
            Duration waited,
            @Nullable Duration timesOutIn,
            List<Long> inside) {
        /** Copies the list. */
        public Wait {
            requireNonNull(waited, "waited");
            inside = List.copyOf(inside);
        }
    }

    /**
     * A context that holds or waits.
     *
     * @param contextId its id
     * @param path its path in dotted form
     * @param label its name for people
     * @param shortName its shortest unambiguous name among these
     * @param oneBranch whether it may be thought of as one that does one thing at a time, so that it holds what it has while
     *     it waits
     */
    public record Member(long contextId, String path, String label, String shortName, boolean oneBranch) {
        /** Checks that all parts are there. */
        public Member {
            requireNonNull(path, "path");
            requireNonNull(label, "label");
            requireNonNull(shortName, "shortName");
        }
    }

    /**
     * {@return whether a circle of waits that leads over other nodes may go through this one, by what it knows itself} It does
     * where somebody waits for another node, for long enough, and holds something.
     *
     * @param least how long
     */
    public boolean mayBeInACircle(Duration least) {
        return resources.stream()
                .filter(resource -> resource.kind() != Kind.LOCK)
                .flatMap(resource -> resource.waits().stream())
                .anyMatch(wait -> wait.waited().compareTo(least) >= 0);
    }
}
