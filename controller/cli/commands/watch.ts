import type { Command } from "commander";
import { Failure } from "../../../proto/failure.ts";
import type { ToAction } from "../connection/command-context.ts";
import { noRollouts } from "../rollout/render-rollouts.ts";
import { type WaitFor, watchRollout } from "../rollout/watch-rollout.ts";
import { examples, jsonLinesHelp } from "./option-texts.ts";
import { waitOption } from "./wait-option.ts";

/** `controller watch [ID]`: a rollout until it has ended. */
export function registerWatch(program: Command, toAction: ToAction): void {
  program
    .command("watch")
    .description(
      "watch a rollout until it ends\n\n" +
        "Shows a live table on a terminal and plain lines in a pipe. Ctrl-C stops watching; the controller keeps running " +
        "the rollout. The exit code is 0 only if every node is proved and its first-boot tasks, if it has any, have succeeded.",
    )
    .summary("watch a rollout until it ends")
    .argument("[rollout]", "id of the rollout (default: the newest one)")
    .addOption(waitOption())
    .option("--json", jsonLinesHelp)
    .addHelpText("after", examples(["controller watch"], ["controller watch 20261123-001705-k3f9"]))
    .action(
      toAction<[string | undefined], { readonly wait?: WaitFor }>(async (context, { wait }, id) => {
        if (id !== undefined) return await watchRollout(context, id, false, wait);
        const [newest] = (await context.client.listRollouts({}, context.signal)).rollouts;
        if (newest === undefined) throw new Failure("invalid", noRollouts);
        return await watchRollout(context, newest.rolloutId, true, wait);
      }),
    );
}
