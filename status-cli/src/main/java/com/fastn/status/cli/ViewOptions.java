package com.fastn.status.cli;

import com.fastn.context.status.StatusRenderer;
import com.fastn.context.status.StatusRenderer.Part;
import com.fastn.status.cli.TreeShape.Sort;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Which part of a status is shown, and as what. */
final class ViewOptions implements Options {
    /** Nodes fold nothing beyond it. */
    private static final int MOST_LINES = 4_000;

    boolean json;

    @Nullable
    Format format;

    @Nullable
    String path;

    @Nullable
    Integer depth;

    @Nullable
    String filter;

    @Nullable
    Sort sort;

    @Nullable
    Integer limit;

    @Nullable
    Integer lines;

    boolean locks;
    boolean warnings;
    boolean recent;

    /** As what status is written. */
    enum Format {
        /** A drawing for people. */
        TEXT,
        /** JSON: on a terminal on many lines. */
        JSON,
        /** JSON: always on one line. */
        NDJSON
    }

    @Override
    public void tell(Syntax syntax) {
        syntax.flag(
                        "--json",
                        "JSON for programs instead of a drawing: on a terminal on many lines, elsewhere and with --watch one line for"
                                + " each document.",
                        given -> json = given)
                .option(
                        "--format",
                        Format.class,
                        "FORMAT",
                        "text (the default), json (the same as --json), or ndjson (one line for each document, on a"
                                + " terminal too).",
                        given -> format = given)
                .option(
                        "--path",
                        String.class,
                        "PATH",
                        "The part of the tree at this path, such as global.checkout; a dot inside a name is \\.",
                        given -> path = given)
                .option(
                        "--depth",
                        Integer.class,
                        "LEVELS",
                        "Levels of the tree; 1 is the root alone.",
                        given -> depth = given)
                .option(
                        "--filter",
                        String.class,
                        "TEXT",
                        "Contexts whose name has this in it, with those above and below them.",
                        given -> filter = given)
                .option(
                        "--sort",
                        Sort.class,
                        "ORDER",
                        "Siblings by age, name, idle or children. Default: as they began.",
                        given -> sort = given)
                .option(
                        "--limit",
                        Integer.class,
                        "COUNT",
                        "Children of one context that are shown, and all in trouble where those are more; the rest is counted.",
                        given -> limit = given)
                .option(
                        "--lines",
                        Integer.class,
                        "COUNT",
                        "Lines of the tree of a node, those in trouble first; the rest is counted. Default: 60, or what"
                                + " the screen has while watching; 0 for all. Not with --json.",
                        given -> lines = given)
                .flag("--locks", "Only locks, and who waits for them.", given -> locks = given)
                .flag("--warnings", "Only what is worth a look.", given -> warnings = given)
                .flag("--recent", "Also the contexts that ended last and are remembered.", given -> recent = given);
    }

    void check(Syntax syntax) {
        if (json && format != null && format == Format.TEXT) {
            throw syntax.misuse("give either --json or --format text");
        }
        if ((locks || warnings) && format() != Format.TEXT) {
            throw syntax.misuse(
                    "--locks and --warnings choose parts of the drawing; of JSON, take active_locks, lock_waiters or"
                            + " warnings");
        }
        if (depth != null && (depth < 1 || depth > 10_000)) {
            throw syntax.misuse("--depth is a number of levels from 1 to 10000, not " + depth);
        }
        if (limit != null && limit < 1) {
            throw syntax.misuse("--limit is a number of contexts from 1 on, not " + limit);
        }
        if (lines != null && lines < 0) {
            throw syntax.misuse("--lines is a number of lines from 0 on, not " + lines);
        }
        if (lines != null && format() != Format.TEXT) {
            throw syntax.misuse(
                    "--lines is of the drawing; of JSON, choose a part by --depth, --limit, --path or --filter");
        }
        if (path != null && path.isBlank()) {
            throw syntax.misuse("--path is empty; a path begins with the root, such as global.checkout");
        }
    }

    Format format() {
        return format != null
                ? (json && format == Format.TEXT ? Format.JSON : format)
                : json ? Format.JSON : Format.TEXT;
    }

    private boolean isAsItComes() {
        return filter == null && sort == null && limit == null;
    }

    TreeShape shape() {
        return isAsItComes() ? TreeShape.AS_IT_IS : new TreeShape(filter, sort, limit);
    }

    /** {@return what a node has to be asked for so that this can be shown, as a query that ends with an ampersand} */
    String query() {
        StringBuilder query = new StringBuilder();
        if (path != null) {
            query.append("path=")
                    .append(URLEncoder.encode(path, StandardCharsets.UTF_8))
                    .append('&');
        }
        if (depth != null) {
            query.append("depth=").append(depth).append('&');
        }
        if (recent) {
            query.append("recent=true&");
        }
        return query.toString();
    }

    /**
     * {@return the same for a single look} Of a tree that is drawn as it comes only so much is asked for as is drawn: a large one
     * takes longer to write, send and read than all the rest of the look.
     */
    String queryOfALook() {
        int drawn = lines == null ? StatusRenderer.USUAL_TREE_LINES : lines;
        boolean drawnAsItComes = format() == Format.TEXT && isAsItComes();
        return query() + (drawnAsItComes && drawn > 0 && drawn <= MOST_LINES ? "lines=" + drawn + "&" : "");
    }

    /** On paper, which has no end: a tree has the usual number of lines unless another one is asked for. */
    StatusRenderer onPaper(StatusRenderer all) {
        return narrowed(lines == null ? all.maxTreeLines(StatusRenderer.USUAL_TREE_LINES) : all);
    }

    StatusRenderer narrowed(StatusRenderer all) {
        StatusRenderer renderer = lines == null ? all : all.maxTreeLines(lines);
        if (!locks && !warnings) {
            return renderer;
        }
        Set<Part> parts = EnumSet.noneOf(Part.class);
        if (locks) {
            parts.add(Part.LOCKS);
        }
        if (warnings) {
            parts.add(Part.WARNINGS);
        }
        if (recent) {
            parts.add(Part.RECENT);
        }
        return renderer.only(parts);
    }
}
