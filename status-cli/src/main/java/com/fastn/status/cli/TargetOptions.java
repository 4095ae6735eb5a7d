package com.fastn.status.cli;

import java.time.Duration;
import java.util.List;

/** Which nodes are meant, and how long they have to answer. */
final class TargetOptions implements Options {
    List<String> names = List.of();
    boolean cluster;
    Duration timeout = Duration.ofSeconds(3);
    private final boolean clusters;

    TargetOptions() {
        this(true);
    }

    private TargetOptions(boolean clusters) {
        this.clusters = clusters;
    }

    /** {@return those of a command that asks each node itself, and without names all that it can reach} */
    static TargetOptions ofNodes() {
        return new TargetOptions(false);
    }

    @Override
    public void tell(Syntax syntax) {
        syntax.parameters(
                "0..*",
                "ALIAS",
                "Which nodes: aliases, those of the configuration too, or beginnings of incarnations. Separate"
                        + " them with commas.",
                given -> names = given);
        if (clusters) {
            syntax.flag(
                    "--cluster, --all",
                    "Every node of the cluster; of every cluster that has a node on this machine.",
                    given -> cluster = given);
        }
        syntax.option(
                "--timeout",
                Duration.class,
                "TIME",
                "How long a node has to answer, such as 500ms or 10s. Default: 3s.",
                given -> timeout = given);
    }

    void check(Syntax syntax) {
        if (cluster && !names.isEmpty()) {
            throw syntax.misuse("give either names or --cluster: --cluster shows every node anyway");
        }
        if (names.stream().anyMatch(String::isBlank)) {
            throw syntax.misuse("a name is empty; separate names by one comma, such as alice,bob");
        }
        if (timeout.isNegative() || timeout.isZero() || timeout.compareTo(Duration.ofHours(1)) > 0) {
            throw syntax.misuse("--timeout is a time from 1ms to 1h, not " + timeout.toMillis() + "ms");
        }
    }
}
