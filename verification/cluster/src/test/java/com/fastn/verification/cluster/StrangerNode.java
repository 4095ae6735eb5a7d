package com.fastn.verification.cluster;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;

/** A node that has nothing of the library: plain Vert.x in the same cluster. */
final class StrangerNode {
    private StrangerNode() {}

    public static void main(String[] arguments) {
        JsonObject settings = new JsonObject(arguments[0]);
        Future<Vertx> joined = LoopbackCluster.join(settings);
        Control.serve(joined, settings, joined.map(vertx -> new JsonObject().put("has_library", hasLibrary())));
    }

    private static boolean hasLibrary() {
        try {
            Class.forName("com.fastn.context.FastnContext", false, StrangerNode.class.getClassLoader());
            return true;
        } catch (ClassNotFoundException e) {
            return false;
        }
    }
}
