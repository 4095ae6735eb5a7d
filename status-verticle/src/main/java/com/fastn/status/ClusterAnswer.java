package com.fastn.status;

import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.NodeIdentity;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What a question to the cluster came to.
 *
 * @param status a row for every node that was asked
 * @param gaps the nodes of which it is not known whether they have what is asked for
 */
record ClusterAnswer(ClusterStatus status, List<Gap> gaps) {
    /** More names than anybody reads in a sentence. */
    private static final int MOST_NAMED = 5;

    /** Copies the list. */
    ClusterAnswer {
        gaps = List.copyOf(gaps);
    }

    /** {@return the answer of which no more is known than its rows} */
    static ClusterAnswer of(ClusterStatus status) {
        return new ClusterAnswer(
                status,
                status.nodes().stream()
                        .filter(row -> row.snapshot() == null)
                        .map(row -> new Gap(row.node(), BadQueryException.UNKNOWN, row.reason()))
                        .toList());
    }

    /** {@return what to say to who asks for a context that no node shows, which need not mean that there is none} */
    BadQueryException missing(String context) {
        if (gaps.isEmpty()) {
            return new BadQueryException(BadQueryException.NOT_FOUND, Explanations.unknown(context));
        }
        int code = gaps.get(0).code();
        boolean same = gaps.stream().allMatch(gap -> gap.code() == code);
        String named = gaps.stream().limit(MOST_NAMED).map(Gap::text).collect(Collectors.joining("; "));
        return new BadQueryException(
                same ? code : BadQueryException.UNKNOWN,
                "no node that answered has a context open that is called \"" + Printable.line(context)
                        + "\", and not all nodes answered: " + named
                        + (gaps.size() > MOST_NAMED ? "; +" + (gaps.size() - MOST_NAMED) + " more" : ""));
    }

    /**
     * A node of which it is not known.
     *
     * @param node which, of several that may have one alias
     * @param code the one with which it refused, or {@link BadQueryException#UNKNOWN}
     * @param reason why it is not known
     */
    record Gap(NodeIdentity node, int code, @Nullable String reason) {
        String text() {
            return Printable.line(node.alias()) + ": " + (reason == null ? "no status" : Printable.line(reason));
        }
    }
}
