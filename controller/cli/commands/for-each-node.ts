import { Failure } from "../../../proto/failure.ts";
import { type CommandContext, StopRequested } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { renderFailure } from "../render/render-failure.ts";
import { formatCount } from "../render/units.ts";
import { confirm, requireConsent } from "../terminal/confirm.ts";
import { exitCode } from "../terminal/exit-code.ts";
import { viewFailure } from "../view/failure-view.ts";
import type { ChosenNode } from "./node-choice.ts";

/** How many nodes are worked on side by side. */
const mostAtOnce = 16;

/** Whether nodes were selected, and not one named in full: then there is an answer for each, also when there is one. */
export function areSelected(chosen: readonly ChosenNode[]): boolean {
  return chosen.length !== 1 || chosen[0]?.known !== undefined;
}

/**
 * Does something to each chosen node, to several side by side. A failure of one does not keep it from the others: it is
 * printed under the node's name, and counted at the end.
 *
 * @param work resolves with its exit code; undefined means done
 * @returns the exit code: failed if it failed for any
 * @throws what the work throws, when there is only one node; StopRequested
 */
export async function forEachNode(
  context: Pick<CommandContext, "note" | "signal">,
  chosen: readonly ChosenNode[],
  work: (node: ChosenNode) => Promise<number | undefined>,
): Promise<number> {
  const [only, ...others] = chosen;
  if (only !== undefined && others.length === 0) return (await work(only)) ?? exitCode.done;
  const failed: string[] = [];
  let stop: StopRequested | undefined;
  const queue = [...chosen];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined && !context.signal.aborted; next = queue.shift()) {
      try {
        if (((await work(next)) ?? exitCode.done) !== exitCode.done) failed.push(next.name);
      } catch (error) {
        if (error instanceof StopRequested) stop = error;
        else {
          failed.push(next.name);
          const [first = "", ...rest] = renderFailure(viewFailure(Failure.from(error)));
          context.note([`error: ${printable(next.name)}: ${first}`, ...rest.map((line) => `  ${line}`)]);
        }
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(mostAtOnce, chosen.length) }, worker));
  if (stop !== undefined) throw stop;
  context.signal.throwIfAborted();
  if (failed.length === 0) return exitCode.done;
  const names = chosen.filter(({ name }) => failed.includes(name)).map(({ name }) => printable(name));
  context.note([`failed on ${failed.length} of ${formatCount(chosen.length, "node")}: ${names.join(", ")}`]);
  return exitCode.failed;
}

/**
 * Names the nodes that something is about to be done to, and asks; not for one alone, which was named or seen.
 *
 * @param verb what is done, for example "Reboot"
 * @param warnings what follows from it, below the names
 * @returns whether the operator agreed; if not, a message has been printed
 * @throws UsageError when there is nobody to ask
 */
export async function confirmNodes(
  context: CommandContext,
  chosen: readonly ChosenNode[],
  { verb, yes, warnings = [] }: { verb: string; yes: boolean | undefined; warnings?: readonly string[] },
): Promise<boolean> {
  if (yes === true || chosen.length === 1) return true;
  const count = formatCount(chosen.length, "node");
  requireConsent(context, yes, `concerns ${count} (${namesOf(chosen)})`, "give --yes");
  context.note([...warnings, namesOf(chosen)]);
  if (await confirm(context, `${verb} these ${count}? Type yes: `)) return true;
  context.note(["Not confirmed; nothing was changed."]);
  return false;
}

function namesOf(chosen: readonly ChosenNode[]): string {
  return chosen.map(({ name }) => printable(name)).join(", ");
}
