package com.fastn.status;

/** Whose status applications hear that consume {@code fastn.status}. */
public enum StatusPublication {
    /** The status of their own node, which does not leave it. */
    LOCAL("local"),
    /** The status of the cluster, which one of the nodes publishes to all that want it. */
    CLUSTER("cluster");

    private final String text;

    StatusPublication(String text) {
        this.text = text;
    }

    /** {@return the word for it in options} */
    public String text() {
        return text;
    }
}
