package com.fastn.status.cli;

import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code fastn completion}: what makes a shell complete the command. */
@Command(
        name = "completion",
        sortOptions = false,
        description = "Prints what makes a shell complete commands and options.",
        footer = {
            "",
            "  bash: fastn completion bash > ~/.local/share/bash-completion/completions/fastn",
            "  zsh:  fastn completion zsh > ~/.fastn.zsh, and in ~/.zshrc: source ~/.fastn.zsh",
        })
final class CompletionCommand implements Callable<Integer> {
    private final Surroundings surroundings;

    @Parameters(paramLabel = "SHELL", description = "bash or zsh.")
    Shells shell = Shells.BASH;

    @Mixin
    CommonOptions common = new CommonOptions();

    CompletionCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    /** The shells that are known. */
    enum Shells {
        BASH,
        ZSH
    }

    @Override
    public Integer call() {
        String script = AutoComplete.bash("fastn", Fastn.whole(surroundings));
        if (shell == Shells.ZSH) {
            // The script speaks the language of bash, which zsh understands once it is told to.
            surroundings
                    .out()
                    .print("autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n");
        }
        surroundings.out().print(script);
        return ExitCode.OK;
    }
}
