import type { SetupFacts } from "./facts.ts";
import type { Conflict } from "./find-conflicts.ts";
import type { Journal } from "./journal.ts";
import { planRemovals } from "./plan-changes.ts";
import type { Action, Steps } from "./plan-setup.ts";
import { setupPaths } from "./render-files.ts";
import { rackName } from "./setup-choice.ts";

/** What an undo does; with conflicts it does nothing. */
export interface UndoPlan extends Steps {
  readonly conflicts: readonly Conflict[];
  /** Files that stay, because they are not as the setup wrote them. */
  readonly kept: readonly string[];
  readonly journal: Omit<Journal, "version">;
}

/**
 * Decides how the machine becomes what it was before its setup.
 *
 * @param keepChanged whether to leave alone what was changed since; the rest is undone
 */
export function planUndo(journal: Journal, facts: SetupFacts, keepChanged: boolean): UndoPlan {
  const { changes, foreign } = planRemovals(facts.contents, journal.files);
  // A config is the operator's from its first day on.
  const changed = foreign.filter((path) => path !== setupPaths.config);
  const was = (unit: string): boolean => journal.former.active.includes(unit);
  const is = (unit: string): boolean => facts.units.get(unit)?.isActive === true;
  const notes = new Set(journal.files.map(({ path }) => path));
  const stops: Action[] = [];
  const own = ["pallet-controller.service", "pallet-broker.socket", "pallet-broker.service", "pallet-firewall.service"];
  for (const unit of own) if (!was(unit) && is(unit)) stops.push({ kind: "stop", unit });
  // Before its number may be another user's.
  if (notes.has(setupPaths.user) && journal.former.user === false && facts.hasUser)
    stops.push({ kind: "folders", of: "root" }, { kind: "user", exists: false });

  const actions: Action[] = [{ kind: "reload", what: "systemd" }];
  if (facts.units.get("systemd-udevd.service")?.exists === true) actions.push({ kind: "reload", what: "udev" });
  const ownsNetworkd = !was("systemd-networkd.service");
  if (ownsNetworkd) {
    // Its socket would start it again at the next change of the network.
    for (const unit of ["systemd-networkd.socket", "systemd-networkd.service"])
      if (is(unit) && !was(unit)) actions.push({ kind: "stop", unit });
  }
  actions.push(...restoreRack(journal, facts));
  // Only now, when the interface has the name by which they know it.
  if (!ownsNetworkd && is("systemd-networkd.service")) actions.push({ kind: "reload", what: "network" });
  if (notes.has(setupPaths.networkManager) && is("NetworkManager.service"))
    actions.push({ kind: "reload", what: "NetworkManager" });
  if (!journal.former.forwards && notes.has(setupPaths.forwarding) && facts.forwards)
    actions.push({ kind: "forward", on: false });
  if (notes.has(setupPaths.time)) {
    // What starts with the machine by itself runs now, too: it has nothing else that keeps its clock.
    const runs = was("chrony.service") || !notes.has(setupPaths.timeWanted);
    actions.push({ kind: runs ? "restart" : "stop", unit: "chrony.service" });
  }
  if (notes.has(setupPaths.nfs))
    actions.push({ kind: was("nfs-server.service") ? "restart" : "stop", unit: "nfs-server.service" });
  for (const unit of journal.former.active)
    if (notes.has(`/etc/systemd/system/${unit}`) && !is(unit)) actions.push({ kind: "start", unit });
  return {
    conflicts: keepChanged
      ? []
      : changed.map((path) => ({
          message: `${path} was changed since the setup wrote it`,
          remedy: "--keep-changed leaves it as it is and undoes the rest",
        })),
    kept: foreign,
    stops,
    changes,
    actions,
    journal: { ...journal, phase: "undoing" },
  };
}

/** Gives the rack's interface what it had: its name, its addresses and whether it was up. */
function* restoreRack({ rack: former, choice }: Journal, { links }: SetupFacts): Generator<Action> {
  const isIt = ({ mac }: SetupFacts["links"][number]): boolean => mac === former.mac;
  const found =
    links.find((link) => isIt(link) && link.name === rackName) ??
    links.find((link) => isIt(link) && link.name === former.name);
  if (found === undefined) return;
  const own = `${choice.address}/${choice.prefixLength}`;
  if (found.addresses.includes(own) && !former.addresses.includes(own))
    yield { kind: "address", device: found.name, add: false, address: own };
  // Its name is free only where no other interface has it meanwhile.
  const isFree = !links.some(({ name }) => name === former.name);
  const device = found.name !== former.name && isFree ? former.name : found.name;
  if (device !== found.name) yield { kind: "rename", from: found.name, to: device, isUp: former.isUp };
  // A setup that failed at its name left it down.
  else if (former.isUp && !found.isUp) yield { kind: "raise", device };
  for (const address of former.addresses)
    if (!found.addresses.includes(address)) yield { kind: "address", device, add: true, address };
}
