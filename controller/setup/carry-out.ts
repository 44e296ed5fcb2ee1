import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Failure, messageOf } from "../../proto/failure.ts";
import { isDiskFull } from "../../proto/linux/disk-full.ts";
import { digestOf } from "./content.ts";
import { type Journal, journalFile, renderJournal } from "./journal.ts";
import type { Machine } from "./machine.ts";
import type { FileChange } from "./plan-changes.ts";
import type { Action, SetupPlan, Steps } from "./plan-setup.ts";
import type { UndoPlan } from "./plan-undo.ts";
import { setupPaths } from "./render-files.ts";
import { rackName } from "./setup-choice.ts";

/** Says what is being done. */
export type Say = (step: Action | FileChange) => void;

/**
 * Carries out a plan without conflicts. What it is going to do is noted first, so that whatever ends it at whatever moment, the
 * same plan made anew goes on, and an undo finds its way back.
 */
export async function carryOutSetup(plan: SetupPlan, machine: Machine, say: Say): Promise<void> {
  if (plan.journal === undefined || plan.conflicts.length > 0)
    throw new Failure("invalid", "something is in the way of this setup");
  const folders = await missingFolders(machine, pathsOf(plan.changes));
  const journal = { ...plan.journal, folders: [...new Set([...plan.journal.folders, ...folders])] };
  await beginJournal(machine, journal);
  for (const folder of folders) await machine.makeFolder(folder);
  await takeSteps(plan, machine, say);
  await writeJournal(machine, { ...journal, phase: "applied", files: await settledFiles(machine, journal.files) });
}

/** Carries out an undo without conflicts; the note of the setup goes last. */
export async function carryOutUndo(plan: UndoPlan, machine: Machine, say: Say): Promise<void> {
  if (plan.conflicts.length > 0) throw new Failure("invalid", "something is in the way of this undo");
  await writeJournal(machine, plan.journal).catch((error: unknown) => {
    // The note that is there leads back as well, and what an undo removes is what a full disk needs.
    if (!isDiskFull(error)) throw error;
  });
  // What an interrupted write left beside a file that is not there.
  for (const { path: file } of plan.journal.files)
    if ((await machine.read(file)).kind === "absent" && (await machine.folderExists(path.dirname(file))))
      await machine.remove(file);
  const isLast = ({ kind }: Action): boolean => kind === "start" || kind === "restart";
  await takeSteps({ ...plan, actions: plan.actions.filter((action) => !isLast(action)) }, machine, say);
  // A service that fails by itself may not keep the machine half undone for ever.
  const failures: string[] = [];
  for (const action of plan.actions.filter(isLast)) {
    say(action);
    try {
      await act(action, machine);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      failures.push(error.message);
    }
  }
  for (const folder of plan.journal.folders.toReversed()) await machine.removeFolder(folder);
  await machine.remove(journalFile);
  // It is the controller's, who may have much in it.
  await machine.removeFolder(path.dirname(journalFile));
  if (failures.length > 0)
    throw new Failure("tool-failed", `the setup is undone, but a service did not start: ${failures.join("; ")}`);
}

async function takeSteps({ stops, changes, actions }: Steps, machine: Machine, say: Say): Promise<void> {
  for (const action of stops) {
    say(action);
    await act(action, machine);
  }
  for (const change of changes) {
    say(change);
    if (change.kind === "remove") await machine.remove(change.path);
    else await machine.write(change.path, change.content);
  }
  for (const action of actions) {
    say(action);
    await act(action, machine);
  }
}

async function act(action: Action, machine: Machine): Promise<void> {
  switch (action.kind) {
    case "stop":
    case "start":
    case "restart":
      await machine.run("systemctl", action.kind, action.unit);
      return;
    case "reload":
      return await reload(action.what, machine);
    case "raise":
      await machine.run("ip", "link", "set", "dev", action.device, "up");
      return;
    case "rename":
      // A name can only be changed while the interface is down, before Linux 6.2.
      await machine.run("ip", "link", "set", "dev", action.from, "down");
      await machine.run("ip", "link", "set", "dev", action.from, "name", action.to);
      if (action.isUp) await machine.run("ip", "link", "set", "dev", action.to, "up");
      return;
    case "address":
      return await changeAddress(action, machine);
    case "forward":
      await machine.run("sysctl", "-q", "-w", `net.ipv4.ip_forward=${action.on ? 1 : 0}`);
      return;
    case "user":
      if (action.exists) await machine.run("systemd-sysusers", setupPaths.user);
      else await machine.run("userdel", "pallet");
      return;
    case "folders":
      if (action.of === "pallet") await machine.run("systemd-tmpfiles", "--create", setupPaths.folders);
      else await machine.run("sh", "-c", takeBack);
      return;
  }
}

