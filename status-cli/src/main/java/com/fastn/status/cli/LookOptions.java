package com.fastn.status.cli;

import com.fastn.status.cli.Terminal.ColorChoice;
import org.jspecify.annotations.Nullable;

/** How the drawing looks. */
final class LookOptions implements Options {
    ColorChoice color = ColorChoice.AUTO;
    boolean ascii;

    @Nullable
    Integer width;

    @Override
    public void tell(Syntax syntax) {
        syntax.option(
                        "--color",
                        ColorChoice.class,
                        "WHEN",
                        "auto (the default, which honours NO_COLOR, CLICOLOR_FORCE and TERM=dumb), always or never.",
                        given -> color = given)
                .flag(
                        "--ascii",
                        "Nothing but ASCII; by itself where the locale says that UTF-8 cannot be shown.",
                        given -> ascii = given)
                .option(
                        "--width",
                        Integer.class,
                        "COLUMNS",
                        "Cut lines there; 0 never cuts. Default: the terminal's width.",
                        given -> width = given);
    }

    void check(Syntax syntax) {
        if (width != null && (width < 0 || width > 10_000)) {
            throw syntax.misuse("--width is a number of columns from 0 to 10000, not " + width);
        }
    }

    Terminal terminal(Surroundings surroundings) {
        return Terminal.of(color, ascii, width, surroundings.interactive(), surroundings.environment());
    }
}
