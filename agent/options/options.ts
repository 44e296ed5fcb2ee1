import { isIP } from "node:net";
import { Failure } from "../../proto/failure.ts";
import { parseFingerprint } from "../../proto/identity/authority-name.ts";
import { defaultControllerPort, type Endpoint, endpointForm, parseEndpoint } from "../../proto/names/endpoint.ts";
import { type NodeId, parseMacAddress } from "../../proto/names/node-id.ts";
import { identityPaths } from "../../proto/system/agent-identity.ts";
import { type AgentRole, agentSocketPath } from "../../proto/system/agent-program.ts";
import { agentWords, parseKernelCommandLine } from "../../proto/system/kernel-command-line.ts";
import { type KeptSettings, maxControllers, residentSettingsPath } from "../../proto/system/resident-settings.ts";

/** The agent's options. */
export interface AgentOptions {
  /** Where to register, in the order in which to try; none: serve without registering. */
  readonly controllers: readonly Endpoint[];
  /** MAC address by which the node booted; absent: found out at registration. */
  readonly bootMac?: NodeId;
  /** The node on which this system was installed, by its settings: to be used only on a board that has that address. */
  readonly installedOn?: NodeId;
  /** Whether a controller booted this node: its words are on the kernel's command line. */
  readonly bootedByController: boolean;
  /** IP address to listen on. */
  readonly listen: string;
  /** TCP port to listen on; 0 lets the kernel choose. */
  readonly port: number;
  /** Fingerprint of the certificate authority to believe; absent: that of the kept identity, if there is one. */
  readonly authority?: string;
  /** One-time token for a certificate. */
  readonly token?: string;
  /** Whether everything is plain: anyone may give orders, and any controller is believed. */
  readonly insecure: boolean;
  /** Path of the unix socket for root on this node. */
  readonly socket: string;
  /** Path of the file that keeps key, certificate and authorities. */
  readonly identityFile: string;
  readonly role: AgentRole;
  /** Path of the stamp that a reimage leaves in the system. */
  readonly installedFile: string;
  /** Path of the resident agent's settings. */
  readonly settingsFile: string;
  /** Root of the system whose tasks a resident agent reports. */
  readonly tasksRoot: string;
  /** Program and arguments that reboot the node; absent: found out when it is needed. */
  readonly rebootCommand?: readonly string[];
  /** Program to install as the resident agent of new systems; absent: this one, where it is a single file. */
  readonly residentProgram?: string;
}

/** The flags from commander: text as typed. */
export interface AgentFlags {
  readonly controller?: string;
  readonly node?: string;
  readonly listen?: string;
  readonly port: string;
  readonly caFingerprint?: string;
  readonly token?: string;
  readonly insecure?: boolean;
  readonly socket?: string;
  readonly identityFile?: string;
  readonly role: string;
  readonly installedFile: string;
  readonly settingsFile?: string;
  readonly tasksRoot?: string;
  readonly rebootCommand?: string;
  readonly residentProgram?: string;
}

/**
 * Flags, then words of the kernel command line, then the settings in the installed system (of a resident agent), then
 * defaults. Throws one Failure "invalid" that lists every problem.
 *
 * Words replace settings, they do not add to them: a card that was carried into another rack must not take orders from
 * the controller of its former one.
 *
 * Without a controller the agent serves on its unix socket only, unless it is insecure. With one it listens on TCP too,
 * on loopback unless told otherwise. "pallet.controller=" tells it, on the kernel command line or as
 * a setting in an installed system: a controller booted such a node, or installed it, in order to command it, so then
 * it listens on every address.
 */
