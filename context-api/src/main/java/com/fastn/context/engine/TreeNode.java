package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;

import com.fastn.context.Registration;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.ContextState;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicLongFieldUpdater;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The place of a context in the tree: its parent, the lists of its children, whether it is open, and whether it was
 * cancelled. What a context does there, and who is told of it, is in {@link ContextNode}; what many threads may do to the
 * shape of the tree at once is decided here.
 */
abstract class TreeNode extends ChildList {
    /*
     * Invariants
     *   1. A child is created after its parent and never moves.
     *   2. A linked child of a cancelled node is cancelled, or its cancellation is under way in the thread that cancels
     *      (rule C1): whoever links looks for the mark inside of a list's monitor, and whoever marks goes through each
     *      list afterwards; so either the mark is seen, or the child is found.
     *   3. A closed node has no children and is linked nowhere. A closing node has at least one child, or is about to be
     *      closed by the thread that found it childless.
     *
     * Children are linked in the node itself, which is a list. Once two threads meet there, the node gets more lists, its
     * stripes, and children that come later are linked in the stripe of the thread that opens them. A node that has
     * stripes stops to take children before it looks whether it has any, so that each list only empties meanwhile.
     *
     * Lock order: parent before child; by 1 this is the order of creation, so it cannot form a cycle (rule C2). No two
     * monitors of nodes are held at once today. Inside a node's monitor those of its stripes may be taken, in their
     * order, and inside of these that of its extras; never the other way. No user code is called and no event is told
     * while one is held.
     *
     *   ACTIVE --close()--> CLOSED            when it has no children
     *   ACTIVE --close()--> CLOSING --last child closed--> CLOSED
     */
    static final Comparator<TreeNode> OLDEST_FIRST = Comparator.comparingLong(
                    (TreeNode node) -> node.createdNanos - node.runtime.startNanos())
            .thenComparingLong(TreeNode::id);
    /** Found by a mark: the node was neither cancelled nor closed before. */
    static final int MARKED = 1;
    /** Found by a mark: there may be children. */
    static final int HAS_CHILDREN = 2;
    /** Found at the end: there are no children, so the node is closed. */
    static final int IS_CLOSED = 1;
    /** Found at the end: more has to end than the node itself. */
    static final int HAS_MORE = 2;
    /** Found at the end: it had begun before, or something is under way that is waited for. */
    static final int NOT_NOW = 4;
    /** Found at the end: of what has to end more nobody else comes to any part, so it needs no monitor. */
    static final int SETTLED = 8;

    private static final Logger LOG = LoggerFactory.getLogger("com.fastn.context");
    private static final AtomicLongFieldUpdater<TreeNode> ENDED =
            AtomicLongFieldUpdater.newUpdater(TreeNode.class, "endedNanos");
    private static final VarHandle MARKS;
    private static final VarHandle LIFE;
    private static final VarHandle EXTRAS;
    private static final byte ACTIVE = 0;
    private static final byte CLOSING = 1;
    private static final byte CLOSED = 2;
    // Long enough to be cheap per child, short enough not to hold up whoever opens and closes beside a walk.
    private static final int BATCH = 256;
    private static final int INSIDE = 1;
    private static final int BORN_CANCELLED = 2;
    private static final int LIST_SHIFT = 2;

    private final EngineRuntime runtime;
    private final @Nullable ContextNode parent;
    private final long id;
    private final long createdNanos;
    private final int depth;

    // Null; a label, of a context that has nothing else; or NodeExtras.
    private volatile @Nullable Object extras;

    // Written under this node's monitor. No value is given here, as the first one of a volatile field costs a fence.
    private volatile byte life;
    private volatile @Nullable CancelReason cancelReason;
    // Written before the life that it belongs to.
    private volatile long endedNanos;

    // Whether somebody walks the children in batches, or waits for the last of them to leave. Written under the monitor
    // of the extras.
    private volatile boolean watched;

