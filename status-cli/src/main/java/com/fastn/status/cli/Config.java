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
            return Path.of(explicit);
        }
        String folder = surroundings.environment().nonBlank("XDG_CONFIG_HOME");
        if (folder != null) {
            return Path.of(folder, "fastn", "config.toml");
        }
        String home = surroundings.environment().nonBlank("HOME");
        if (home == null) {
            home = surroundings.properties().nonBlank("user.home");
        }
        // In a container without a home the JDK says "?".
        return home == null || home.equals("?") ? null : Path.of(home, ".config", "fastn", "config.toml");
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
        if (file == null || !Files.exists(file)) {
            if (file != null && surroundings.environment().nonBlank("FASTN_CONFIG") != null) {
                throw new Trouble(
                        ExitCode.ERROR,
                        "the configuration is not read",
                        "FASTN_CONFIG names " + Printable.line(file.toString()) + ", and there is no such file",
                        "make it, or unset FASTN_CONFIG");
            }
            return new Config(file, List.of());
        }
        return new Config(file, ConfigFile.read(file));
    }

    /** {@return the node of this alias, if the configuration names one} */
    Optional<RemoteNode> node(String alias) {
        return nodes.stream().filter(node -> node.alias().equals(alias)).findFirst();
    }
}
