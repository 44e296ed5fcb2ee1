import path from "node:path";
import process from "node:process";
import { checkout } from "../../../test/programs/checkout.ts";
import type { AgentOrder, PhaseChange } from "./agent-order.ts";
import type { BenchController } from "./bench-controller.ts";
import { type Place, runProgram } from "./started-program.ts";

/**
 * Has agents of a controller do one operation each, all at once. Resolves with every change of phase in the order of
 * time.
 */
export async function runOrders(
  place: Place,
  { authorityFolder }: Pick<BenchController, "authorityFolder">,
  orders: readonly AgentOrder[],
): Promise<readonly PhaseChange[]> {
  const program = path.join(checkout, "scripts/bench/drive-agents.ts");
  const command = [process.execPath, program, JSON.stringify(orders)];
  const output = await runProgram("the write", place, [...command, ...(authorityFolder ? [authorityFolder] : [])]);
  return output
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as PhaseChange);
}

/** The first change of an agent into a phase. Throws when there was none. */
export function changeInto(changes: readonly PhaseChange[], phase: string, agent = 0): PhaseChange {
  const found = changes.find((change) => change.agent === agent && change.phase === phase);
  if (found === undefined) throw new Error(`agent ${agent} has never been in phase ${phase}`);
  return found;
}
