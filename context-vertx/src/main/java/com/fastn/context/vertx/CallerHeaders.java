package com.fastn.context.vertx;

import com.fastn.context.engine.ContextNode;
import com.fastn.context.status.CallerLink;
import com.fastn.context.status.NodeIdentity;
import org.jspecify.annotations.Nullable;

/**
 * What the contexts that have sent messages last are called in them, so that not each message writes its sender's anew, and
 * what was read of those that came last. It is of a fixed size, and any thread may ask at any time: who comes between writes
 * or reads one twice.
 */
final class CallerHeaders {
    private static final int SIZE = 64;

    private final PathTexts paths = new PathTexts();
    private final CalleeCancellation cancellation;
    private final @Nullable Written[] headers = new @Nullable Written[SIZE];
    private final @Nullable Written[] headersWithKey = new @Nullable Written[SIZE];
    private final @Nullable Written[] senders = new @Nullable Written[SIZE];
    private final @Nullable Read[] read = new @Nullable Read[SIZE];

    private @Nullable Alias alias;

    CallerHeaders(CalleeCancellation cancellation) {
        this.cancellation = cancellation;
    }

    /**
     * The header of what a context sends.
     *
     * @param node the node of the context
     * @param wantsReply whether it waits for what comes back: then its cancellation may have to name a key
     */
    String header(ContextNode caller, NodeIdentity node, boolean wantsReply) {
        boolean hasKey = wantsReply && cancellation.hasKeys();
        @Nullable Written[] known = hasKey ? headersWithKey : headers;
        Written last = last(known, caller, node);
        return last != null ? last.text : keep(known, caller, node, write(caller, node, hasKey));
    }

    /** The same for the {@link SenderPlace} of what stays in this Vertx. */
    String sender(ContextNode caller, NodeIdentity node) {
        Written last = last(senders, caller, node);
        return last != null ? last.text : keep(senders, caller, node, SenderPlace.text(write(caller, node, false)));
    }

    @SuppressWarnings("ReferenceEquality") // of a node that was renamed there is another one
    private static @Nullable Written last(@Nullable Written[] known, ContextNode caller, NodeIdentity node) {
        Written last = known[place(Long.hashCode(caller.id()))];
        return last != null && last.id == caller.id() && last.node == node ? last : null;
    }

    private static String keep(@Nullable Written[] known, ContextNode caller, NodeIdentity node, String text) {
        known[place(Long.hashCode(caller.id()))] = new Written(caller.id(), node, text);
        return text;
    }

    private String write(ContextNode caller, NodeIdentity node, boolean hasKey) {
        String key = hasKey ? cancellation.keyOf(caller) : null;
        return CallerHeader.write(node, key, caller.id(), paths.of(caller.path()));
    }

    /** A caller of this node as a header would tell it. */
    CallerHeader.Caller caller(ContextNode caller, NodeIdentity node) {
        return new CallerHeader.Caller(
                new CallerLink(alias(node), node.incarnation(), caller.id(), paths.of(caller.path())), null);
    }

    @SuppressWarnings("ReferenceEquality") // of a node that was renamed there is another one
    private String alias(NodeIdentity node) {
        Alias known = alias;
        if (known == null || known.node != node) {
            known = new Alias(node, CallerHeader.clean(node.alias()));
            alias = known;
        }
        return known.text;
    }

    /** What {@link CallerHeader#read} gives for a header. */
    CallerHeader.@Nullable Caller read(String header, NodeIdentity here, boolean owesReply) {
        if (header.length() > CallerHeader.MOST_CHARS) {
            return null;
        }
        Read last = lastRead(header, owesReply);
        return last != null ? last.caller : keep(header, CallerHeader.read(header, here, owesReply));
    }

    /** The same for what {@link #sender} gave, which goes with messages that nobody replies to. */
    CallerHeader.@Nullable Caller readSender(String text, NodeIdentity here) {
        Read last = lastRead(text, false);
        return last != null ? last.caller : keep(text, CallerHeader.read(SenderPlace.header(text), here, false));
    }

    private @Nullable Read lastRead(String text, boolean owesReply) {
        Read last = read[place(text.hashCode())];
        return last != null && last.caller.link().owesReply() == owesReply && last.text.equals(text) ? last : null;
    }

    private CallerHeader.@Nullable Caller keep(String text, CallerHeader.@Nullable Caller caller) {
        if (caller != null) {
            read[place(text.hashCode())] = new Read(text, caller);
        }
        return caller;
    }

    private static int place(int hash) {
        return hash & (SIZE - 1);
    }

    // Their fields are final, so whoever finds one without a lock finds it whole.

    private record Alias(NodeIdentity node, String text) {}

    private record Written(long id, NodeIdentity node, String text) {}

    private record Read(String text, CallerHeader.Caller caller) {}
}
