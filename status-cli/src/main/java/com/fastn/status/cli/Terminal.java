package com.fastn.status.cli;

import com.fastn.context.status.DisplayWidth;
import com.fastn.context.status.Sanitizer;
import com.fastn.context.status.StatusRenderer;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What the place that the output goes to can show.
 *
 * @param interactive whether a person looks at it
 * @param colours whether colours are wanted
 * @param ascii whether nothing but ASCII can be shown
 * @param width columns, or 0 when lines are never cut
 */
record Terminal(boolean interactive, boolean colours, boolean ascii, int width) {
    private static final Pattern COLUMNS = Pattern.compile("[1-9]\\d{0,3}");

    /**
     * Decides.
     *
     * @param choice what the command line says about colours
     * @param asciiWanted whether it wants nothing but ASCII
     * @param width what it says about the width, or {@code null}
     * @param interactive whether the output is a terminal
     * @param environment the environment
     * @return the decision
     */
    static Terminal of(
            ColorChoice choice, boolean asciiWanted, @Nullable Integer width, boolean interactive, Lookup environment) {
        boolean colours = switch (choice) {
            case ALWAYS -> true;
            case NEVER -> false;
            case AUTO -> wantsColours(interactive, environment);
        };
        return new Terminal(
                interactive,
                colours,
                asciiWanted || !showsUnicode(environment),
                width != null ? width : interactive ? columns(environment) : 0);
    }

    /** As no-color.org and bixense.com/clicolors have it: who says no is heard first. */
    private static boolean wantsColours(boolean interactive, Lookup environment) {
        if (environment.nonBlank("NO_COLOR") != null) {
            return false;
        }
        String force = environment.nonBlank("CLICOLOR_FORCE");
        if (force != null && !force.equals("0")) {
            return true;
        }
        return interactive && !isDumb(environment) && !"0".equals(environment.get("CLICOLOR"));
    }

    /** {@return whether the terminal says that it cannot move its cursor} */
    static boolean isDumb(Lookup environment) {
        return "dumb".equals(environment.get("TERM"));
    }

    /** A locale that is set says what can be shown; where none is, as in containers, the terminal outside can do more. */
    private static boolean showsUnicode(Lookup environment) {
        for (String name : new String[] {"LC_ALL", "LC_CTYPE", "LANG"}) {
            String locale = environment.nonBlank(name);
            if (locale != null) {
                String charset = locale.toUpperCase(Locale.ROOT);
                return charset.contains("UTF-8") || charset.contains("UTF8");
            }
        }
        return true;
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
        StatusRenderer renderer =
                colours ? StatusRenderer.ansi(width) : StatusRenderer.plain().withWidth(width);
        return ascii ? renderer.ascii() : renderer;
    }

    /** {@return a line, cleaned before, as this place can show it} */
    String fitted(String line) {
        if (!ascii) {
            return width > 0 ? DisplayWidth.cut(line, width) : line;
        }
        String shown = Sanitizer.ascii(line);
        // Its ellipsis is two columns wider than the one that it stands for.
        return width > 2 && DisplayWidth.of(shown) > width
                ? Sanitizer.ascii(DisplayWidth.cut(shown, width - 2))
                : shown;
    }

    /**
     * {@return a line, cleaned before, as this place can show all of it}
     *
     * @param line the line
     * @param indent how far in it goes on below
     */
    List<String> wrapped(String line, int indent) {
        String shown = ascii ? Sanitizer.ascii(line) : line;
        return width > 0 ? Wrapping.of(shown, width, indent) : List.of(shown);
    }

    /** {@return parts of a line, the first of which are needed most: as many as there is room for, and at least one} */
    String fitted(List<String> parts, String between) {
        StringBuilder line = new StringBuilder(parts.get(0));
        for (String part : parts.subList(1, parts.size())) {
            if (width > 0 && DisplayWidth.of(line) + between.length() + DisplayWidth.of(part) > width) {
                break;
            }
            line.append(between).append(part);
        }
        return fitted(line.toString());
    }

    /** When to use colours. */
    enum ColorChoice {
        /** On a terminal that has them, unless NO_COLOR is set; elsewhere if CLICOLOR_FORCE is. */
        AUTO,
        /** Also into files and pipes. */
        ALWAYS,
        /** Nowhere. */
        NEVER
    }
}
