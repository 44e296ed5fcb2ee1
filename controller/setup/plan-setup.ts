import type { Config } from "../config/config.ts";
import { parseConfigFile } from "../config/parse-config-file.ts";
import { configFailure, resolveConfig } from "../config/resolve-config.ts";
import { digestOf } from "./content.ts";
import type { SetupFacts } from "./facts.ts";
import {
  type Conflict,
  describeLinks,
  findConflicts,
  findOverruled,
  findRack,
  isReaddressed,
} from "./find-conflicts.ts";
import type { Journal } from "./journal.ts";
import { type FileChange, planChanges } from "./plan-changes.ts";
import { namesOf, renderConfig, renderFiles, setupPaths, timeHolder } from "./render-files.ts";
import { rackName, type SetupChoice } from "./setup-choice.ts";

/** Something that is done to the running machine, so that it is now as it will be after its next start. */
export type Action =
  | { readonly kind: "stop" | "start" | "restart"; readonly unit: string }
  | { readonly kind: "reload"; readonly what: "systemd" | "udev" | "NetworkManager" | "network" }
  | { readonly kind: "rename"; readonly from: string; readonly to: string; readonly isUp: boolean }
  | { readonly kind: "raise"; readonly device: string }
  | { readonly kind: "address"; readonly device: string; readonly add: boolean; readonly address: string }
  | { readonly kind: "forward"; readonly on: boolean }
  /** The user that the controller runs as. */
  | { readonly kind: "user"; readonly exists: boolean }
  /** The controller's folders: for its user, or root's again. */
  | { readonly kind: "folders"; readonly of: "pallet" | "root" };

/** What is done to a machine, in this order. */
export interface Steps {
  readonly stops: readonly Action[];
  readonly changes: readonly FileChange[];
  readonly actions: readonly Action[];
}

/** What a setup would do; with conflicts it does nothing. */
export interface SetupPlan extends Steps {
  readonly conflicts: readonly Conflict[];
  /** What the operator should know, though nothing is in the way. */
  readonly notes: readonly string[];
  /** What to note before the first change; absent with conflicts that keep us from knowing it. */
  readonly journal?: Omit<Journal, "version">;
}

/** Whether there is nothing to do, and nothing in the way. */
export function isNothing({ conflicts, stops, changes, actions }: SetupPlan): boolean {
  return [conflicts, stops, changes, actions].every((each) => each.length === 0);
}

