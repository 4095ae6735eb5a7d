package com.fastn.status.cli;

import picocli.AutoComplete;

/** {@code fastn completion}: what makes a shell complete the command. */
final class CompletionCommand implements Subcommand {
    private final Surroundings surroundings;
    private final Syntax syntax;
    private Shells shell = Shells.BASH;

    CompletionCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
        syntax = new Syntax("completion", this, "Prints what makes a shell complete commands and options.")
                .footer(
                        "",
                        "  bash: fastn completion bash > ~/.local/share/bash-completion/completions/fastn",
                        "  zsh:  fastn completion zsh > ~/.fastn.zsh, and in ~/.zshrc: source ~/.fastn.zsh")
                .parameter(Shells.class, "SHELL", "bash or zsh.", given -> shell = given)
                .common();
    }

    @Override
    public Syntax syntax() {
        return syntax;
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
