package com.fastn.status.cli;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.Ticker;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

class SyntaxTest {
    private List<String> taken = List.of();

    private final Syntax syntax = new Syntax("test", () -> 0, "Is tested.")
            .list("--on", "ALIAS", "Which.", given -> taken = given)
            .common();

    private static CommandLine program() {
        return Fastn.whole(new Surroundings(
                name -> null,
                name -> null,
                false,
                pid -> true,
                Ticker.system(),
                () -> Size.UNKNOWN,
                System.out,
                System.err));
    }

    @Test
    void ofEveryListOfEveryCommandNoValueIsLostThatAnOptionStandsBehind() {
        List<String> lists = new ArrayList<>();
        for (String name : program().getSubcommands().keySet()) {
            for (int i = 0; i < all(program(), name).size(); i++) {
                // Each in a program of its own, for a list is kept as long as its command.
                CommandLine program = program();
                ArgSpec list = all(program, name).get(i);
                if (list.isMultiValue()) {
                    String label = name + " " + list.paramLabel();
                    lists.add(label);
                    program.parseArgs(twice(name, list).toArray(String[]::new));
                    assertThat(list.<List<String>>getValue()).as(label).containsExactly("a", "b", "c");
                }
            }
        }
        assertThat(lists)
                .contains("status ALIAS", "top ALIAS", "nodes ALIAS", "record ALIAS", "doctor ALIAS", "explain ALIAS");
    }

    private static List<ArgSpec> all(CommandLine program, String name) {
        return requireNonNull(program.getSubcommands().get(name), name)
                .getCommandSpec()
                .args();
    }

    private static List<String> twice(String name, ArgSpec list) {
        List<String> words = new ArrayList<>(List.of(name));
        if (list instanceof OptionSpec option) {
            words.addAll(List.of(option.longestName(), "a", Syntax.DEBUG, option.longestName(), "b,c"));
        } else {
            words.addAll(
                    Collections.nCopies(((PositionalParamSpec) list).index().min(), "first"));
            words.addAll(List.of("a", Syntax.DEBUG, "b,c"));
        }
        return words;
    }

    @Test
    void eachCommandLineBeginsAListOfItsOwn() {
        CommandLine command = new CommandLine(syntax.spec());
        command.parseArgs("--on", "a", "--on", "b");
        List<String> first = taken;
        command.parseArgs("--on", "c");
        assertThat(first).containsExactly("a", "b");
        assertThat(taken).containsExactly("c");
    }
}
