package com.fastn.status;

import com.fastn.context.status.NodeIdentity;

/**
 * When a node began, as its incarnation tells: it starts with the wall clock at boot, as twelve hexadecimal digits of
 * milliseconds. Two lives of one alias are told apart by it (rule D3), and nothing else is.
 */
final class BootTime {
    private static final int DIGITS = 12;

    private BootTime() {}

    /** {@return the milliseconds since 1970, or 0 when the incarnation is of another form} */
    static long of(NodeIdentity node) {
        String incarnation = node.incarnation();
        if (incarnation.length() <= DIGITS || incarnation.charAt(DIGITS) != '-') {
            return 0;
        }
        try {
            // Twelve digits are never negative, and a sign is no digit.
            return incarnation.charAt(0) == '+' || incarnation.charAt(0) == '-'
                    ? 0
                    : Long.parseLong(incarnation.substring(0, DIGITS), 16);
        } catch (NumberFormatException e) {
            return 0;
        }
    }
}
