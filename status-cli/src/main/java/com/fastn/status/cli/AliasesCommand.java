package com.fastn.status.cli;

import com.fastn.status.cli.NodeFinder.Found;
import java.util.List;
import java.util.stream.Stream;

/**
 * {@code fastn aliases}, which a shell asks when somebody presses tab: the nodes that can be named, each on a line. What is wrong is told
 * when a command runs, not here.
 */
final class AliasesCommand implements Subcommand {
    private final Surroundings surroundings;
    private final Syntax syntax;

    AliasesCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
        syntax = new Syntax("aliases", this, "Prints the aliases that can be named; for completion.").hidden();
    }

    @Override
    public Syntax syntax() {
        return syntax;
    }

    @Override
    public Integer call() {
        // A shell looks for more in what it is given than words.
        Stream.concat(here(), configured())
                .filter(alias -> Shell.quoted(alias).equals(alias))
                .distinct()
                .sorted()
                .forEach(alias -> surroundings.out().print(alias + "\n"));
        surroundings.out().flush();
        return ExitCode.OK;
    }

    private Stream<String> here() {
        List<LocalNode> nodes;
        try {
            Found found = new NodeFinder(
                            surroundings.properties(), surroundings.environment(), surroundings.processes())
                    .find();
            nodes = found.nodes();
        } catch (Trouble trouble) {
            nodes = List.of();
        }
        return nodes.stream().map(LocalNode::alias);
    }

    private Stream<String> configured() {
        List<RemoteNode> nodes;
        try {
            nodes = Config.read(surroundings.silent()).nodes();
        } catch (Trouble trouble) {
            nodes = List.of();
        }
        return nodes.stream().map(RemoteNode::alias);
    }
}
