package com.fastn.status.cli;

import com.fastn.context.status.StatusRenderer;
import com.fastn.context.status.StatusRenderer.Part;
import com.fastn.status.cli.TreeShape.Sort;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** Which part of a status is shown, and as what. */
final class ViewOptions {
    @Option(names = "--json", description = "JSON for programs instead of a drawing; one line for each document.")
    boolean json;

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            description = "text (the default), json (the same as --json), or ndjson (one line for each document, on a"
                    + " terminal too).")
    @Nullable
    Format format;

    @Option(
            names = "--path",
            paramLabel = "PATH",
            description = "The part of the tree at this path, such as global.checkout; a dot inside a name is \\.")
    @Nullable
    String path;

    @Option(names = "--depth", paramLabel = "LEVELS", description = "Levels of the tree; 1 is the root alone.")
    @Nullable
    Integer depth;

    @Option(
            names = "--filter",
            paramLabel = "TEXT",
            description = "Contexts whose name has this in it, with those above and below them.")
    @Nullable
    String filter;

    @Option(
            names = "--sort",
            paramLabel = "ORDER",
            description = "Siblings by age, name, idle or children. Default: as they began.")
    @Nullable
    Sort sort;

    @Option(
            names = "--limit",
            paramLabel = "COUNT",
            description = "Children of one context that are shown, those in trouble first; the rest is counted.")
    @Nullable
    Integer limit;

    @Option(names = "--locks", description = "Only locks, and who waits for them.")
    boolean locks;

    @Option(names = "--warnings", description = "Only what is worth a look.")
    boolean warnings;

    @Option(names = "--recent", description = "Also the contexts that ended last and are remembered.")
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

    void check(CommandSpec spec) {
        if (json && format != null && format == Format.TEXT) {
            throw TargetOptions.usage(spec, "give either --json or --format text");
        }
        if ((locks || warnings) && format() != Format.TEXT) {
            throw TargetOptions.usage(
                    spec,
                    "--locks and --warnings choose parts of the drawing; of JSON, take active_locks, lock_waiters or"
                            + " warnings");
        }
        if (depth != null && (depth < 1 || depth > 10_000)) {
            throw TargetOptions.usage(spec, "--depth is a number of levels from 1 to 10000, not " + depth);
        }
        if (limit != null && limit < 1) {
            throw TargetOptions.usage(spec, "--limit is a number of contexts from 1 on, not " + limit);
        }
        if (path != null && path.isBlank()) {
            throw TargetOptions.usage(spec, "--path is empty; a path begins with the root, such as global.checkout");
        }
    }

    Format format() {
        return format != null
                ? (json && format == Format.TEXT ? Format.JSON : format)
                : json ? Format.JSON : Format.TEXT;
    }

    TreeShape shape() {
        return filter == null && sort == null && limit == null
                ? TreeShape.AS_IT_IS
                : new TreeShape(filter, sort, limit);
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

    StatusRenderer narrowed(StatusRenderer renderer) {
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
