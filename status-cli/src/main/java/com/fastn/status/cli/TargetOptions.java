package com.fastn.status.cli;

import java.time.Duration;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/** Which nodes are meant, and how long they have to answer. */
final class TargetOptions {
    @Parameters(
            arity = "0..*",
            split = ",",
            paramLabel = "ALIAS",
            description =
                    "Which nodes: aliases, those of the configuration too, or beginnings of incarnations. Separate"
                            + " them with commas.")
    List<String> names = List.of();

    @Option(
            names = {"--cluster", "--all"},
            description = "Every node of the cluster; of every cluster that has a node on this machine.")
    boolean cluster;

    @Option(
            names = "--timeout",
            paramLabel = "TIME",
            description = "How long a node has to answer, such as 500ms or 10s. Default: 3s.")
    Duration timeout = Duration.ofSeconds(3);

    void check(CommandSpec spec) {
        if (cluster && !names.isEmpty()) {
            throw usage(spec, "give either names or --cluster: --cluster shows every node anyway");
        }
        if (names.stream().anyMatch(String::isBlank)) {
            throw usage(spec, "a name is empty; separate names by one comma, such as alice,bob");
        }
        if (timeout.isNegative() || timeout.isZero() || timeout.compareTo(Duration.ofHours(1)) > 0) {
            throw usage(spec, "--timeout is a time from 1ms to 1h, not " + timeout.toMillis() + "ms");
        }
    }

    static ParameterException usage(CommandSpec spec, String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
