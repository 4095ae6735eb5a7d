package com.fastn.status.http;

import io.vertx.core.buffer.Buffer;

/** How items stand in the body of a stream. */
enum StreamFraming {
    /** Server-sent events, for browsers. */
    EVENTS("text/event-stream; charset=utf-8") {
        @Override
        Buffer opening() {
            return Buffer.buffer("retry: 2000\n\n");
        }

        @Override
        Buffer item(StreamItem item) {
            Buffer frame = Buffer.buffer(item.line().length + 64);
            frame.appendString("event: ").appendString(item.event()).appendString("\n");
            if (item.id() != null) {
                frame.appendString("id: ").appendString(item.id()).appendString("\n");
            }
            return frame.appendString("data: ").appendBytes(item.line()).appendString("\n\n");
        }

        @Override
        Buffer heartbeat() {
            return Buffer.buffer(": alive\n\n");
        }
    },
    /** One JSON document on each line, for programs. */
    LINES("application/x-ndjson; charset=utf-8") {
        @Override
        Buffer opening() {
            return Buffer.buffer();
        }

        @Override
        Buffer item(StreamItem item) {
            return Buffer.buffer(item.line().length + 1)
                    .appendBytes(item.line())
                    .appendString("\n");
        }

        @Override
        Buffer heartbeat() {
            return Buffer.buffer("\n");
        }
    };

    private final String type;

    StreamFraming(String type) {
        this.type = type;
    }

    /** {@return the header Content-Type} */
    String type() {
        return type;
    }

    /** {@return what stands before the first item} */
    abstract Buffer opening();

    abstract Buffer item(StreamItem item);

    /** {@return something that a client passes over} */
    abstract Buffer heartbeat();
}
