import { z } from "zod";
import { keepLabel } from "../../proto/disk/protected-disk.ts";
import { limits } from "../../proto/limits.ts";
import { defaultControllerPort, parseEndpoint } from "../../proto/names/endpoint.ts";
import { maxControllers } from "../../proto/system/resident-settings.ts";
import { logLevels } from "../../proto/words/log-level.ts";
import { builtInitrd, builtKernel, noInitrd } from "../boot/choose-agent-boot.ts";
import { loaders } from "../boot/choose-way.ts";
import { defaultLimits } from "../boot/tftp/limits.ts";
import { hookKeys, hooksSchema } from "../hooks/hook-settings.ts";
import { defaultReimageSettings } from "../reimage/machine/settings.ts";
import { cardFirmwarePolicies } from "../reimage/plan/plan-disk-firmware.ts";
import { parseBitRate } from "../uplink/parse-bit-rate.ts";
import { networkSettings } from "./network-settings.ts";
import type { Setting } from "./setting.ts";

export type { Setting } from "./setting.ts";

/** 64 kbit/s: with less, slow connections would be mistaken for dead ones. */
const smallestRate = 8000;
const host = /^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$/;
const bootPath = /^[^/\s\0\\][^\s\0\\]*$/;

const path = z
  .string()
  .min(1)
  .refine((value) => !value.includes("\0"));
const port = z.int().min(0).max(65_535);
const relativePath = z
  .string()
  .regex(bootPath)
  .refine((value) => !value.split("/").includes(".."));
const words = z.array(z.string().regex(/^[\x21-\x7e]+$/));
const durationMs = z.int().min(10).max(86_400_000);
const count = z.int().min(1).max(10_000);
/** In bytes per second here; with its unit in the file. */
const rate = z.string().transform(parseBitRate).pipe(z.number().min(smallestRate).max(1e12));
/** The longest label is that of a GPT's partition: 36 characters. Serial numbers are no longer than 64. */
const protectedNames = z.array(z.string().trim().min(1).max(64)).max(1000);
const wantsProtectedNames =
  "a list of at most 1000 texts of 1 to 64 characters, in quotes where they look like numbers";
const wantsRate = 'a rate with its unit, such as "500 Mbit/s" or "60 MB/s", of at least 64 kbit/s';
const wantsDuration = "a number of milliseconds from 10 to 86400000 (a day)";
const wantsCount = "a number from 1 to 10000";
const wantsPort = "a port number from 1 to 65535, or 0 for any free one";
const wantsWords = "a list of words of printable ASCII without spaces";
const wantsBootPath = 'a path relative to bootTree without ".." and spaces, for example "agent/vmlinuz"';

/**
 * A kernel that finds no root filesystem, and an initrd of initramfs-tools(7) that finds none, stop permanently
 * unless told otherwise. Restarting after so many seconds, the node comes back by itself: its boot target is the
 * agent's again by then, or soon.
 */
const restartAfterPanic: readonly string[] = ["panic=30"];

