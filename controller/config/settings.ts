import { z } from "zod";
import { logLevels } from "../../proto/log-level.ts";
import { builtInitrd, builtKernel, noInitrd } from "../boot/choose-agent-boot.ts";
import { defaultReimageSettings } from "../reimage/machine/settings.ts";
import { cardFirmwarePolicies } from "../reimage/plan/plan-disk-firmware.ts";
import { parseBitRate } from "../uplink/parse-bit-rate.ts";
import { loaders } from "./config.ts";
import { networkSettings } from "./network-settings.ts";
import type { Setting } from "./setting.ts";

export type { Setting } from "./setting.ts";

/** 64 kbit/s: with less, what is merely slow would be taken for dead. */
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
/** In the file with its unit, here in bytes per second. */
const rate = z.string().transform(parseBitRate).pipe(z.number().min(smallestRate).max(1e12));
const wantsRate = 'a rate with its unit, as "500 Mbit/s" or "60 MB/s", of at least 64 kbit/s';
const wantsDuration = "a number of milliseconds from 10 to 86400000 (a day)";
const wantsCount = "a number from 1 to 10000";
const wantsPort = "a port number from 1 to 65535, or 0 for any free one";
const wantsWords = "a list of words of printable ASCII without spaces";
const wantsBootPath = 'a path relative to bootTree without ".." and spaces, for example "agent/vmlinuz"';

