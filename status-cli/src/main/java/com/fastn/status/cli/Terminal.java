package com.fastn.status.cli;

import com.fastn.context.status.StatusRenderer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What the place that the output goes to can show.
 *
 * @param interactive whether a person looks at it
 * @param colours whether colours are wanted
 * @param width columns, or 0 when lines are never cut
 */
record Terminal(boolean interactive, boolean colours, int width) {
    private static final Pattern COLUMNS = Pattern.compile("[1-9]\\d{0,3}");

    /**
     * Decides.
     *
     * @param choice what the command line says about colours
     * @param width what it says about the width, or {@code null}
     * @param interactive whether the output is a terminal
     * @param environment the environment
     * @return the decision
     */
    static Terminal of(ColorChoice choice, @Nullable Integer width, boolean interactive, Lookup environment) {
        boolean colours = switch (choice) {
            case ALWAYS -> true;
            case NEVER -> false;
            case AUTO ->
                interactive && environment.nonBlank("NO_COLOR") == null && !"dumb".equals(environment.get("TERM"));
        };
        return new Terminal(interactive, colours, width != null ? width : interactive ? columns(environment) : 0);
    }

    private static int columns(Lookup environment) {
        // The launcher knows the terminal; few shells tell their children.
        for (String name : new String[] {"FASTN_COLUMNS", "COLUMNS"}) {
            String columns = environment.nonBlank(name);
            if (columns != null && COLUMNS.matcher(columns).matches()) {
                return Integer.parseInt(columns);
            }
        }
        return 0;
    }

    /** {@return the renderer for this place} */
    StatusRenderer renderer() {
        return colours ? StatusRenderer.ansi(width) : StatusRenderer.plain().withWidth(width);
    }

    /** When to use colours. */
    enum ColorChoice {
        /** On a terminal that has them, unless NO_COLOR is set. */
        AUTO,
        /** Also into files and pipes. */
        ALWAYS,
        /** Nowhere. */
        NEVER
    }
}
