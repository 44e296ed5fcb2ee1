import { Argument, type Command } from "commander";
import { planCompletion } from "../completion/plan-completion.ts";
import { renderCompletion, type Shell, shells } from "../completion/render-completion.ts";
import type { ToAction } from "../connection/command-context.ts";
import { describeCommand } from "../tree/describe-command.ts";
import { examples } from "./option-texts.ts";

/** `controller completion bash|zsh|fish`: the script by which a shell completes command lines of this program. */
export function registerCompletion(program: Command, toAction: ToAction): void {
  program
    .command("completion")
    .description(
      "print the script by which a shell completes these commands\n\n" +
        "The Debian package installs it for all three shells; this is for the program alone. The script knows commands, " +
        "options and their choices by itself. Names of nodes, images and rollouts it asks the controller for, with the " +
        "--socket or --server of the line, and offers none if no answer comes within two seconds.",
    )
    .summary("print the script by which a shell completes these commands")
    .addArgument(new Argument("<shell>", "the shell").choices(shells))
    .addHelpText(
      "after",
      examples(
        ["controller completion bash > /etc/bash_completion.d/controller", "with bash-completion, for every new shell"],
        ["controller completion zsh > ~/.zfunc/_controller", "with fpath+=(~/.zfunc) before compinit in ~/.zshrc"],
        ["controller completion fish > ~/.config/fish/completions/controller.fish"],
        ["source <(controller completion bash)", "in this shell alone"],
      ),
    )
    .action(
      toAction<[Shell], object>(async ({ print }, _, shell) => {
        print([renderCompletion(shell, planCompletion(describeCommand(program))).trimEnd()]);
        return undefined;
      }),
    );
}
