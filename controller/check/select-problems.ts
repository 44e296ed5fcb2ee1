import { describeClock, judgeClock } from "../clock/judge-clock.ts";
import { brokerUnit } from "../config/broker-socket.ts";
import type { Config } from "../config/config.ts";
import { chooseDhcpNetwork } from "../network/dnsmasq/choose-dhcp-network.ts";
import { renderInstallLine } from "../requirements/render-unmet.ts";
import type { Capability, Facts } from "./facts.ts";
import { ipv4AddressesOf } from "./parse-interfaces.ts";
import { type Problem, problemParts } from "./problem.ts";
import { selectBootTreeProblems } from "./select-boot-tree-problems.ts";
import { selectNetworkProblems } from "./select-network-problems.ts";
import { selectPortProblems } from "./select-port-problems.ts";
import { selectRootfsProblems } from "./select-rootfs-problems.ts";

/** Less than the image of an ordinary system takes. */
const leastFreeBytes = 2 ** 30;

/** Everything that would keep a node from booting, given the facts about this machine; in the order of the parts. */
export function selectProblems(config: Config, facts: Facts): readonly Problem[] {
  const network = chooseDhcpNetwork(config.dhcp, ipv4AddressesOf(facts.interfaces));
  const problems = [
    ...selectRightsProblems(config, facts),
    ...selectAccessProblems(facts),
    ...selectProgramProblems(facts),
    ...selectPortProblems(...ownPorts(config, network?.own.address, facts), facts.ports),
    ...selectNetworkProblems(config, facts),
    ...selectBootTreeProblems(config, facts),
    ...selectRootfsProblems(facts),
    ...selectSpaceProblems(config, facts),
    ...selectHookProblems(facts),
    ...selectClockProblems(facts),
  ];
  return problems.toSorted((one, other) => problemParts.indexOf(one.part) - problemParts.indexOf(other.part));
}

/**
 * What this process opens itself. Who is not root does not see whose the others' ports are: another dnsmasq's port 67 may be
 * shared. What the broker starts says by itself what is in its way.
 */
function ownPorts(
  config: Config,
  dhcpAddress: string | undefined,
  { isRoot }: Pick<Facts, "isRoot">,
): readonly [Config, string | undefined] {
  if (isRoot) return [config, dhcpAddress];
  return [{ ...config, dhcp: { ...config.dhcp, mode: "none" }, nfs: { ...config.nfs, mode: "none" } }, undefined];
}

function selectRightsProblems(
  { dhcp, nfs, tftpPort }: Config,
  { isRoot, hasBroker, capabilities }: Facts,
): readonly Problem[] {
  const lacks = (...names: readonly Capability[]): boolean => names.some((name) => !capabilities.includes(name));
  const isBrokered = !isRoot && hasBroker;
  const messages = [
    ...(tftpPort > 0 && tftpPort < 1024 && lacks("net_bind_service")
      ? [`TFTP needs UDP port ${tftpPort}, which this user is not allowed to open`]
      : []),
    ...(dhcp.mode !== "none" && !isBrokered && (!isRoot || lacks("net_admin", "net_raw", "net_bind_service"))
      ? ["DHCP needs root, or the controller's broker"]
      : []),
    ...(nfs.mode !== "none" && !isBrokered && !isRoot ? ["NFS needs root, or the controller's broker"] : []),
  ];
  const remedy = `run the controller as root, or as its unit does, with its broker: systemctl enable --now ${brokerUnit}`;
  return messages.map((message) => ({ part: "rights", message, remedy, isFatal: true }));
}

/** Nodes may boot all the same, and what the controller cannot do it says where it matters. */
function selectAccessProblems({ user, inaccessible }: Facts): readonly Problem[] {
  const remedies = {
    enter: (path: string) => `chmod a+x ${path}`,
    read: (path: string) => `chgrp -R ${user} ${path} && chmod -R g+rX ${path}`,
    write: (path: string) => `chown -R ${user}: ${path}`,
  } as const;
  return inaccessible.map(({ path, lacks }) => ({
    part: "rights",
    message: `the controller's user, ${user}, may not ${lacks === "write" ? "write to" : lacks} ${path}`,
    remedy: remedies[lacks](path),
    isFatal: false,
  }));
}

function selectProgramProblems({ missing, isRoot }: Facts): readonly Problem[] {
  if (missing.length === 0) return [];
  return [
    {
      part: "programs",
      message: `not installed: ${missing.join(", ")}`,
      remedy: `add --install, or run: ${renderInstallLine(missing, isRoot)}`,
      isFatal: true,
    },
  ];
}

/** Nodes boot all the same: the controller goes on from the time that it has seen. */
function selectClockProblems({ clock }: Facts): readonly Problem[] {
  const verdict = judgeClock(clock);
  if (verdict.kind === "believed") return [];
  return [{ part: "clock", ...describeClock(clock.systemMs, verdict.fromMs, clock.file), isFatal: false }];
}

/** The rack boots without its hooks; a reimage that needs one fails, and says the same. */
function selectHookProblems({ hooks }: Facts): readonly Problem[] {
  return hooks.map(({ hook, message }) => ({
    part: "hooks",
    message: `${hook}: ${message}`,
    remedy: "mend that file; where the hook is not wanted any more, delete it from hooks in the configuration",
    isFatal: false,
  }));
}

function selectSpaceProblems({ imageDirectory }: Config, { freeBytes }: Facts): readonly Problem[] {
  if (freeBytes === undefined || freeBytes >= leastFreeBytes) return [];
  const free = Math.floor(freeBytes / 2 ** 20);
  return [
    {
      part: "disk space",
      message: `${imageDirectory} has ${free} MiB free, too little for an image`,
      remedy: "free at least 1 GiB there, or set imageDirectory to a folder on a larger disk",
      isFatal: false,
    },
  ];
}
