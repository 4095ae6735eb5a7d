package com.fastn.status.cli;

import picocli.AutoComplete;

/** {@code fastn completion}: what makes a shell complete the command. */
final class CompletionCommand implements Subcommand {
    private final Surroundings surroundings;
    private final Syntax syntax;

    CompletionCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
        syntax = new Syntax("completion", this, "Prints what makes a shell complete commands and options.")
                .footer(
                        "",
                        "  bash: fastn completion bash > ~/.local/share/bash-completion/completions/fastn",
                        "  zsh:  fastn completion zsh > ~/.fastn.zsh, and in ~/.zshrc: source ~/.fastn.zsh")
                .parameter(Shells.class, "SHELL", "bash or zsh.", given -> {})
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
        // The script speaks the language of bash, and tells zsh to understand it. What completes other commands there
        // is left alone.
        surroundings.out().print(AutoComplete.bash("fastn", Fastn.whole(surroundings)));
        return ExitCode.OK;
    }
}
