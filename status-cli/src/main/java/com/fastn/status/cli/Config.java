package com.fastn.status.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What the user wrote down: nodes that are not found by themselves.
 *
 * @param file where it stands, whether it is there or not; {@code null} when there is no home to look in
 * @param nodes the nodes, by alias
 */
record Config(@Nullable Path file, List<RemoteNode> nodes) {

    /** {@return where the configuration is looked for, or {@code null}} */
    static @Nullable Path place(Surroundings surroundings) {
        String explicit = surroundings.environment().nonBlank("FASTN_CONFIG");
        if (explicit != null) {
            Path file = Lookup.path(explicit);
            if (file == null) {
                throw new Trouble(
                        ExitCode.ERROR,
                        "the configuration is not read",
                        Lookup.unreadable("FASTN_CONFIG", explicit),
                        Lookup.OTHER_LOCALE + ", or name another file");
            }
            return file;
        }
        String folder = surroundings.environment().nonBlank("XDG_CONFIG_HOME");
        if (folder != null) {
            return Lookup.path(folder, "fastn", "config.toml");
        }
        String home = home(surroundings);
        return home == null ? null : Lookup.path(home, ".config", "fastn", "config.toml");
    }

    private static @Nullable String home(Surroundings surroundings) {
        String home = surroundings.environment().nonBlank("HOME");
        if (home == null) {
            home = surroundings.properties().nonBlank("user.home");
        }
        // In a container without a home the JDK says "?".
        return "?".equals(home) ? null : home;
    }

    /** {@return why there is no {@link #place}, or {@code null} when nobody names one} */
    static @Nullable String objection(Surroundings surroundings) {
        String folder = surroundings.environment().nonBlank("XDG_CONFIG_HOME");
        String home = home(surroundings);
        boolean isOfEnvironment = surroundings.environment().nonBlank("HOME") != null;
        String name = folder != null ? "XDG_CONFIG_HOME" : isOfEnvironment ? "HOME" : "user.home";
        return folder == null && home == null
                ? null
                : Lookup.unreadable(name, folder == null ? home : folder)
                        + ", so no configuration is looked for; next: " + Lookup.OTHER_LOCALE;
    }

    /**
     * Reads the configuration, if there is one.
     *
     * @param surroundings tell where
     * @return the configuration
     * @throws Trouble if it is there and wrong
     */
    static Config read(Surroundings surroundings) {
        Path file = place(surroundings);
        if (file == null) {
            String objection = objection(surroundings);
            if (objection != null) {
                surroundings.note(objection);
            }
            return new Config(null, List.of());
        }
        boolean named = surroundings.environment().nonBlank("FASTN_CONFIG") != null;
        if (Files.notExists(file)) {
            if (named) {
                throw new Trouble(
                        ExitCode.ERROR,
                        "the configuration is not read",
                        "FASTN_CONFIG names " + Printable.line(file.toString()) + ", and there is no such file",
                        "make it, or unset FASTN_CONFIG");
            }
            return new Config(file, List.of());
        }
        if (!named && !Files.exists(file)) {
            // As of who runs this as somebody else and kept the home: the nodes of this machine are found all the same.
            // Below what is no folder, such as the /dev/null that is the home of some users, there is none.
            String unseen = ConfigFile.unseen(file);
            if (unseen != null) {
                surroundings.note("whether there is a configuration " + Printable.line(file.toString())
                        + " is not known, for " + unseen + "; FASTN_CONFIG may name another one");
            }
            return new Config(unseen == null ? file : null, List.of());
        }
        return new Config(file, ConfigFile.read(file));
    }

    /** {@return the node of this alias, if the configuration names one} */
    Optional<RemoteNode> node(String alias) {
        return nodes.stream().filter(node -> node.alias().equals(alias)).findFirst();
    }
}
