package com.fastn.context.status;

/** What a context stands for; it chooses the word that a row of the tree shows beside the duration. */
public enum ContextKind {
    /** The whole application: "2h 15m uptime". */
    ROOT("uptime"),
    /** A part of the application that lives long, such as a verticle or a listener: "1h 45m active". */
    SERVICE("active"),
    /** A connection: "23m 12s connected". */
    SESSION("connected"),
    /** A piece of work: "8m 33s running". */
    TASK("running"),
    /** A served request: "0.2s running". */
    REQUEST("running"),
    /** The handling of an event bus message: "0.2s running". */
    MESSAGE("running"),
    /** Something else, shown with its duration and no word. */
    OTHER("");

    private final String stateWord;

    ContextKind(String stateWord) {
        this.stateWord = stateWord;
    }

    /** {@return the word behind the duration, or the empty string} */
    public String stateWord() {
        return stateWord;
    }
}
