package com.fastn.status.stream;

import static java.util.Objects.requireNonNull;

/**
 * A part of a stream that travels as one message.
 *
 * @param epoch rises each time the stream begins anew with the whole; a frame of a former epoch is of no use (rule D2)
 * @param sequence from 1 in each epoch, rising by one with each frame (rule D1)
 * @param content what the body is
 * @param last whether the reader knows all that the writer meant to tell when it has this one
 * @param body JSON as UTF-8
 */
@SuppressWarnings("ArrayRecordComponent") // Bytes on their way, which nobody compares or changes.
public record StreamFrame(long epoch, long sequence, Content content, boolean last, byte[] body) {
    /** Checks that all parts are there. */
    public StreamFrame {
        requireNonNull(content, "content");
        requireNonNull(body, "body");
    }

    /** What the body of a frame is. */
    public enum Content {
        /** A cluster status whose rows have no status: all nodes that there are, and how they are known. */
        NODES("nodes"),
        /** The same of some of the nodes, the others of which come in the next frames up to that of {@link #NODES}. */
        SOME_NODES("some_nodes"),
        /** A status of one node. */
        FULL("full"),
        /** What changed in the status of one node. */
        DELTA("delta"),
        /** Something that a later version tells; a reader takes it, and leaves it out. */
        OTHER("other");

        private final String text;

        Content(String text) {
            this.text = text;
        }

        /** {@return the word for it on the wire} */
        public String text() {
            return text;
        }

        /**
         * {@return the content of that word, {@link #OTHER} for one that is not known}
         *
         * @param text the word
         */
        public static Content of(String text) {
            for (Content content : values()) {
                if (content.text.equals(text)) {
                    return content;
                }
            }
            return OTHER;
        }
    }
}
