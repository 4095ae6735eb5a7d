package com.fastn.status;

import com.fastn.status.stream.StreamFrame;
import io.vertx.core.MultiMap;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.json.JsonObject;

/** The words of the stream's protocol, and a frame as a message. */
final class StreamWire {
    /** Frames go to addresses that begin so, and to no others: whoever opens a stream could name any address of anybody. */
    static final String READER_PREFIX = "fastn.status.stream.";

    static final String SCHEMA = "schema";
    static final String MIN_SCHEMA = "min_schema";
    /** The version of what the writer of a stream answers. */
    static final int VERSION = 1;

    static final String ADDRESS = "address";
    static final String STREAM = "stream";
    static final String CONTROL = "control";
    static final String EPOCH = "epoch";
    static final String ACKNOWLEDGED = "acknowledged";
    static final String SENT = "sent";
    static final String RESTART = "restart";
    static final String CLOSE = "close";
    static final String LEASE_MILLIS = "lease_ms";

    private static final String STREAM_HEADER = "fastn-stream";
    private static final String EPOCH_HEADER = "fastn-epoch";
    private static final String SEQUENCE_HEADER = "fastn-sequence";
    private static final String CONTENT_HEADER = "fastn-content";
    private static final String LAST_HEADER = "fastn-last";

    private StreamWire() {}

    /** {@return the beginning of what the writer of a stream answers (rule D9)} */
    static JsonObject reply() {
        return new JsonObject().put(SCHEMA, VERSION).put(MIN_SCHEMA, VERSION);
    }

    /** {@return whether an answer wants a newer reader} */
    static boolean isTooNew(JsonObject reply) {
        return reply.getValue(MIN_SCHEMA) instanceof Number wanted && wanted.longValue() > VERSION;
    }

    static DeliveryOptions headers(String stream, StreamFrame frame) {
        return new DeliveryOptions()
                .addHeader(STREAM_HEADER, stream)
                .addHeader(EPOCH_HEADER, Long.toString(frame.epoch()))
                .addHeader(SEQUENCE_HEADER, Long.toString(frame.sequence()))
                .addHeader(CONTENT_HEADER, frame.content().text())
                .addHeader(LAST_HEADER, Boolean.toString(frame.last()));
    }

    static boolean isOf(String stream, Message<Object> message) {
        return stream.equals(message.headers().get(STREAM_HEADER));
    }

    /**
     * Reads a message. It may come from anybody who reaches the bus.
     *
     * @throws IllegalArgumentException if it is no frame
     */
    static StreamFrame frame(Message<Object> message) {
        MultiMap headers = message.headers();
        if (!(message.body() instanceof Buffer body)) {
            throw new IllegalArgumentException("a frame is made of bytes");
        }
        return new StreamFrame(
                Long.parseLong(String.valueOf(headers.get(EPOCH_HEADER))),
                Long.parseLong(String.valueOf(headers.get(SEQUENCE_HEADER))),
                StreamFrame.Content.of(String.valueOf(headers.get(CONTENT_HEADER))),
                Boolean.parseBoolean(headers.get(LAST_HEADER)),
                body.getBytes());
    }
}
