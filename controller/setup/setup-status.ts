import { parseIpv4Network } from "../network/ipv4.ts";
import type { SetupFacts } from "./facts.ts";
import { findOtherUses, isHardware } from "./find-conflicts.ts";
import type { Journal } from "./journal.ts";
import { isOurs } from "./plan-changes.ts";
import { setupPaths } from "./render-files.ts";
import { rackName } from "./setup-choice.ts";

/** How one part of a setup is now. */
export interface PartStatus {
  readonly part: string;
  readonly state: string;
  readonly isFine: boolean;
}

/** Compares this machine with what its setup made of it. */
export function setupStatus(journal: Journal, facts: SetupFacts): readonly PartStatus[] {
  const { choice } = journal;
  const parts: PartStatus[] = [];
  const say = (part: string, state: string, isFine: boolean): void => {
    parts.push({ part, state, isFine });
  };
  if (journal.phase !== "applied")
    say(
      "setup",
      journal.phase === "applying" ? "begun, not ended: apply or undo again" : "half undone: undo or apply again",
      false,
    );
  const rack = facts.links.find(({ mac, name }) => mac === journal.rack.mac && name === rackName);
  const address = `${choice.address}/${choice.prefixLength}`;
  const hasAddress = rack?.addresses.includes(address) === true;
  say(
    rackName,
    rack === undefined ? `not there (${journal.rack.mac})` : rack.hasCarrier ? "link" : "no link",
    rack !== undefined,
  );
  say("address", hasAddress ? address : `${address} is missing`, hasAddress);
  if (choice.uplink !== undefined) {
    const { uplink } = choice;
    const isThere = facts.links.some(({ name }) => name === uplink);
    say("uplink", isThere ? uplink : describeAbsentUplink(uplink, choice.uplinkMac, facts), isThere);
    say("forwarding", facts.forwards ? "on" : "off", facts.forwards);
  }
  const network = parseIpv4Network(address);
  if (network !== undefined)
    for (const use of findOtherUses(network, rackName, facts))
      say("range", `${use}: give the rack another (controller setup apply --address)`, false);
  for (const { path, digests } of journal.files) {
    if (digests.length === 0) continue;
    const content = facts.contents.get(path) ?? { kind: "absent" };
    if (isOurs(path, content, journal.files)) continue;
    const isConfig = path === setupPaths.config && content.kind === "file";
    say(path, content.kind === "absent" ? "missing" : isConfig ? "yours" : "changed", isConfig);
  }
  const own = ["pallet-broker.socket", "pallet-controller.service"];
  const units = ["systemd-networkd.service", "pallet-firewall.service", ...own];
  const time = journal.files.some(({ path }) => path === setupPaths.time) ? ["chrony.service"] : [];
  for (const unit of [...units, ...time]) {
    const { isActive = false, isRestarting = false } = facts.units.get(unit) ?? {};
    const log = unit.replace(/\.service$/, "");
    const state = isRestarting ? `ends and starts again: journalctl -u ${log}` : isActive ? "active" : "not active";
    say(unit, state, isActive && !isRestarting);
  }
  return parts;
}

/** The kernel counts some interfaces in the order in which it finds them: another one may have the name today. */
function describeAbsentUplink(uplink: string, mac: string | undefined, { links }: Pick<SetupFacts, "links">): string {
  const renamed = links.find((link) => link.mac === mac && isHardware(link))?.name;
  if (renamed === undefined) return `${uplink} is not there`;
  return `${uplink} is called ${renamed} now: controller setup apply --rack ${rackName} --uplink ${renamed}`;
}
