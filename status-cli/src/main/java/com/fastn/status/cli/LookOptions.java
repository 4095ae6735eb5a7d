package com.fastn.status.cli;

import com.fastn.status.cli.Terminal.ColorChoice;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** How the drawing looks. */
final class LookOptions {
    @Option(
            names = "--color",
            paramLabel = "WHEN",
            description = "auto (the default, which honours NO_COLOR, CLICOLOR_FORCE and TERM=dumb), always or never.")
    ColorChoice color = ColorChoice.AUTO;

    @Option(
            names = "--ascii",
            description = "Nothing but ASCII; by itself where the locale says that UTF-8 cannot be shown.")
    boolean ascii;

    @Option(
            names = "--width",
            paramLabel = "COLUMNS",
            description = "Cut lines there; 0 never cuts. Default: the terminal's width.")
    @Nullable
    Integer width;

    void check(CommandSpec spec) {
        if (width != null && (width < 0 || width > 10_000)) {
            throw TargetOptions.usage(spec, "--width is a number of columns from 0 to 10000, not " + width);
        }
    }

    Terminal terminal(Surroundings surroundings) {
        return Terminal.of(color, ascii, width, surroundings.interactive(), surroundings.environment());
    }
}
