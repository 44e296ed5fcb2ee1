import type { Command } from "commander";
import type { Run } from "../command-context.ts";
import type { ServeCommand } from "../effects.ts";

/** `controller serve`: the controller itself; its options come from the configuration. */
export function registerServe(program: Command, serve: ServeCommand, run: Run): void {
  const command = program
    .command("serve")
    .description(
      "run the controller\n\n" +
        "Serves TFTP (boot files and boot configs), HTTP (images), gRPC for nodes, and a unix socket for these commands. " +
        "It runs in the foreground until Ctrl-C or SIGTERM. Rollouts that it had to leave are taken up again at its next start. " +
        "An end in order has exit code 0; a second signal ends it at once.",
    )
    .summary("run the controller");
  for (const { flags, description } of serve.options) {
    // The program's own --socket says the same, and commander would give it the value anyway.
    if (/(^|\s)--socket\b/.test(flags)) continue;
    command.option(flags, description);
  }
  if (serve.help !== undefined) command.addHelpText("after", serve.help);
  command.action(
    run<[], Record<string, string | boolean>>(async ({ signal }, options) => {
      const { address: _, ...values } = options;
      await serve.run(values as Record<string, string | boolean>, signal);
    }),
  );
}