/** Decides what a setup does on this machine. */
export function planSetup(choice: SetupChoice, facts: SetupFacts): SetupPlan {
  const nothing = { notes: [], stops: [], changes: [], actions: [] };
  const config = facts.config ?? firstConfig(choice);
  if (typeof config === "string")
    return {
      conflicts: [
        {
          message: `${setupPaths.config} cannot be used: ${config}`,
          remedy: "mend it, or move it away; if a newer version of Pallet wrote it, use that version",
        },
      ],
      ...nothing,
    };
  const rack = findRack(choice, facts);
  if (rack === undefined) {
    const remedy = `plug it in, or name another: ${describeLinks(facts.links)}`;
    const message = `there is no network interface ${choice.rack} (--rack)`;
    return { conflicts: [{ message, remedy }], ...nothing };
  }
  const { journal } = facts;
  const wanted = renderFiles({ rack, choice }, facts, config);
  const { changes, foreign } = planChanges(wanted, facts.contents, journal?.files ?? []);
  const conflicts: readonly Conflict[] = [
    ...findConflicts(choice, rack, facts, config),
    ...foreign.map((path) => ({
      message: `${path} is not as a setup wrote it, or is somebody else's`,
      remedy: "it is never overwritten: move it away, or put back what was there, then try again",
    })),
  ];
  const masked = wanted.flatMap(({ path, content }) =>
    content.kind === "link" && content.to === "/dev/null" ? [path.slice(path.lastIndexOf("/") + 1)] : [],
  );
  const active = (unit: string): boolean => facts.units.get(unit)?.isActive === true;
  const stops = masked.filter(active).map((unit): Action => ({ kind: "stop", unit }));
  // One that did not come to its end may have written a file without telling the program that reads it.
  const isDirty = changes.length > 0 || (journal !== undefined && journal.phase !== "applied");
  const paths = new Set(wanted.map(({ path }) => path));
  const actions: Action[] = [];
  if (isDirty) {
    actions.push({ kind: "reload", what: "systemd" });
    if (facts.units.get("systemd-udevd.service")?.exists === true) actions.push({ kind: "reload", what: "udev" });
    if (paths.has(setupPaths.networkManager) && active("NetworkManager.service"))
      actions.push({ kind: "reload", what: "NetworkManager" });
  }
  if (rack.name !== rackName) actions.push({ kind: "rename", from: rack.name, to: rackName, isUp: rack.isUp });
  const isAddressed = rack.addresses.includes(`${choice.address}/${choice.network.prefixLength}`);
  if (!active("systemd-networkd.service")) actions.push({ kind: "start", unit: "systemd-networkd.service" });
  else if (isDirty || !isAddressed || rack.name !== rackName) actions.push({ kind: "reload", what: "network" });
  if (choice.uplink !== undefined && !facts.forwards) actions.push({ kind: "forward", on: true });
  if (isDirty || !active("pallet-firewall.service")) actions.push({ kind: "restart", unit: "pallet-firewall.service" });
  if (paths.has(setupPaths.nfs) && (isDirty || !active("nfs-server.service")))
    actions.push({ kind: "restart", unit: "nfs-server.service" });
  if (paths.has(setupPaths.time) && (isDirty || !active("chrony.service")))
    actions.push({ kind: "restart", unit: "chrony.service" });
  if (paths.has(setupPaths.user) && !facts.hasUser) actions.push({ kind: "user", exists: true });
  // One of before ran as root, and its files become the user's: what it writes meanwhile would not.
  const ownPaths: readonly string[] = [setupPaths.user, setupPaths.folders, setupPaths.unit];
  const isUnsure = journal !== undefined && journal.phase !== "applied";
  const isOtherOwner = isUnsure || !facts.hasUser || changes.some(({ path }) => ownPaths.includes(path));
  const givesFolders = paths.has(setupPaths.folders) && isOtherOwner;
  const stopsController = givesFolders && active("pallet-controller.service");
  if (stopsController) actions.push({ kind: "stop", unit: "pallet-controller.service" });
  if (givesFolders) actions.push({ kind: "folders", of: "pallet" });
  const ownUnits: readonly string[] = [setupPaths.unit, setupPaths.broker, setupPaths.brokerSocket];
  const isOtherUnit = changes.some(({ path }) => ownUnits.includes(path));
  if (!active("pallet-broker.socket")) actions.push({ kind: "start", unit: "pallet-broker.socket" });
  else if (isOtherUnit) actions.push({ kind: "restart", unit: "pallet-broker.socket" });
  // It reads its configuration when it starts; rollouts go on where they were.
  const isOther = isOtherUnit || changes.some(({ path }) => path === setupPaths.config);
  if (stopsController || !active("pallet-controller.service"))
    actions.push({ kind: "start", unit: "pallet-controller.service" });
  else if (isOther) actions.push({ kind: "restart", unit: "pallet-controller.service" });
  const uplinkMac = facts.links.find(({ name }) => name === choice.uplink)?.mac;
  const former = {
    forwards: facts.forwards,
    active: [...facts.units].flatMap(([name, { isActive }]) => (isActive ? [name] : [])),
    user: facts.hasUser,
    ...journal?.former,
  };
  const { rack: formerRack = { mac: rack.mac, name: rack.name, isUp: rack.isUp, addresses: [...rack.addresses] } } =
    journal ?? {};
  return {
    conflicts,
    notes: [...notesOf(choice, facts, rack.name, namesOf(config.dhcp))],
    stops,
    changes,
    actions,
    journal: {
      phase: "applying",
      choice: {
        ...(choice.uplink !== undefined && { uplink: choice.uplink }),
        ...(uplinkMac !== undefined && uplinkMac !== "" && { uplinkMac }),
        address: choice.address,
        prefixLength: choice.network.prefixLength,
      },
      rack: formerRack,
      files: noteChanges(journal?.files ?? [], changes, facts.contents),
      folders: journal?.folders ?? [],
      former,
    },
  };
}

