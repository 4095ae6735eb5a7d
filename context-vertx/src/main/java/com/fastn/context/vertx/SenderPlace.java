package com.fastn.context.vertx;

import io.vertx.core.eventbus.Message;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import org.jspecify.annotations.Nullable;

/**
 * The place for the sender of a message that wants no reply and never leaves its Vertx: its reply address, which it does not
 * use. Of what a message has, Vert.x hands only that, the address, the body and the headers on to those who consume it, and a
 * header costs each of them two maps.
 *
 * <p>It is filled after all interceptors of the sending side, and emptied before those of the receiving side and once the
 * message is sent, so nobody meets it but Vert.x: which answers a message that it has no room for, and that answer is
 * dropped where it leaves.
 */
final class SenderPlace {
    private static final String PREFIX = "__fastn.sender ";

    private static final @Nullable MethodHandle SET = find();

    private SenderPlace() {}

    private static @Nullable MethodHandle find() {
        try {
            Class<?> message = Class.forName("io.vertx.core.eventbus.impl.MessageImpl");
            return MethodHandles.publicLookup()
                    .findVirtual(message, "setReplyAddress", MethodType.methodType(void.class, String.class))
                    .asType(MethodType.methodType(void.class, Message.class, String.class));
        } catch (ReflectiveOperationException e) {
            // On the module path the inside of Vert.x cannot be reached.
            return null;
        }
    }

    /** Whether this Vert.x has the place. */
    static boolean exists() {
        return SET != null;
    }

    /** The text for a sender; {@code header} is what {@link CallerHeader} writes. */
    static String text(String header) {
        return PREFIX + header;
    }

    /** What {@link #text} was made of. */
    static String header(String text) {
        return text.substring(PREFIX.length());
    }

    /** Whether a reply to this address answers a message that wants none. */
    static boolean isAddress(String address) {
        return address.startsWith(PREFIX);
    }

    static void fill(Message<?> message, String text) {
        set(message, text);
    }

    /** Empties the place, and gives the text that was in it, or null. */
    static @Nullable String empty(Message<?> message) {
        String address = message.replyAddress();
        if (address == null || !isAddress(address)) {
            return null;
        }
        set(message, null);
        return address;
    }

    private static void set(Message<?> message, @Nullable String text) {
        MethodHandle set = SET;
        if (set == null) {
            return;
        }
        try {
            set.invokeExact(message, text);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable t) {
            throw new IllegalStateException("setting a field throws nothing that is checked", t);
        }
    }
}
