package com.fastn.verification.cluster;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.List;

/** What a context waits for on another node. */
record Link(By by, String node) {
    enum By {
        REQUEST,
        LOCK
    }

    static Link request(String node) {
        return new Link(By.REQUEST, node);
    }

    static Link lock(String node) {
        return new Link(By.LOCK, node);
    }

    static JsonArray write(List<Link> links) {
        return new JsonArray(links.stream()
                .map(link -> new JsonObject().put("by", link.by.name()).put("node", link.node))
                .toList());
    }

    static List<Link> read(JsonObject task) {
        return task.getJsonArray("links").stream()
                .map(JsonObject.class::cast)
                .map(link -> new Link(By.valueOf(link.getString("by")), link.getString("node")))
                .toList();
    }

    @Override
    public String toString() {
        return by == By.REQUEST ? "a request to " + node : "a lock of " + node;
    }
}