/** Every setting, in the order of the documentation. */
export const settings = {
  stateDirectory: {
    key: "stateDirectory",
    kind: "path",
    schema: path,
    fallback: "/var/lib/pallet",
    wants: "the path of a folder",
    about: "Folder of the state database; created if missing.",
  },
  imageDirectory: {
    key: "imageDirectory",
    kind: "path",
    schema: path.optional(),
    fallback: undefined,
    fallbackWords: "images in stateDirectory",
    wants: "the path of a folder",
    about: "Folder of the images; created if missing.",
  },
  bootTree: {
    key: "bootTree",
    kind: "path",
    schema: path.optional(),
    fallback: undefined,
    fallbackWords: "boot in stateDirectory",
    wants: "the path of a folder",
    about: "Folder that TFTP serves: firmware, U-Boot, the agent's kernel; created if missing.",
  },
  profileDirectory: {
    key: "profileDirectory",
    kind: "path",
    schema: path.optional(),
    fallback: undefined,
    fallbackWords: "profiles beside the config file",
    wants: "the path of a folder",
    about: "Folder of the profiles, which say what the systems on the nodes are to be.",
  },
  socket: {
    key: "socket",
    kind: "path",
    // unix(7): sun_path has 108 bytes, the last one a NUL.
    schema: path.refine((value) => new TextEncoder().encode(value).length <= 107),
    fallback: "/run/pallet/controller.sock",
    wants: "a path of at most 107 bytes",
    about: "Unix socket for the commands on this machine.",
  },
  socketGroup: {
    key: "socketGroup",
    kind: "text",
    schema: z
      .string()
      .regex(/^[a-z_][a-z0-9_-]{0,31}$/)
      .optional(),
    fallback: undefined,
    fallbackWords: "nobody but the user that runs the controller",
    wants: "the name of a group of this machine",
    about: "Group whose members may use the socket, for everything that commands do.",
  },
  listen: {
    key: "listen",
    kind: "text",
    schema: z.union([z.ipv4(), z.ipv6()]),
    fallback: "127.0.0.1",
    wants: "the IP address of an interface of this machine, or 0.0.0.0 for all",
    about: "IP address that gRPC, HTTP and TFTP listen on.",
  },
  advertise: {
    key: "advertise",
    kind: "text",
    schema: z.string().max(253).regex(host).optional(),
    fallback: undefined,
    fallbackWords: "the listen address",
    wants: "the host name or IP address at which the nodes reach this machine",
    about: "Host name or IP address at which nodes reach this machine; required if listen is 0.0.0.0 or ::.",
  },
  advertiseAlso: {
    key: "advertiseAlso",
    kind: "words",
    schema: z
      .array(z.string().refine((text) => parseEndpoint(text, defaultControllerPort) !== undefined))
      .max(maxControllers - 1),
    fallback: [],
    wants: `a list of at most ${maxControllers - 1} HOST or HOST:PORT (an IPv6 address in brackets)`,
    about:
      "Other host names or addresses of this controller's gRPC, with grpcPort unless they say a port; agents try them, in this order, when advertise does not answer.",
  },
  accept: {
    key: "accept",
    kind: "words",
    schema: z
      .array(z.string().trim().min(1).max(limits.acceptance.patternCharacters.most))
      .max(limits.acceptance.patterns.most),
    fallback: [],
    wants: `a list of at most ${limits.acceptance.patterns.most} MAC addresses, serial numbers, or patterns of them`,
    about:
      "Boards that are accepted as soon as their agent registers: MAC addresses, serial numbers, or patterns such as b8:27:eb:*. Whoever is on the network can claim any.",
  },
  grpcPort: {
    key: "grpcPort",
    kind: "integer",
    schema: port,
    fallback: defaultControllerPort,
    wants: wantsPort,
    about: "TCP port of gRPC over TLS, for nodes and for operators with a certificate.",
  },
  insecure: {
    key: "insecure",
    kind: "boolean",
    schema: z.boolean(),
    fallback: false,
    wants: "true or false",
    about:
      "Whether everything is plain, TCP and the nodes' agents too, and nobody has to prove who he is: anyone on the network can then erase every disk. For test benches only.",
  },
  httpPort: {
    key: "httpPort",
    kind: "integer",
    schema: port,
    fallback: 7701,
    wants: wantsPort,
    about: "TCP port of HTTP, which serves boot files: firmware and boot loaders know no TLS.",
  },
  httpsPort: {
    key: "httpsPort",
    kind: "integer",
    schema: port,
    fallback: 7702,
    wants: wantsPort,
    about: "TCP port of HTTPS, which serves images to nodes that prove who they are.",
  },
  tftpPort: {
    key: "tftpPort",
    kind: "integer",
    schema: port,
    fallback: 69,
    wants: wantsPort,
    about: "UDP port of TFTP. Firmware only uses port 69, which needs root or CAP_NET_BIND_SERVICE.",
  },
  tftpMaxBlockBytes: {
    key: "tftp.maxBlockBytes",
    kind: "integer",
    schema: z.int().min(512).max(65_464),
    fallback: defaultLimits.maxBlockSize,
    wants: "a number of bytes from 512 to 65464",
    about:
      "Largest block that TFTP grants. The default fills an Ethernet frame; where the path to the nodes carries less (VPN, VXLAN, PPPoE), set its MTU less 32.",
  },
  agentKernel: {
    key: "bootProfile.agent.kernel",
    kind: "text",
    schema: relativePath.optional(),
    fallback: undefined,
    fallbackWords: `${builtKernel}, where controller boot-tree build writes it`,
    wants: wantsBootPath,
    about:
      "Kernel that nodes netboot into the agent with; if set, bootProfile.agent.initrd must be the initrd that belongs to it.",
  },
  agentInitrd: {
    key: "bootProfile.agent.initrd",
    kind: "text",
    schema: relativePath.optional(),
    fallback: undefined,
    fallbackWords: `${builtInitrd}, if the last controller boot-tree build wrote both it and the kernel`,
    wants: `${wantsBootPath}, or ${noInitrd}`,
    about: `Initrd of that kernel, or ${noInitrd}.`,
  },
  agentAppend: {
    key: "bootProfile.agent.append",
    kind: "words",
    schema: words,
    fallback: restartAfterPanic,
    wants: wantsWords,
    about:
      "Words for its command line, for example the root filesystem; Pallet adds pallet.controller= and pallet.node=.",
  },
  localAppend: {
    key: "bootProfile.local.append",
    kind: "words",
    schema: words,
    fallback: restartAfterPanic,
    wants: wantsWords,
    about: "Words for the command line of installed systems; Pallet adds root= and the image's own words.",
  },
  menu: {
    key: "bootProfile.menu",
    kind: "boolean",
    schema: z.boolean(),
    fallback: false,
    wants: "true or false",
    about: "Whether the boot config also offers the other target. U-Boot boots it silently if the first fails to load.",
  },
  menuTimeoutMs: {
    key: "bootProfile.menuTimeoutMs",
    kind: "integer",
    schema: z.int().min(1000).max(600_000),
    fallback: 5000,
    wants: "a number of milliseconds from 1000 to 600000",
    about:
      "How long the menu waits for someone at the console before it boots the node's target; U-Boot counts whole seconds. Without a menu a node never waits.",
  },
  loader: {
    key: "bootProfile.loader",
    kind: "text",
    schema: z.enum(loaders),
    fallback: "auto",
    wants: `one of ${loaders.join(", ")}`,
    about:
      "What loads the kernel: U-Boot, the board's own firmware, or (auto) U-Boot for the agent and for images with an upstream kernel, and the firmware for images of Raspberry Pi's kernel, with their own config.txt, and on a Pi 5, where U-Boot has no Ethernet driver.",
  },
  cardFirmware: {
    key: "bootProfile.cardFirmware",
    kind: "text",
    schema: z.enum(cardFirmwarePolicies),
    fallback: "auto",
    wants: `one of ${cardFirmwarePolicies.join(", ")}`,
    about:
      "What to do with firmware on newly written cards, so that the network alone decides what a node boots: rename (on a Pi 3B+, bootcode.bin becomes bootcode.off), reformat (empty the FAT partitions), keep, or (auto) rename on boards that try the card before the network, the Pi 2 and Pi 3. Boards with an EEPROM follow its BOOT_ORDER; if that names the card first, auto is not enough.",
  },
  protectedLabels: {
    key: "disks.protected.labels",
    kind: "words",
    schema: protectedNames,
    fallback: [],
    wants: wantsProtectedNames,
    about: `Labels that protect a disk besides ${keepLabel}, which always does: one with such a filesystem or partition (GPT) on it is never written, wiped or formatted, not even by name. Capitals and small letters are the same.`,
  },
  protectedSerials: {
    key: "disks.protected.serials",
    kind: "words",
    schema: protectedNames,
    fallback: [],
    wants: wantsProtectedNames,
    about:
      "Serial numbers of disks that are never written, wiped or formatted, as controller disks NODE --json shows them.",
  },
  ...networkSettings,
  heartbeatIntervalMs: {
    key: "heartbeatIntervalMs",
    kind: "integer",
    schema: z.int().min(100).max(600_000),
    fallback: 10_000,
    wants: "a number of milliseconds from 100 to 600000",
    about: "Interval of the agents' heartbeats; after three missed ones a node counts as silent.",
  },
  bootTimeoutMs: {
    key: "reimage.bootTimeoutMs",
    kind: "integer",
    schema: durationMs,
    fallback: defaultReimageSettings.bootTimeoutMs,
    wants: wantsDuration,
    about: "How long a node may take to netboot until its agent registers; spanning tree alone can take minutes.",
  },
  stallTimeoutMs: {
    key: "reimage.stallTimeoutMs",
    kind: "integer",
    schema: durationMs,
    fallback: defaultReimageSettings.stallTimeoutMs,
    wants: wantsDuration,
    about: "How long a write may make no progress; worn cards pause for up to a minute.",
  },
  proveTimeoutMs: {
    key: "reimage.proveTimeoutMs",
    kind: "integer",
    schema: durationMs,
    fallback: defaultReimageSettings.proveTimeoutMs,
    wants: wantsDuration,
    about: "How long a node may take from the reboot request to its proof; starts over at each sign of life.",
  },
  configureTimeoutMs: {
    key: "reimage.configureTimeoutMs",
    kind: "integer",
    schema: durationMs,
    fallback: defaultReimageSettings.configureTimeoutMs,
    wants: wantsDuration,
    about: "How long the first-boot tasks of a proved node may be without news: more than the longest of them takes.",
  },
  longestBootMs: {
    key: "reimage.longestBootMs",
    kind: "integer",
    schema: durationMs,
    fallback: defaultReimageSettings.longestBootMs,
    wants: wantsDuration,
    about: "How long a node that keeps fetching boot files or addresses may take in all; each starts its timeout over.",
  },
  cancelTimeoutMs: {
    key: "reimage.cancelTimeoutMs",
    kind: "integer",
    schema: durationMs,
    fallback: defaultReimageSettings.cancelTimeoutMs,
    wants: wantsDuration,
    about: "How long an agent may take to release the disk after a cancellation.",
  },
  retryDelayMs: {
    key: "reimage.retryDelayMs",
    kind: "integer",
    schema: durationMs,
    fallback: defaultReimageSettings.retryDelayMs,
    wants: wantsDuration,
    about: "Pause before retrying an agent that did not answer.",
  },
  rebootRetryMs: {
    key: "reimage.rebootRetryMs",
    kind: "integer",
    schema: durationMs,
    fallback: defaultReimageSettings.rebootRetryMs,
    wants: wantsDuration,
    about: "Pause before asking a node again to reboot if it has not.",
  },
  fetchRetryDelayMs: {
    key: "reimage.fetchRetryDelayMs",
    kind: "integer",
    schema: durationMs,
    fallback: defaultReimageSettings.fetchRetryDelayMs,
    wants: wantsDuration,
    about: "Pause before restarting a write that could not fetch its image.",
  },
  maxAttempts: {
    key: "reimage.maxAttempts",
    kind: "integer",
    schema: count,
    fallback: defaultReimageSettings.maxAttempts,
    wants: wantsCount,
    about: "Maximum number of attempts to write to one node.",
  },
  maxRebootsIntoAgent: {
    key: "reimage.maxRebootsIntoAgent",
    kind: "integer",
    schema: count,
    fallback: defaultReimageSettings.maxRebootsIntoAgent,
    wants: wantsCount,
    about: "Maximum number of times that an installed system is asked to reboot into the agent.",
  },
  maxReturnsToAgent: {
    key: "reimage.maxReturnsToAgent",
    kind: "integer",
    schema: count,
    fallback: defaultReimageSettings.maxReturnsToAgent,
    wants: wantsCount,
    about: "How often a node may come back in the agent instead of its new system before the reimage fails.",
  },
  maxConcurrent: {
    key: "reimage.maxConcurrent",
    kind: "integer",
    schema: count,
    fallback: defaultReimageSettings.maxConcurrent,
    wants: wantsCount,
    about: "How many nodes are reimaged at once, from netboot to proof; the others are queued.",
  },
  hooks: {
    key: "hooks",
    kind: "groups",
    schema: hooksSchema,
    fallback: [],
    wants: `its keys are ${hookKeys.join(", ")}`,
    about:
      "Programs to run and webhooks to call on this machine before and after a node is reimaged, each with its name, when, command or webhook with secretFile, labelSelector and timeoutMs.",
  },
  limitsTotal: {
    key: "limits.total",
    kind: "text",
    schema: rate.optional(),
    fallback: undefined,
    fallbackWords: "no limit",
    wants: wantsRate,
    about: "Bandwidth limit for HTTP (images, boot files) to all nodes together; they share it evenly.",
  },
  limitsPerNode: {
    key: "limits.perNode",
    kind: "text",
    schema: rate.optional(),
    fallback: undefined,
    fallbackWords: "no limit",
    wants: wantsRate,
    about: "Bandwidth limit for HTTP to each node.",
  },
  limitsUplink: {
    key: "limits.uplink",
    kind: "text",
    schema: rate.optional(),
    fallback: undefined,
    fallbackWords:
      "the speed of the interface that has the advertised address, or the measured throughput if that is lower",
    wants: wantsRate,
    about:
      "Capacity of the network to the nodes: enough nodes write at once to fill it. This does not limit bandwidth.",
  },
  limitsWriters: {
    key: "limits.writers",
    kind: "integer",
    schema: count.optional(),
    fallback: undefined,
    fallbackWords: "as many as the uplink can carry",
    wants: wantsCount,
    about: "How many nodes may write at once; the others get ready and wait for their turn.",
  },
  logLevel: {
    key: "logLevel",
    kind: "text",
    schema: z.enum(logLevels),
    fallback: "info",
    wants: `one of ${logLevels.join(", ")}`,
    about: "Minimum severity to log to standard error.",
  },
} as const satisfies Record<string, Setting<unknown>>;

/** The settings as a list. */
export const settingList: readonly Setting<unknown>[] = Object.values(settings);

/** The flag of a setting without its value, for example "--grpc-port"; undefined for lists. */
export function flagOf(setting: Pick<Setting<unknown>, "key" | "kind">): string | undefined {
  return isOnlyInFile(setting) ? undefined : `--${hyphenated(setting.key)}`;
}

/** The environment variable of a setting, for example "PALLET_GRPC_PORT"; undefined for lists. */
export function variableOf(setting: Pick<Setting<unknown>, "key" | "kind">): string | undefined {
  return isOnlyInFile(setting) ? undefined : `PALLET_${hyphenated(setting.key).replaceAll("-", "_").toUpperCase()}`;
}

function isOnlyInFile({ kind }: Pick<Setting<unknown>, "kind">): boolean {
  return kind === "words" || kind === "groups";
}

function hyphenated(key: string): string {
  return key.replaceAll(".", "-").replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
