import { type Command, Option } from "commander";
import { type ToAction, UsageError } from "../connection/command-context.ts";
import type { ServeCommand } from "../connection/effects.ts";
import { printable } from "../render/printable.ts";
import { renderCheck } from "../render/render-check.ts";
import { exitCode } from "../terminal/exit-code.ts";
import { installHelp } from "./install-option.ts";
import { examples } from "./option-texts.ts";

/** `controller serve`: the controller itself; its options come from the configuration. */
export function registerServe(program: Command, serve: ServeCommand, toAction: ToAction): void {
  const command = program
    .command("serve")
    .description(
      "run the controller\n\n" +
        "Serves TFTP and HTTP (boot files and boot configs), HTTPS (images), gRPC over TLS, and a unix socket for these commands. " +
        "Runs in the foreground until Ctrl-C or SIGTERM; a second signal kills it. Unfinished rollouts resume at the next " +
        "start. A clean shutdown has exit code 0.\n\n" +
        "Anything that keeps nodes from booting is logged with its remedy. The controller exits with code 1 if it needs " +
        "someone to act (a bad configuration, a missing program or permission, a port that another program holds). It waits " +
        "for what can resolve itself, such as a cable, an address or a root filesystem that is being built, and shows that " +
        'in "controller status".',
    )
    .summary("run the controller")
    .option(
      "--check",
      "list everything that would keep a node from booting, then exit; exit code 1 if there is anything",
    )
    .option("--install", installHelp)
    .option("--json", "with --check: print JSON");
  for (const { flags, description, choices = [] } of serve.options) {
    // The program's own --socket means the same, and commander would pass its value anyway.
    if (/(^|\s)--socket\s/.test(flags)) continue;
    const option = new Option(flags, description);
    // Only told: the configuration refuses others, by whichever way they come.
    if (choices.length > 0) option.argChoices = [...choices];
    command.addOption(option);
  }
  command.addHelpText(
    "after",
    examples(
      ["controller serve --check", "what is missing on this machine?"],
      ["controller serve --config pallet.yaml"],
      ["PALLET_LOG_LEVEL=debug controller serve", "a setting for once"],
    ),
  );
  if (serve.help !== undefined) command.addHelpText("after", serve.help);
  command.action(
    toAction<[], Record<string, string | boolean>>(
      async ({ signal, isJson, look, print, printJson, note }, options) => {
        const {
          server: _,
          bundle: ___,
          check,
          install,
          json: __,
          ...values
        } = options as Record<string, string | boolean>;
        if (isJson && check !== true) throw new UsageError("--json is only valid with --check");
        if (install === true) await serve.install(values, (line) => note([printable(line)]));
        if (check !== true) {
          await serve.run(values, signal);
          return;
        }
        const report = await serve.check(values);
        const isFine = report.problems.length === 0;
        if (isJson) printJson({ isFine, ...report });
        else print(renderCheck(report, look));
        return isFine ? exitCode.done : exitCode.failed;
      },
    ),
  );
}
