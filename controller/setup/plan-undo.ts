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
  for (const unit of ["pallet-controller.service", "pallet-firewall.service"])
    if (!was(unit) && is(unit)) stops.push({ kind: "stop", unit });

  const actions: Action[] = [{ kind: "reload", what: "systemd" }];
  if (facts.units.get("systemd-udevd.service")?.exists === true) actions.push({ kind: "reload", what: "udev" });
  if (notes.has(setupPaths.networkManager) && is("NetworkManager.service"))
    actions.push({ kind: "reload", what: "NetworkManager" });
  const ownsNetworkd = !was("systemd-networkd.service");
  if (ownsNetworkd) {
    // Its socket would start it again at the next change of the network.
    for (const unit of ["systemd-networkd.socket", "systemd-networkd.service"])
      if (is(unit) && !was(unit)) actions.push({ kind: "stop", unit });
  } else if (is("systemd-networkd.service")) actions.push({ kind: "reload", what: "network" });

  const rack = facts.links.find(({ name, mac }) => name === rackName && mac === journal.rack.mac);
  const device = rack?.name ?? journal.rack.name;
  const found = rack ?? facts.links.find(({ name, mac }) => name === device && mac === journal.rack.mac);
  const own = `${journal.choice.address}/${journal.choice.prefixLength}`;
  if (found?.addresses.includes(own) === true && !journal.rack.addresses.includes(own))
    actions.push({ kind: "address", device, add: false, address: own });
  // Its name is free only where no other interface has it meanwhile.
  if (
    rack !== undefined &&
    journal.rack.name !== rackName &&
    !facts.links.some(({ name }) => name === journal.rack.name)
  )
    actions.push({ kind: "rename", from: rackName, to: journal.rack.name, isUp: journal.rack.isUp });
  if (found !== undefined)
    for (const address of journal.rack.addresses)
      if (!found.addresses.includes(address))
        actions.push({ kind: "address", device: journal.rack.name, add: true, address });
  if (!journal.former.forwards && notes.has(setupPaths.forwarding) && facts.forwards)
    actions.push({ kind: "forward", on: false });
  if (notes.has(setupPaths.time))
    actions.push(
      was("chrony.service") ? { kind: "restart", unit: "chrony.service" } : { kind: "stop", unit: "chrony.service" },
    );
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
