package com.fastn.context.status;

/** How a node of the cluster is known to the node that answers. */
public enum NodeState {
    /** It answered. */
    UP,
    /** It did not answer this time, but was heard of a short while ago. */
    STALE,
    /** It did not answer and was not heard of for longer. */
    DOWN,
    /** Two live nodes use one alias. */
    CONFLICT
}
