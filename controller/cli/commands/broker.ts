import type { Command } from "commander";
import type { ToAction } from "../connection/command-context.ts";
import type { BrokerCommand, BrokerRun } from "../connection/effects.ts";

/** `controller broker`: what a controller that is not root has done by root. systemd starts it, so no help lists it. */
export function registerBroker(program: Command, broker: BrokerCommand, toAction: ToAction): void {
  program
    .command("broker", { hidden: true })
    .description("do what needs root for a controller that runs as another user; pallet-broker.service runs it")
    .requiredOption("--user <name>", "the user that may ask")
    .requiredOption("--directory <folder>", "a folder of root's alone")
    .option("--config <file>", "the configuration to go by (default: /etc/pallet/pallet.yaml)")
    .option("--listen <path>", "where to listen (default: the socket that systemd hands over)")
    .addHelpText("after", "\nExample:\n  $ controller broker --user pallet --directory /var/lib/pallet-broker")
    .action(
      toAction<[], Omit<BrokerRun, "socket"> & { readonly listen?: string }>(
        async ({ signal }, { user, directory, config, listen }) => {
          await broker.run(
            {
              ...{ user, directory },
              ...(config !== undefined && { config }),
              ...(listen !== undefined && { socket: listen }),
            },
            signal,
          );
          return undefined;
        },
      ),
    );
}