/** What `serve` will go by, where there is no configuration yet. */
function firstConfig(choice: SetupChoice): Config {
  const result = resolveConfig([parseConfigFile(renderConfig(choice), setupPaths.config)]);
  if (!result.ok) throw configFailure(result.problems);
  return result.config;
}

/** Notes what is going to be written, beside what was. */
function noteChanges(
  files: Journal["files"],
  changes: readonly FileChange[],
  contents: SetupFacts["contents"],
): Journal["files"] {
  const notes = new Map(files.map((note) => [note.path, note]));
  for (const change of changes) {
    if (change.kind === "remove") continue;
    const { path } = change;
    const found = contents.get(path);
    const note = notes.get(path) ?? {
      path,
      digests: [],
      ...(found?.kind === "file" && { replaced: { text: found.text, mode: found.mode } }),
    };
    notes.set(path, { ...note, digests: [...new Set([...note.digests, digestOf(change.content)])] });
  }
  return [...notes.values()];
}

function* notesOf(
  { uplink, address, network }: SetupChoice,
  facts: SetupFacts,
  name: string,
  domain: string | undefined,
): Generator<string> {
  const rack = facts.links.find((each) => each.name === name);
  if (rack?.isUp === true && !rack.hasCarrier) yield `${name} has no link now: its cable may come at any time later`;
  const own = `${address}/${network.prefixLength}`;
  const others = rack?.addresses.filter((each) => each !== own && facts.journal === undefined) ?? [];
  if (others.length > 0)
    yield `${name} has ${others.join(" and ")} now, which nothing keeps: it goes, and undo gives it back`;
  const overruled = rack === undefined ? [] : findOverruled(rack, facts);
  if (overruled.length > 0)
    yield `${overruled.join(" and ")} would have ${name}, too, among others: systemd-networkd goes by the setup's own file for it`;
  if (isReaddressed({ address, network }, facts)) {
    yield `nodes that run now lose this machine, which they know as ${facts.journal?.choice.address}, until they start again: switch them off and on`;
    if (facts.rollouts !== undefined && "unasked" in facts.rollouts)
      yield `could not ask the controller whether a rollout runs, which would fail: ${facts.rollouts.unasked}`;
  }
  const time = timeHolder(facts);
  if (time !== undefined)
    yield `${time} serves time here already: see to it that it answers the rack's network, so that boards know the time`;
  if (facts.otherDhcp !== undefined && "unasked" in facts.otherDhcp)
    yield `could not ask whether another DHCP server answers on ${name}: ${facts.otherDhcp.unasked}`;
  const managers = [
    ["NetworkManager.service", "NetworkManager"],
    ["networking.service", "ifupdown"],
    ["dhcpcd.service", "dhcpcd"],
  ].flatMap(([unit = "", called = ""]) => (facts.units.get(unit)?.isActive === true ? [called] : []));
  if (managers.length > 0)
    yield `${managers.join(" and ")} ${managers.length === 1 ? "keeps" : "keep"} the other interfaces; systemd-networkd keeps ${rackName} alone`;
  if (domain !== undefined && facts.units.get("systemd-resolved.service")?.isActive !== true)
    yield `nodes find each other by name (NODE.${domain}); this machine finds them only with systemd-resolved, which does not run here`;
  const leads = (network: string): boolean =>
    facts.routes.some((route) => route.network === network && route.device === uplink);
  if (uplink !== undefined && !leads("0.0.0.0/0"))
    yield leads("::/0")
      ? `${uplink} leads to the world by IPv6 alone: nodes, which have IPv4 addresses, reach it once ${uplink} has a default route for IPv4`
      : `${uplink} has no default route now: nodes reach the world once it has one`;
}
