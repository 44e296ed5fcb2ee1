import type { Command } from "commander";
import { type Run, UsageError } from "../connection/command-context.ts";
import type { ServeCommand } from "../connection/effects.ts";
import { printable } from "../render/printable.ts";
import { renderCheck } from "../render/render-check.ts";
import { exitCode } from "../terminal/exit-code.ts";
import { installHelp } from "./install-option.ts";

/** `controller serve`: the controller itself; its options come from the configuration. */
export function registerServe(program: Command, serve: ServeCommand, run: Run): void {
  const command = program
    .command("serve")
    .description(
      "run the controller\n\n" +
        "Serves TFTP (boot files and boot configs), HTTP (images), gRPC for nodes, and a unix socket for these commands. " +
        "It runs in the foreground until Ctrl-C or SIGTERM. Rollouts that it had to leave are taken up again at its next start. " +
        "An end in order has exit code 0; a second signal ends it at once.\n\n" +
        "What keeps nodes from booting is logged, with its remedy. The controller ends with exit code 1 where only somebody " +
        "who acts can help (a bad configuration, a missing program or right, a port that another program holds); for what " +
        "comes by itself, as a cable, an address, a root filesystem that is being built, it waits, and says so in " +
        '"controller status".',
    )
    .summary("run the controller")
    .option(
      "--check",
      "list everything that would keep a node from booting, and serve nothing; exit code 1 if there is any",
    )
    .option("--install", installHelp)
    .option("--json", "with --check: print JSON");
  for (const { flags, description } of serve.options) {
    // The program's own --socket says the same, and commander would give it the value anyway.
    if (/(^|\s)--socket\b/.test(flags)) continue;
    command.option(flags, description);
  }
  if (serve.help !== undefined) command.addHelpText("after", serve.help);
  command.action(
    run<[], Record<string, string | boolean>>(async ({ signal, isJson, look, print, printJson, note }, options) => {
      const { address: _, check, install, json: __, ...values } = options as Record<string, string | boolean>;
      if (isJson && check !== true) throw new UsageError("--json goes with --check only");
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
    }),
  );
}
