package com.fastn.status.cli;

import static java.util.Objects.requireNonNullElse;

import com.fastn.status.cli.NodeFinder.Found;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code fastn info}: every place that the command uses, and what it decided. */
final class InfoCommand implements Subcommand {
    private final Surroundings surroundings;
    private final Syntax syntax;
    private final LookOptions look = new LookOptions();

    InfoCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
        syntax = new Syntax(
                        "info",
                        this,
                        "Tells every place that the command looks at, and what it found there. Asks no node.")
                .with(look)
                .common();
    }

    @Override
    public Syntax syntax() {
        return syntax;
    }

    @Override
    public Integer call() {
        look.check(syntax);
        Lookup environment = surroundings.environment();
        Lookup properties = surroundings.properties();
        Terminal terminal = look.terminal(surroundings);
        Table table = Table.whole("WHAT", "VALUE", "NOTE");
        table.row("fastn", Fastn.Version.of(), "");
        table.row("jar", jar(of(properties.get("java.class.path"))), "");
        table.row("java", of(properties.get("java.version")), of(properties.get("java.home")));
        String archive = properties.get("fastn.archive");
        table.row(
                "class archive",
                archive == null ? "none yet" : archive,
                archive == null ? archiveNote(environment) : "makes the start fast");
        Found found = found(table);
        for (Path folder : found.folders()) {
            table.row("node descriptors", folder, state(folder));
        }
        for (LocalNode node : found.nodes()) {
            table.row("node here", node.alias(), "pid " + node.pid() + ", " + node.url() + ", " + node.descriptor());
            secrets(table, node.tokenFile(), node.ca());
        }
        found.refused().forEach(sentence -> table.row("not used", sentence, ""));
        configuration(table);
        table.row(
                "terminal",
                terminal.interactive() ? "yes" : "no",
                "TERM=" + of(environment.get("TERM")) + ", " + width(terminal));
        table.row("colours", terminal.colours() ? "yes" : "no", "--color, NO_COLOR, CLICOLOR_FORCE, TERM");
        table.row("characters", terminal.ascii() ? "ASCII" : "UTF-8", "--ascii, LC_ALL, LC_CTYPE, LANG");
        // A terminal breaks a line that is longer than it is wide, and a path that is cut is none.
        int columns = look.width == null ? 0 : look.width;
        surroundings.out().print(table.drawn(new Terminal(false, false, terminal.ascii(), columns)));
        return ExitCode.OK;
    }

    /** The launcher names it from its own folder. */
    private static String jar(String classPath) {
        Path jar = classPath.isEmpty() || classPath.contains(File.pathSeparator) ? null : Lookup.path(classPath);
        return jar == null ? classPath : jar.toAbsolutePath().normalize().toString();
    }

    /** What cannot even be looked for is a row. */
    private Found found(Table table) {
        try {
            return new NodeFinder(surroundings.properties(), surroundings.environment(), surroundings.processes())
                    .find();
        } catch (Trouble trouble) {
            table.row("node descriptors", "", trouble.why() + "; next: " + trouble.next());
            return new Found(List.of(), List.of(), List.of());
        }
    }

    /** Where the launcher makes it. */
    private static String archiveNote(Lookup environment) {
        String home = environment.nonBlank("HOME");
        String cache = environment.nonBlank("FASTN_CACHE_DIR");
        cache = cache != null ? cache : environment.nonBlank("XDG_CACHE_HOME");
        cache = cache != null ? cache : home == null ? null : home + "/.cache";
        if (environment.nonBlank("FASTN_NO_ARCHIVE") != null) {
            return "FASTN_NO_ARCHIVE is set, so none is made or used";
        }
        return cache == null
                ? "no home folder; FASTN_CACHE_DIR may name one"
                : "made in " + cache
                        + "/fastn beside the first use of bin/fastn, where both folders are of who runs it;"
                        + " FASTN_NO_ARCHIVE=1 leaves it out";
    }

    private void configuration(Table table) {
        Path place;
        try {
            place = Config.place(surroundings);
        } catch (Trouble trouble) {
            table.row("configuration", "", trouble.why() + "; next: " + trouble.next());
            return;
        }
        if (place == null) {
            table.row(
                    "configuration",
                    "",
                    requireNonNullElse(Config.objection(surroundings), "no home folder; FASTN_CONFIG may name a file"));
            return;
        }
        try {
            Config config = Config.read(surroundings);
            table.row("configuration", place, state(place));
            for (RemoteNode node : config.nodes()) {
                table.row("node of it", node.alias(), node.url());
                secrets(table, node.tokenFile(), node.ca());
            }
        } catch (Trouble trouble) {
            table.row("configuration", place, trouble.why());
        }
    }

    private static void secrets(Table table, @Nullable Path tokenFile, @Nullable Path ca) {
        if (tokenFile != null) {
            String note;
            try {
                TokenFile.read(tokenFile);
                note = "readable by its owner alone";
            } catch (Trouble trouble) {
                note = trouble.why();
            }
            table.row("  token file", tokenFile, note);
        }
        if (ca != null) {
            table.row("  certificates", ca, state(ca));
        }
    }

    private static String width(Terminal terminal) {
        return terminal.width() == 0 ? "lines are not cut" : terminal.width() + " columns";
    }

    private static String state(Path path) {
        if (Files.exists(path)) {
            return Files.isReadable(path) ? "there" : "there, but not readable";
        }
        String unseen = ConfigFile.unseen(path);
        return unseen == null ? "not there" : "not known, for " + unseen;
    }

    private static String of(@Nullable String value) {
        return requireNonNullElse(value, "");
    }
}
