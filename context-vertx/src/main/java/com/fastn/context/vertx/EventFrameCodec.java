package com.fastn.context.vertx;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.MessageCodec;

/** Hands frames over by reference. They do not leave their node. */
final class EventFrameCodec implements MessageCodec<EventFrame, EventFrame> {
    @Override
    public void encodeToWire(Buffer buffer, EventFrame frame) {
        throw new UnsupportedOperationException("an EventFrame stays on its node; send it with"
                + " DeliveryOptions.setLocalOnly(true), or send what you need of it as JSON");
    }

    @Override
    public EventFrame decodeFromWire(int position, Buffer buffer) {
        throw new UnsupportedOperationException("an EventFrame stays on its node, so none comes from another");
    }

    @Override
    public EventFrame transform(EventFrame frame) {
        return frame;
    }

    @Override
    public String name() {
        return "fastn.event-frame";
    }

    @Override
    public byte systemCodecID() {
        return -1;
    }
}
