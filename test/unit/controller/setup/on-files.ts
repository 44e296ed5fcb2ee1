// A setup and its undo in a folder, with what they plan for a machine of which only the files change.
import assert from "node:assert/strict";
import { lstat, mkdir, readdir, readFile, readlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { carryOutSetup, carryOutUndo } from "../../../../controller/setup/carry-out.ts";
import type { Content } from "../../../../controller/setup/content.ts";
import type { SetupFacts } from "../../../../controller/setup/facts.ts";
import { readJournal } from "../../../../controller/setup/gather-setup-facts.ts";
import type { Machine } from "../../../../controller/setup/machine.ts";
import { planSetup, type SetupPlan } from "../../../../controller/setup/plan-setup.ts";
import { planUndo } from "../../../../controller/setup/plan-undo.ts";
import { possiblePaths } from "../../../../controller/setup/render-files.ts";
import { choice, freshMachine, running, withUnits } from "./a-machine.ts";

/** Everything below a folder: names, permissions, contents. */
export async function listing(root: string, folder = ""): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of (await readdir(path.join(root, folder))).toSorted()) {
    const at = path.join(folder, name);
    const status = await lstat(path.join(root, at));
    if (status.isDirectory()) found.push(`${at}/`, ...(await listing(root, at)));
    else if (status.isSymbolicLink()) found.push(`${at} -> ${await readlink(path.join(root, at))}`);
    else found.push(`${at} ${status.mode.toString(8)} ${await readFile(path.join(root, at), "utf8")}`);
  }
  return found;
}

/** Makes a folder into one with what a fresh Debian has there. */
export async function furnish(root: string): Promise<string> {
  for (const folder of ["etc/systemd/system", "etc/systemd/network", "etc/sysctl.d", "etc/chrony/conf.d", "var/lib"])
    await mkdir(path.join(root, folder), { recursive: true });
  await writeFile(path.join(root, "etc/hosts"), "127.0.0.1 localhost\n");
  return root;
}

export async function look(machine: Machine): Promise<SetupFacts> {
  const journal = await readJournal(machine);
  const contents = new Map<string, Content>();
  for (const file of possiblePaths) contents.set(file, await machine.read(file));
  // What the operator's own services were does not change by writing files.
  const facts = withUnits(freshMachine(), { "dnsmasq.service": running });
  return { ...facts, contents, ...(journal !== undefined && { journal }) };
}

export async function apply(machine: Machine, chosen = choice): Promise<SetupPlan> {
  const plan = planSetup(chosen, await look(machine));
  assert.deepEqual(plan.conflicts, []);
  await carryOutSetup(plan, machine, () => undefined);
  return plan;
}

export async function undo(machine: Machine, keepChanged = false): Promise<void> {
  const facts = await look(machine);
  if (facts.journal === undefined) return;
  const plan = planUndo(facts.journal, facts, keepChanged);
  assert.deepEqual(plan.conflicts, []);
  await carryOutUndo(plan, machine, () => undefined);
}

/** Empty folders of the journal alone may stay of a death before it was noted what is ours. */
export function leftovers(list: readonly string[]): readonly string[] {
  return list.filter((line) => line !== "var/lib/pallet/" && !line.startsWith("var/lib/pallet/setup.json.pallet-new"));
}
