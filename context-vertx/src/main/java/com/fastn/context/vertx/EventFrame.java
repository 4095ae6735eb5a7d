package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;

import com.fastn.context.event.ContextEvent;
import java.util.List;

/**
 * Events of one node that travel together on the event bus, by reference and on their own node only. Where its options say so
 * ({@link VertxContextOptions#setEventsAcrossCluster}), consumers on other nodes get the same as JSON.
 *
 * <p>Each stream ({@link Addresses#EVENTS_LOCKS} and its sisters) is numbered by itself. Of several events about the same
 * thing only the last is told, and values are absolute, so a frame that is lost or doubled does no lasting harm. The first
 * frame after somebody began to consume holds what is so already: the locks that are held, the counters, the open contexts.
 *
 * @param node the alias of the node
 * @param incarnation the node's incarnation; the numbers begin anew with each
 * @param firstSequence the number of the first event, rising by one with each event of the stream
 * @param events what happened, the oldest first
 * @param dropped how many events had no room since the last frame; if any, only a snapshot tells the whole
 */
public record EventFrame(String node, String incarnation, long firstSequence, List<ContextEvent> events, long dropped) {
    /**
     * Copies the list.
     *
     * @param node the alias of the node
     * @param incarnation the node's incarnation
     * @param firstSequence the number of the first event
     * @param events what happened
     * @param dropped how many events had no room
     */
    public EventFrame {
        requireNonNull(node, "node");
        requireNonNull(incarnation, "incarnation");
        events = List.copyOf(events);
    }
}