export function resolveOptions(flags: AgentFlags, kernelCommandLine: string, settings?: KeptSettings): AgentOptions {
  const words = parseKernelCommandLine(kernelCommandLine);
  const problems: string[] = [];
  const check = <T>(text: string | undefined, source: string, parse: (text: string) => T | string): T | undefined => {
    if (text === undefined) return undefined;
    const result = parse(text);
    if (typeof result !== "string") return result;
    problems.push(`${source} "${text.length > 200 ? `${text.slice(0, 200)}…` : text}" ${result}`);
    return undefined;
  };
  const fromWord = (flag: string | undefined, name: string, word: string): [string | undefined, string] =>
    flag === undefined ? [words.get(word), `kernel command-line word ${word}`] : [flag, name];

  const told = check(...fromWord(flags.controller, "--controller", agentWords.controller), parseControllers);
  const bootMac = check(...fromWord(flags.node, "--node", agentWords.node), parseMac);
  const listen = check(flags.listen, "--listen", (text) =>
    isIP(text) === 0 ? "is not an IP address; give for example 127.0.0.1 or 0.0.0.0" : { address: text },
  );
  const port = check(flags.port, "--port", parsePort);
  const authority = check(...fromWord(flags.caFingerprint, "--ca-fingerprint", agentWords.authority), (text) => {
    const fingerprint = parseFingerprint(text);
    return fingerprint === undefined ? "is not a fingerprint: 43 characters of base64url" : { fingerprint };
  });
  const [token] = fromWord(flags.token, "--token", agentWords.token);
  const insecure =
    flags.insecure === undefined
      ? check(...fromWord(undefined, "--insecure", agentWords.insecure), parseSwitch)
      : { isOn: flags.insecure };
  if (words.has(agentWords.insecureTcp))
    problems.push(
      `kernel command-line word ${agentWords.insecureTcp} is no longer known: certificates decide now who may give orders; ` +
        `for a test bench without them say ${agentWords.insecure} instead, and start its controller with --insecure`,
    );
  const role = check(flags.role, "--role", (text) =>
    text === "netboot" || text === "resident" ? { role: text as AgentRole } : 'is neither "netboot" nor "resident"',
  );
  const rebootCommand = check(flags.rebootCommand, "--reboot-command", (text) => {
    const command = text.split(/\s+/).filter((part) => part !== "");
    return command.length === 0 ? "does not name a program" : command;
  });

  if (problems.length > 0 || port === undefined || role === undefined) {
    throw new Failure("invalid", `the agent cannot start with these options:\n- ${problems.join("\n- ")}`);
  }
  const kept = role.role === "resident" ? settings : undefined;
  const bootedByController = words.has(agentWords.controller);
  const isCommanded = bootedByController || (told === undefined && kept !== undefined);
  return Object.freeze({
    controllers: told ?? kept?.controllers ?? [],
    ...(bootMac && { bootMac: bootMac.mac }),
    ...(kept?.node !== undefined && { installedOn: kept.node }),
    bootedByController,
    listen: listen?.address ?? (isCommanded ? "0.0.0.0" : "127.0.0.1"),
    port,
    ...(authority && { authority: authority.fingerprint }),
    ...(token !== undefined && token !== "" && { token }),
    insecure: insecure?.isOn ?? false,
    socket: flags.socket ?? agentSocketPath,
    identityFile: flags.identityFile ?? identityPaths[role.role],
    role: role.role,
    installedFile: flags.installedFile,
    settingsFile: flags.settingsFile ?? residentSettingsPath,
    tasksRoot: flags.tasksRoot ?? "/",
    ...(rebootCommand && { rebootCommand }),
    ...(flags.residentProgram !== undefined && { residentProgram: flags.residentProgram }),
  });
}

/** One address or several, separated by commas. */
function parseControllers(text: string): readonly Endpoint[] | string {
  const found = text.split(",").map((each) => parseEndpoint(each.trim(), defaultControllerPort));
  const endpoints = found.filter((each) => each !== undefined);
  if (endpoints.length < found.length) return `is not ${endpointForm}`;
  return endpoints.length <= maxControllers ? endpoints : `names more than ${maxControllers} addresses`;
}

function parsePort(text: string): number | string {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : "is not a port from 0 to 65535";
}

/** A word without a value turns it on, as with kernel parameters. */
function parseSwitch(text: string): { isOn: boolean } | string {
  if (text === "" || text === "true") return { isOn: true };
  return text === "false" ? { isOn: false } : 'is neither "true" nor "false"';
}

function parseMac(text: string): { mac: NodeId } | string {
  const mac = parseMacAddress(text);
  return mac === undefined ? "is not a MAC address like b8:27:eb:00:00:01" : { mac };
}
