import path from "node:path";
import process from "node:process";
import { checkout } from "../../../test/programs/checkout.ts";
import type { AgentOrder, PhaseChange } from "./agent-order.ts";
import { type Place, runProgram } from "./started-program.ts";

/** Has agents do one operation each, all at once. Resolves with every change of phase in the order of time. */
export async function runOrders(place: Place, orders: readonly AgentOrder[]): Promise<readonly PhaseChange[]> {
  const program = path.join(checkout, "scripts/bench/drive-agents.ts");
  const output = await runProgram("the write", place, [process.execPath, program, JSON.stringify(orders)]);
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
