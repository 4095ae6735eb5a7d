package com.fastn.context.status;

import java.util.List;

/** The frames of a stack that are the application's. */
public final class AppFrames {
    private static final List<String> OTHERS = List.of(
            "java.",
            "jdk.",
            "javax.",
            "sun.",
            "com.sun.",
            "io.vertx.",
            "io.netty.",
            "kotlin.",
            "kotlinx.",
            "com.fastn.");
    private static final String OUR_TESTS = "Test";

    private AppFrames() {}

    /**
     * Finds the innermost frame of the application.
     *
     * @param stack the frames as text, the innermost first
     * @return the file and line of it, such as {@code Ledger.java:88}; of the innermost frame where none is the
     *     application's; the empty text for an empty stack
     */
    public static String first(List<String> stack) {
        for (String frame : stack) {
            if (isOfApplication(frame)) {
                return place(frame);
            }
        }
        return stack.isEmpty() ? "" : place(stack.get(0));
    }

    private static boolean isOfApplication(String frame) {
        int slash = frame.indexOf('/');
        String name = slash >= 0 && slash < frame.indexOf('(') ? frame.substring(slash + 1) : frame;
        String file = place(frame);
        return OTHERS.stream().noneMatch(name::startsWith) || file.contains(OUR_TESTS);
    }

    private static String place(String frame) {
        int open = frame.lastIndexOf('(');
        return open >= 0 && frame.endsWith(")") ? frame.substring(open + 1, frame.length() - 1) : frame;
    }
}
