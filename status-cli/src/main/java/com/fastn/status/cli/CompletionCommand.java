package com.fastn.status.cli;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/** {@code fastn completion}: what makes a shell complete the command. */
final class CompletionCommand implements Subcommand {
    /** What stands for a node in the help. */
    private static final String ALIAS = "ALIAS";

    private static final String WITH_ALIASES = """

            # Completes the aliases of nodes too, each behind a comma as well.
            function _fastn_with_aliases() {
              _complete_fastn
              local word=${COMP_WORDS[COMP_CWORD]}
              local before=""
              case ${COMP_WORDS[COMP_CWORD-1]} in
                --on) ;;
                VALUED) return 0 ;;
                *)
                  [ "$COMP_CWORD" -ge 2 ] || return 0
                  case ${COMP_WORDS[1]} in
                    NAMED) ;;
                    *) return 0 ;;
                  esac
                  ;;
              esac
              case $word in
                -*) return 0 ;;
                *,*) before=${word%,*}, ;;
              esac
              local IFS=$'\\n'
              COMPREPLY+=($(compgen -P "$before" -W "$(fastn aliases 2>/dev/null </dev/null)" -- "${word##*,}"))
            }
            complete -F _fastn_with_aliases -o default fastn fastn.sh fastn.bash
            """;

    private final Surroundings surroundings;
    private final Syntax syntax;

    CompletionCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
        syntax = new Syntax("completion", this, "Prints what makes a shell complete commands, options and aliases.")
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
        CommandLine program = Fastn.whole(surroundings);
        surroundings.out().print(AutoComplete.bash("fastn", program));
        surroundings.out().print(aliases(program));
        return ExitCode.OK;
    }

    /** {@return what completes aliases too} They come and go, so the command is asked for them each time. */
    private static String aliases(CommandLine program) {
        Set<String> named = new TreeSet<>();
        Set<String> valued = new TreeSet<>();
        program.getSubcommands().forEach((name, command) -> {
            if (command.getCommandSpec().positionalParameters().stream()
                    .anyMatch(parameter -> parameter.paramLabel().equals(ALIAS))) {
                named.add(name);
            }
            for (OptionSpec option : command.getCommandSpec().options()) {
                if (option.arity().max() > 0 && !option.paramLabel().equals(ALIAS)) {
                    valued.addAll(List.of(option.names()));
                }
            }
        });
        return WITH_ALIASES.replace("VALUED", String.join("|", valued)).replace("NAMED", String.join("|", named));
    }
}