/**
 * A kernel that finds no root filesystem, and an initial RAM disk of initramfs-tools(7) that finds none, stop for good
 * unless told otherwise. Starting anew after so many seconds, the node comes back by itself: its boot target is the
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
    about: "Folder of the state database; made when it does not exist.",
  },
  imageDirectory: {
    key: "imageDirectory",
    kind: "path",
    schema: path.optional(),
    fallback: undefined,
    fallbackWords: "images in stateDirectory",
    wants: "the path of a folder",
    about: "Folder of the images; made when it does not exist.",
  },
  bootTree: {
    key: "bootTree",
    kind: "path",
    schema: path.optional(),
    fallback: undefined,
    fallbackWords: "boot in stateDirectory",
    wants: "the path of a folder",
    about: "Folder that TFTP serves: firmware, U-Boot, the agent's kernel; made when it does not exist.",
  },
  socket: {
    key: "socket",
    kind: "path",
    // unix(7): sun_path has 108 bytes, the last one a NUL.
    schema: path.refine((value) => new TextEncoder().encode(value).length <= 107),
    fallback: "/run/pallet/controller.sock",
    wants: "a path of at most 107 bytes",
    about: "Unix socket that the command line on this machine uses.",
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
    wants: "the host name or IP address under which the nodes reach this machine",
    about: "Host name or IP address under which nodes reach this machine; needed when listen is 0.0.0.0 or ::.",
  },
  grpcPort: {
    key: "grpcPort",
    kind: "integer",
    schema: port,
    fallback: 7700,
    wants: wantsPort,
    about: "TCP port of gRPC. Nodes enrol there; every other call is for the unix socket.",
  },
  insecureTcp: {
    key: "insecureTcp",
    kind: "boolean",
    schema: z.boolean(),
    fallback: false,
    wants: "true or false",
    about:
      "Whether grpcPort takes every call, from whoever reaches it and without asking who it is: anybody on the network may then erase every disk. For a bench.",
  },
  httpPort: {
    key: "httpPort",
    kind: "integer",
    schema: port,
    fallback: 7701,
    wants: wantsPort,
    about: "TCP port of HTTP, which serves images and boot files.",
  },
  tftpPort: {
    key: "tftpPort",
    kind: "integer",
    schema: port,
    fallback: 69,
    wants: wantsPort,
    about: "UDP port of TFTP. Firmware asks nowhere else than at 69, which needs root or CAP_NET_BIND_SERVICE.",
  },
  agentKernel: {
    key: "bootProfile.agent.kernel",
    kind: "text",
    schema: relativePath.optional(),
    fallback: undefined,
    fallbackWords: `${builtKernel}, where controller boot-tree build puts it`,
    wants: wantsBootPath,
    about:
      "Kernel that a node boots into the agent with; bootProfile.agent.initrd must then be the one that belongs to it.",
  },
  agentInitrd: {
    key: "bootProfile.agent.initrd",
    kind: "text",
    schema: relativePath.optional(),
    fallback: undefined,
    fallbackWords: `${builtInitrd}, where the last controller boot-tree build made both it and the kernel`,
    wants: `${wantsBootPath}, or ${noInitrd}`,
    about: `Initial RAM disk of that kernel, or ${noInitrd}.`,
  },
  agentAppend: {
    key: "bootProfile.agent.append",
    kind: "words",
    schema: words,
    fallback: restartAfterPanic,
    wants: wantsWords,
    about:
      "Words for its command line, for example the root filesystem; pallet.controller= and pallet.node= are added.",
  },
  localAppend: {
    key: "bootProfile.local.append",
    kind: "words",
    schema: words,
    fallback: restartAfterPanic,
    wants: wantsWords,
    about: "Words for the command line of installed systems; root= and the image's own words are added.",
  },
  menu: {
    key: "bootProfile.menu",
    kind: "boolean",
    schema: z.boolean(),
    fallback: false,
    wants: "true or false",
    about:
      "Whether the boot config also offers the other target. U-Boot takes it silently when the first fails to load.",
  },
  menuTimeoutMs: {
    key: "bootProfile.menuTimeoutMs",
    kind: "integer",
    schema: z.int().min(1000).max(600_000),
    fallback: 5000,
    wants: "a number of milliseconds from 1000 to 600000",
    about:
      "How long the menu waits for somebody at the console until it boots the node's target; U-Boot counts whole seconds. Without a menu a node never waits.",
  },
  loader: {
    key: "bootProfile.loader",
    kind: "text",
    schema: z.enum(loaders),
    fallback: "auto",
    wants: `one of ${loaders.join(", ")}`,
    about:
      "What boots: U-Boot, the board's own firmware, or (auto) the firmware where U-Boot has no Ethernet, on a Pi 5.",
  },
  cardFirmware: {
    key: "bootProfile.cardFirmware",
    kind: "text",
    schema: z.enum(cardFirmwarePolicies),
    fallback: "auto",
    wants: `one of ${cardFirmwarePolicies.join(", ")}`,
    about:
      "What happens to firmware on the cards that are written, so that the network alone decides what a node boots: rename (bootcode.bin becomes bootcode.off), reformat (FAT partitions are emptied), keep, or (auto) rename on boards that look at the card before the network, Pi 2 and Pi 3. Boards with an EEPROM follow its BOOT_ORDER; where that names the card first, auto is not enough.",
  },
  ...networkSettings,
  heartbeatIntervalMs: {
    key: "heartbeatIntervalMs",
    kind: "integer",
    schema: z.int().min(100).max(600_000),
    fallback: 10_000,
    wants: "a number of milliseconds from 100 to 600000",
    about: "How often agents say that they are there; after three missed heartbeats a node counts as silent.",
  },
  bootTimeoutMs: {
    key: "reimage.bootTimeoutMs",
    kind: "integer",
    schema: durationMs,
    fallback: defaultReimageSettings.bootTimeoutMs,
    wants: wantsDuration,
    about: "How long a node may take until its netbooted agent has registered; spanning tree alone can take minutes.",
  },
  stallTimeoutMs: {
    key: "reimage.stallTimeoutMs",
    kind: "integer",
    schema: durationMs,
    fallback: defaultReimageSettings.stallTimeoutMs,
    wants: wantsDuration,
    about: "How long a write may go on without any progress; worn cards pause for most of a minute.",
  },
  proveTimeoutMs: {
    key: "reimage.proveTimeoutMs",
    kind: "integer",
    schema: durationMs,
    fallback: defaultReimageSettings.proveTimeoutMs,
    wants: wantsDuration,
    about: "How long a node may take from the order to reboot until its proof, and from its first boot file on again.",
  },
  cancelTimeoutMs: {
    key: "reimage.cancelTimeoutMs",
    kind: "integer",
    schema: durationMs,
    fallback: defaultReimageSettings.cancelTimeoutMs,
    wants: wantsDuration,
    about: "How long an agent may take to let go of the disk after a cancellation.",
  },
  retryDelayMs: {
    key: "reimage.retryDelayMs",
    kind: "integer",
    schema: durationMs,
    fallback: defaultReimageSettings.retryDelayMs,
    wants: wantsDuration,
    about: "Pause before an agent that did not answer is asked again.",
  },
  rebootRetryMs: {
    key: "reimage.rebootRetryMs",
    kind: "integer",
    schema: durationMs,
    fallback: defaultReimageSettings.rebootRetryMs,
    wants: wantsDuration,
    about: "Pause before a node that is still there is asked again to reboot.",
  },
  fetchRetryDelayMs: {
    key: "reimage.fetchRetryDelayMs",
    kind: "integer",
    schema: durationMs,
    fallback: defaultReimageSettings.fetchRetryDelayMs,
    wants: wantsDuration,
    about: "Pause before a write that could not fetch its image starts again.",
  },
  maxAttempts: {
    key: "reimage.maxAttempts",
    kind: "integer",
    schema: count,
    fallback: defaultReimageSettings.maxAttempts,
    wants: wantsCount,
    about: "How often the write to one node is started at most.",
  },
  maxRebootsIntoAgent: {
    key: "reimage.maxRebootsIntoAgent",
    kind: "integer",
    schema: count,
    fallback: defaultReimageSettings.maxRebootsIntoAgent,
    wants: wantsCount,
    about: "How many boots of an installed system are asked to end in favour of the agent.",
  },
  maxReturnsToAgent: {
    key: "reimage.maxReturnsToAgent",
    kind: "integer",
    schema: count,
    fallback: defaultReimageSettings.maxReturnsToAgent,
    wants: wantsCount,
    about: "How often a node may come back in the agent instead of its new system before that is a failure.",
  },
  maxConcurrent: {
    key: "reimage.maxConcurrent",
    kind: "integer",
    schema: count,
    fallback: defaultReimageSettings.maxConcurrent,
    wants: wantsCount,
    about: "How many nodes are at work at once, from their netboot to their proof; the others are queued.",
  },
  limitsTotal: {
    key: "limits.total",
    kind: "text",
    schema: rate.optional(),
    fallback: undefined,
    fallbackWords: "no limit",
    wants: wantsRate,
    about: "How much is sent to all nodes together over HTTP (images, boot files); they share it evenly.",
  },
  limitsPerNode: {
    key: "limits.perNode",
    kind: "text",
    schema: rate.optional(),
    fallback: undefined,
    fallbackWords: "no limit",
    wants: wantsRate,
    about: "How much is sent to one node over HTTP.",
  },
  limitsUplink: {
    key: "limits.uplink",
    kind: "text",
    schema: rate.optional(),
    fallback: undefined,
    fallbackWords: "the speed of the interface with the advertised address, or less where less goes through",
    wants: wantsRate,
    about: "What the way to the nodes carries: as many nodes write at once as fill it. This limits nothing by itself.",
  },
  limitsWriters: {
    key: "limits.writers",
    kind: "integer",
    schema: count.optional(),
    fallback: undefined,
    fallbackWords: "as many as the uplink carries",
    wants: wantsCount,
    about: "How many nodes write at once at most; the others are ready and wait for their turn.",
  },
  logLevel: {
    key: "logLevel",
    kind: "text",
    schema: z.enum(logLevels),
    fallback: "info",
    wants: `one of ${logLevels.join(", ")}`,
    about: "Least severity that is logged to standard error.",
  },
} as const satisfies Record<string, Setting<unknown>>;

/** The settings as a list. */
export const settingList: readonly Setting<unknown>[] = Object.values(settings);

/** The flag of a setting without its value, for example "--grpc-port"; undefined for lists. */
export function flagOf(setting: Setting<unknown>): string | undefined {
  return setting.kind === "words" ? undefined : `--${hyphenated(setting.key)}`;
}

/** The environment variable of a setting, for example "PALLET_GRPC_PORT"; undefined for lists. */
export function variableOf(setting: Setting<unknown>): string | undefined {
  return setting.kind === "words" ? undefined : `PALLET_${hyphenated(setting.key).replaceAll("-", "_").toUpperCase()}`;
}

function hyphenated(key: string): string {
  return key.replaceAll(".", "-").replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