/** Only what is the controller's: the files of nodes' root filesystems have users of their own, of the same numbers. */
const takeBack = `set -e; cd /var/lib/pallet
find . -mindepth 1 -maxdepth 1 '(' -name identity -o -name images -o -name 'pallet.sqlite*' -o -name 'replaced-*' -o -name time ')' \
  -exec chown -R -h -P root:root '{}' +
find . -mindepth 1 -maxdepth 1 '(' -name boot -o -name rootfs ')' -type d -empty -delete
chown root:root . && chmod 0700 .
rm -rf /var/lib/pallet-broker`;

async function reload(what: Extract<Action, { readonly kind: "reload" }>["what"], machine: Machine): Promise<void> {
  switch (what) {
    case "systemd":
      await machine.run("systemctl", "daemon-reload");
      return;
    case "udev":
      await machine.run("udevadm", "control", "--reload");
      return;
    case "NetworkManager":
      await machine.run("systemctl", "reload", "NetworkManager.service");
      return;
    case "network":
      // It knows its files anew only over D-Bus, which a minimal Debian lacks; a restart keeps every address too. It fails at once
      // when more has changed meanwhile than its socket holds; systemd starts it again then, which a start waits for.
      await machine
        .run("networkctl", "reload")
        .catch(() => machine.run("systemctl", "restart", "systemd-networkd.service"))
        .catch(() => machine.run("systemctl", "start", "systemd-networkd.service"));
      return;
  }
}

async function changeAddress(
  { device, add, address }: Extract<Action, { readonly kind: "address" }>,
  machine: Machine,
): Promise<void> {
  if (add) await machine.run("ip", "address", "replace", address, "dev", device);
  // systemd-networkd may have taken it already.
  else if ((await machine.run("ip", "-oneline", "address", "show", "dev", device)).includes(` ${address} `))
    await machine.run("ip", "address", "delete", address, "dev", device);
}

/** Waits until the rack's interface has its address: systemd-networkd gives it in its own time. */
export async function awaitAddress(machine: Machine, address: string, withinMs = 15_000): Promise<void> {
  for (const end = performance.now() + withinMs; ; await pause(100)) {
    const listed = await machine.run("ip", "-oneline", "address", "show", "dev", rackName);
    if (listed.includes(` ${address} `) || listed.includes(` ${address}/`)) return;
    if (performance.now() > end)
      throw new Failure(
        "tool-failed",
        `systemd-networkd has not given ${address} to ${rackName} within ${withinMs / 1000} s: see journalctl -u systemd-networkd`,
      );
  }
}

/** Throws where the note cannot be written; then everything is as it was. */
async function beginJournal(machine: Machine, journal: Omit<Journal, "version">): Promise<void> {
  const folder = path.dirname(journalFile);
  const isNew = !(await machine.folderExists(folder));
  try {
    await machine.makeFolder(folder);
    await writeJournal(machine, journal);
  } catch (cause) {
    if (isNew) await machine.removeFolder(folder);
    throw new Failure("invalid", `${messageOf(cause)}, so nothing was changed`, { cause });
  }
}

async function writeJournal(machine: Machine, journal: Omit<Journal, "version">): Promise<void> {
  await machine.write(journalFile, { kind: "file", text: renderJournal(journal), mode: 0o600 });
}

/** The same notes, of what is there now alone; what somebody else made of a file keeps what ours was. */
async function settledFiles(machine: Machine, files: Journal["files"]): Promise<Journal["files"]> {
  const settled = await Promise.all(
    files.map(async (note) => {
      const { path: file, digests } = note;
      const content = await machine.read(file);
      const digest = digestOf(content);
      if (content.kind === "absent") return [];
      return [{ ...note, digests: digests.includes(digest) ? [digest] : digests }];
    }),
  );
  return settled.flat();
}

function pathsOf(changes: readonly FileChange[]): readonly string[] {
  return changes.flatMap((change) => (change.kind === "write" ? [change.path] : []));
}

/** The folders that these files need and that are not there, the outer before the inner. */
async function missingFolders(machine: Machine, files: readonly string[]): Promise<readonly string[]> {
  const missing = new Set<string>();
  for (const file of files) {
    const above: string[] = [];
    for (let at = path.dirname(file); at !== "/"; at = path.dirname(at)) above.unshift(at);
    for (const folder of above) if (!missing.has(folder) && !(await machine.folderExists(folder))) missing.add(folder);
  }
  return [...missing];
}