    // The number of the parent's list that this is linked in, written once before that; and in the lowest bit whether a
    // thread is at this moment inside of this node's own list.
    private byte marks;

    // Guarded by the monitor of the parent's list.
    @Nullable
    ContextNode previousSibling;

    @Nullable
    ContextNode nextSibling;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            MARKS = lookup.findVarHandle(TreeNode.class, "marks", byte.class);
            EXTRAS = lookup.findVarHandle(TreeNode.class, "extras", Object.class);
            LIFE = lookup.findVarHandle(TreeNode.class, "life", byte.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    TreeNode(EngineRuntime runtime, @Nullable ContextNode parent) {
        this.runtime = runtime;
        this.parent = parent;
        this.depth = parent == null ? 0 : parent.depth() + 1;
        this.id = runtime.nextContextId(parent);
        this.createdNanos = runtime.nanos();
    }

    // --- who and when

    public final long id() {
        return id;
    }

    public final EngineRuntime runtime() {
        return runtime;
    }

    public final @Nullable ContextNode parent() {
        return parent;
    }

    /** How many ancestors there are. */
    final int depth() {
        return depth;
    }

    final long createdNanos() {
        return createdNanos;
    }

    /** When this closed; of one that closes when that began; of one that is open nothing of use. */
    final long endedNanos() {
        return endedNanos;
    }

    public final ContextState state() {
        return switch (life) {
            case ACTIVE -> ContextState.ACTIVE;
            case CLOSING -> ContextState.CLOSING;
            default -> ContextState.CLOSED;
        };
    }

    /** {@return whether this context is gone from the tree} */
    public final boolean isClosed() {
        return life == CLOSED;
    }

    public final @Nullable CancelReason cancelReason() {
        return cancelReason;
    }

    public final boolean isCancelled() {
        return cancelReason != null;
    }

    // --- what only some have

    final @Nullable NodeExtras extrasOrNull() {
        return extras instanceof NodeExtras x ? x : null;
    }

    final NodeExtras extras() {
        return extras instanceof NodeExtras x ? x : makeExtras();
    }

    private synchronized NodeExtras makeExtras() {
        while (true) {
            Object known = extras;
            if (known instanceof NodeExtras x) {
                return x;
            }
            NodeExtras x = new NodeExtras();
            x.label = (String) known;
            x.ended = life != ACTIVE;
            // One atomic step besides the monitor, which is for the life: what is there is never overwritten.
            if (EXTRAS.compareAndSet(this, known, x)) {
                return x;
            }
        }
    }

    /** Sets what a builder was told, before anybody else sees this node. */
    final void describe(NodeExtras described) {
        EXTRAS.setRelease(this, described);
    }

    /** The same of one that has a label and nothing else, as most of those that are described. */
    final void describe(String label) {
        EXTRAS.setRelease(this, label);
    }

    final @Nullable String labelOrNull() {
        Object known = extras;
        return known instanceof NodeExtras x ? x.label : (String) known;
    }

    // --- children

    /** {@return whether there was a place for the child; there is none in a context that ends or has ended} */
    final boolean link(ContextNode child) {
        // Parent before child (rule C2). Not asked at the end of a child, whose monitor the application may hold.
        assert !Thread.holdsLock(child) : "rule C2: the monitor of a child is held where that of its parent is wanted";
        ChildList[] stripes = stripes();
        if (stripes != null) {
            int mine = ChildList.Stripe.mine();
            return link(child, stripes[mine], mine + 1);
        }
        boolean crowded = isCrowded();
        boolean linked;
        synchronized (this) {
            crowded(true);
            linked = link(child, this, 0);
            crowded(false);
        }
        if (crowded) {
            spread();
        }
        return linked;
    }

    private boolean link(ContextNode child, ChildList list, int number) {
        synchronized (list) {
            if (life != ACTIVE) {
                return false;
            }
            child.placeIn(number, cancelReason);
            list.append(child);
            return true;
        }
    }

    /** Nobody sees it yet: under a cancelled parent it is born cancelled, never alive (rule C1). */
    final void placeIn(int number, @Nullable CancelReason parentsReason) {
        if (parentsReason != null) {
            cancelReason = fromParent(parentsReason);
        }
        marks = (byte) (number << LIST_SHIFT | (parentsReason != null ? BORN_CANCELLED : 0));
    }

    /** The number of the parent's list that this is linked in. */
    final int listNumber() {
        return marks >> LIST_SHIFT;
    }

    /** {@return whether the last of that list left with the child} */
    final boolean unlink(ContextNode child) {
        ChildList list = requireNonNull(list(child.listNumber()), "list");
        boolean own = list == this;
        synchronized (list) {
            if (own) {
                crowded(true);
            }
            if (watched) {
                passOver(child);
            }
            list.remove(child);
            if (own) {
                crowded(false);
            }
            return list.first() == null;
        }
    }

    // Not eliminated, as a plain write would be that another one follows.
    private void crowded(boolean inside) {
        MARKS.setOpaque(this, (byte) (inside ? marks | INSIDE : marks & ~INSIDE));
    }

    private boolean isCrowded() {
        return ((byte) MARKS.getOpaque(this) & INSIDE) != 0;
    }

    final boolean isBornCancelled() {
        return (marks & BORN_CANCELLED) != 0;
    }

    /** Gives this node more lists, so that threads which open children here no longer meet. */
    final void spread() {
        NodeExtras x = extras();
        synchronized (this) {
            if (life == ACTIVE && x.stripes == null) {
                x.stripes = ChildList.Stripe.make();
            }
        }
    }

    private ChildList @Nullable [] stripes() {
        return extras instanceof NodeExtras x ? x.stripes : null;
    }

    /** The lists of children: this node is number 0, then come its stripes; beyond there is {@code null}. */
    private @Nullable ChildList list(int number) {
        if (number == 0) {
            return this;
        }
        ChildList[] stripes = stripes();
        return stripes == null || number > stripes.length ? null : stripes[number - 1];
    }

    /** For walks that stand at a child which leaves. Under the monitor of the child's list. */
    private void passOver(ContextNode child) {
        NodeExtras x = extras();
        synchronized (x) {
            for (ChildBatches walk : x.walks()) {
                if (walk.next == child) {
                    walk.next = child.nextSibling;
                }
            }
        }
    }

    /** Gives some more children to a walk, and keeps its place if there are still more. */
    final List<ContextNode> nextChildren(ChildBatches walk) {
        for (ChildList list = list(walk.list); list != null; list = list(walk.list)) {
            List<ContextNode> batch = nextChildren(walk, list);
            if (!batch.isEmpty()) {
                return batch;
            }
        }
        forget(walk);
        return List.of();
    }

    private List<ContextNode> nextChildren(ChildBatches walk, ChildList list) {
        synchronized (list) {
            ContextNode child = walk.begun ? walk.next : list.first();
            if (child == null) {
                walk.list++;
                walk.begun = false;
                return List.of();
            }
            List<ContextNode> batch = new ArrayList<>();
            for (; child != null && batch.size() < BATCH; child = child.nextSibling) {
                batch.add(child);
            }
            walk.next = child;
            walk.begun = true;
            if (child != null && !walk.registered) {
                register(walk);
            }
            return batch;
        }
    }

    /** Under the monitor of the list that the walk stands in. */
    private void register(ChildBatches walk) {
        walk.registered = true;
        NodeExtras x = extras();
        synchronized (x) {
            x.walks().add(walk);
            watched = true;
        }
    }

    /** A walk needs its place no more. */
    final void forget(ChildBatches walk) {
        if (walk.registered) {
            walk.registered = false;
            NodeExtras x = extras();
            synchronized (x) {
                x.walks().remove(walk);
                watched = x.isChildrenWatched();
            }
        }
    }

    /** {@return whether whoever takes the last child out has to tell so} */
    final boolean isWatched() {
        return watched;
    }

    /** {@return whether no child is open} */
    public final boolean isChildless() {
        return isChildlessFrom(0);
    }

    /** Of one instant: the lists are few, and held one inside the other. */
    private boolean isChildlessFrom(int number) {
        ChildList list = list(number);
        if (list == null) {
            return true;
        }
        synchronized (list) {
            return list.first() == null && isChildlessFrom(number + 1);
        }
    }

    /**
     * Runs a task once, when the last child has left; at once if there is none.
     *
     * @param task runs in the thread that closes the last child, after that and all ancestors that close with it have left
     *     the tree; what it throws is logged
     * @return closing it takes the task back
     */
    public final Registration whenChildless(Runnable task) {
        NodeExtras x = extras();
        synchronized (x) {
            x.whenChildless().add(task);
            watched = true;
        }
        // Whoever leaves from now on sees the mark; whoever left before is missed by nobody.
        tellIfChildless();
        return () -> {
            synchronized (x) {
                x.whenChildless().remove(task);
                watched = x.isChildrenWatched();
            }
        };
    }

    final void tellIfChildless() {
        if (!isChildless()) {
            // There is another one, or one came meanwhile: the last of those tells.
            return;
        }
        NodeExtras x = extras();
        List<Runnable> tasks;
        synchronized (x) {
            tasks = List.copyOf(x.whenChildless());
            x.whenChildless().clear();
            watched = x.isChildrenWatched();
        }
        for (Runnable task : tasks) {
            try {
                task.run();
            } catch (Throwable t) {
                LoggedFailure.error(LOG, t, "what was to be done at the end of the last child failed");
            }
        }
    }

    /** The linked children, the oldest first. One that comes or leaves meanwhile may or may not be among them. */
    final List<ContextNode> childNodes() {
        List<ContextNode> nodes = new ArrayList<>(0);
        ChildBatches all = new ChildBatches(this);
        for (List<ContextNode> some = all.next(); !some.isEmpty(); some = all.next()) {
            nodes.addAll(some);
        }
        if (stripes() != null) {
            nodes.sort(OLDEST_FIRST);
        }
        return nodes;
    }

    /** Adds the same to a walk, as the children of the context with that number. */
    final void addChildrenTo(SnapshotWalk walk, int index) {
        int before = walk.size();
        ChildBatches rest = null;
        for (int number = 0; rest == null; number++) {
            ChildList list = list(number);
            if (list == null) {
                break;
            }
            rest = addSome(list, number, walk, index);
        }
        if (rest != null) {
            for (List<ContextNode> some = rest.next(); !some.isEmpty(); some = rest.next()) {
                some.forEach(child -> walk.add(child, index));
            }
        }
        if (stripes() != null) {
            walk.sortFrom(before);
        }
    }

    /**
     * Most have few children, for which nothing is made. {@return the walk over those that were too many, or for which there
     * was no room; null if there are none}
     */
    private @Nullable ChildBatches addSome(ChildList list, int number, SnapshotWalk walk, int index) {
        synchronized (list) {
            ContextNode child = list.first();
            for (int i = 0; child != null && i < BATCH && walk.hasRoom(); i++) {
                walk.add(child, index);
                child = child.nextSibling;
            }
            if (child == null) {
                return null;
            }
            ChildBatches rest = new ChildBatches(this);
            rest.list = number;
            rest.begun = true;
            rest.next = child;
            register(rest);
            return rest;
        }
    }

    // --- cancellation

    /** Whether a mark may still come: none comes twice, and none once this node has left the tree. */
    final boolean mayBeCancelled() {
        return life != CLOSED && cancelReason == null;
    }

    static CancelReason fromParent(CancelReason reason) {
        return reason.kind() == CancelReason.Kind.PARENT
                ? reason
                : new CancelReason(CancelReason.Kind.PARENT, reason.message(), reason.source());
    }

    /**
     * Marks this node alone, and looks for children in the same moment: one that comes later is born cancelled (rule C1).
     *
     * @return {@link #MARKED} if it was neither cancelled nor closed before, {@link #HAS_CHILDREN} if there may be some
     */
    final int mark(CancelReason reason) {
        synchronized (this) {
            if (life == CLOSED) {
                return 0;
            }
            int found = mayHaveChildren() ? HAS_CHILDREN : 0;
            if (cancelReason != null) {
                return found;
            }
            cancelReason = reason;
            return found | MARKED;
        }
    }

    /** As {@link #mark}, and says before the mark shows that a walk begins, if there is anything to walk to. */
    final int markFirst(CancelReason reason) {
        synchronized (this) {
            if (life != CLOSED && mayHaveChildren()) {
                runtime.cancellationBegins();
            }
            return mark(reason);
        }
    }

    @GuardedBy("this")
    private boolean mayHaveChildren() {
        return first() != null || stripes() != null;
    }

    // --- the end

    final void bornDead(CancelReason why) {
        runtime.contextNeverOpened();
        synchronized (this) {
            ENDED.lazySet(this, createdNanos);
            cancelReason = why;
            life = CLOSED;
        }
        if (extras instanceof NodeExtras x) {
            synchronized (x) {
                x.ended = true;
            }
        }
    }

    /**
     * Begins the end, of a node that was active.
     *
     * @param whenDone whether operations and waits for locks that are under way are waited for
     * @return {@link #IS_CLOSED} if there are no children, {@link #HAS_MORE} if more has to end than the node itself, with
     *     {@link #SETTLED} if that is what most have
     */
    final int beginToClose(boolean whenDone) {
        synchronized (this) {
            return life == ACTIVE ? beginToClose(extrasOrNull(), stripes() != null, whenDone) : NOT_NOW;
        }
    }

    /** Closes a closing node whose last child has left. {@return whether the calling thread did} */
    final boolean closeIfChildless() {
        if (life != CLOSING) {
            return false;
        }
        synchronized (this) {
            return endIfChildless();
        }
    }

    @GuardedBy("this")
    private int beginToClose(@Nullable NodeExtras x, boolean striped, boolean whenDone) {
        boolean childless = !striped && first() == null;
        byte next = childless ? CLOSED : CLOSING;
        boolean more = false;
        boolean settled = false;
        if (x == null) {
            end(next, runtime.hasListeners());
        } else {
            synchronized (x) {
                if (whenDone && !x.mayCloseNow()) {
                    x.closeWhenDone = true;
                    return NOT_NOW;
                }
                // What is not there by now does not come any more.
                x.ended = true;
                more = x.hasMoreToEnd();
                settled = childless && x.isSettled();
                end(next, x.persisted || runtime.hasListeners());
            }
        }
        // From here on no stripe takes another child.
        boolean closed = childless || (striped && endIfChildless());
        return (closed ? IS_CLOSED : 0) | (more || (closed && !childless) ? HAS_MORE : 0) | (settled ? SETTLED : 0);
    }

    /**
     * Writes the end, or of one that closes when that began. It is exact where it is remembered or somebody is told at
     * once; for others a look at the clock would be half the price of their lives.
     */
    @GuardedBy("this")
    private void end(byte next, boolean exact) {
        long now = exact ? runtime.nanos() : runtime.touchNanos();
        ENDED.lazySet(this, now - createdNanos < 0 ? createdNanos : now);
        // The monitor orders it for all who decide something by it; the fence of a volatile write is not needed.
        LIFE.setRelease(this, next);
    }

    /** {@return whether the calling thread closed this closing node, after its last child had left} */
    @GuardedBy("this")
    private boolean endIfChildless() {
        if (life != CLOSING || !isChildless()) {
            return false;
        }
        end(CLOSED, true);
        return true;
    }
}
