import type { Command } from "commander";
import type { ToAction } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { type CarryOutOptions, carryOut, requireErasureConsent } from "../rollout/carry-out.ts";
import { exitCode } from "../terminal/exit-code.ts";
import { examples, jsonLinesHelp } from "./option-texts.ts";

/** `controller rollout retry ID`. */
export function registerRolloutRetry(parent: Command, toAction: ToAction): void {
  parent
    .command("retry")
    .description(
      "try again the nodes of a rollout that failed or were cancelled, and no others\n\n" +
        "A new rollout, with the same image (by its digest, whatever its name means by now) and the same options. Shows the plan " +
        "and asks, as reimage does. Nodes that have proved the image since are left alone.",
    )
    .summary("try again the nodes of a rollout that failed or were cancelled")
    .argument("<rollout>", "id of the rollout")
    .option("--dry-run", "show what would be erased and written where, then exit")
    .option("--yes", "do not ask before erasing")
    .option("--detach", "start the rollout and exit")
    .option("--json", jsonLinesHelp)
    .addHelpText("after", examples(["controller rollout retry 20261123-001705-k3f9"]))
    .action(
      toAction<[string], CarryOutOptions>(async (context, options, retryOf) => {
        requireErasureConsent(context, options);
        const request = {
          ...{
            nodes: [],
            all: false,
            imageName: "",
            disk: "",
            noResident: false,
            full: false,
            noProfiles: false,
            noGrow: false,
          },
          ...{ growToBytes: 0n, imageDigest: "", seen: [], onlyChanged: false, retryOf },
        };
        return await carryOut(context, request, options, () => {
          context.note([`Nothing to do: no node of rollout ${printable(retryOf)} failed or was cancelled.`]);
          return exitCode.done;
        });
      }),
    );
}
