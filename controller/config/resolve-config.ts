import { join, resolve } from "node:path";
import type { z } from "zod";
import { Failure } from "../../proto/failure.ts";
import { parseEndpoint } from "../../proto/names/endpoint.ts";
import { isUnspecified } from "../../proto/names/plain-address.ts";
import { builtInitrd, builtKernel, noInitrd } from "../boot/choose-agent-boot.ts";
import type { Hook } from "../hooks/hook.ts";
import { defaultReimageSettings } from "../reimage/machine/settings.ts";
import type { Config } from "./config.ts";
import type { GivenValue, GivenValues } from "./given-value.ts";
import { insecureWords } from "./insecure.ts";
import { networkContradictions, type Problem } from "./network-contradictions.ts";
import { flagOf, type Setting, settings, variableOf } from "./settings.ts";

/** The config, or everything that is wrong with it. */
export type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly string[] };

/**
 * Combines all sources into one config.
 *
 * @param sources the strongest first: flags, environment, file
 * @param configFolder where the config file is, or would be
 */
export function resolveConfig(sources: readonly GivenValues[], configFolder = "/etc/pallet"): ConfigResult {
  const problems = sources.flatMap((source) => source.problems);
  const sourceOf = new Map<string, string>();
  const read = new Set<Setting<unknown>>();

  const value = <T>(setting: Setting<T>): T => {
    read.add(setting);
    const given = strongest(setting, sources);
    if (given === undefined) return setting.fallback;
    sourceOf.set(setting.key, given.source);
    const result = setting.schema.safeParse(given.value);
    if (!result.success) {
      problems.push(...problemsOf(setting, given, result.error.issues));
      return setting.fallback;
    }
    return setting.kind === "path" && typeof result.data === "string"
      ? (resolve(given.folder, result.data) as T)
      : result.data;
  };

  const config = build(value, configFolder);
  for (const setting of Object.values<Setting<unknown>>(settings)) {
    if (!read.has(setting)) throw new Error(`${setting.key} is a setting that build() does not read`);
  }
  for (const [key, problem] of contradictions(config, sourceOf)) {
    problems.push(`${sourceOf.get(key) ?? "the defaults"}: ${problem}`);
  }
  return problems.length === 0 ? { ok: true, config: deepFreeze(config) } : { ok: false, problems };
}

/**
 * What is wrong with a value. Of a list of groups every part that is wrong is told: its messages say what to give there,
 * or are sentences of their own (code "custom").
 */
function problemsOf(
  { key, kind, wants }: Setting<unknown>,
  { source, value }: GivenValue,
  issues: readonly z.core.$ZodIssue[],
): readonly string[] {
  if (kind !== "groups") return [`${source}: ${describe(value)} is not a value for ${key}; give ${wants}`];
  return issues.map((issue) => {
    const { code, message, path } = issue;
    const place = path.reduce<string>(
      (before, step) => before + (typeof step === "number" ? `[${step}]` : `.${String(step)}`),
      key,
    );
    if (code === "custom") return `${source}: ${place}: ${message}`;
    const found: unknown = path.reduce<unknown>((each, step) => (each as Record<PropertyKey, unknown>)[step], value);
    if (code === "unrecognized_keys")
      return `${source}: ${place} has ${issue.keys.map(describe).join(" and ")}, which means nothing there; ${wants}`;
    return `${source}: ${describe(found)} is not a value for ${place}; give ${message}`;
  });
}

/** Every problem in one Failure, one line each. */
export function configFailure(problems: readonly string[]): Failure {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return new Failure("invalid", [`the configuration has ${count}:`, ...problems.map((each) => `  ${each}`)].join("\n"));
}

function strongest(setting: Setting<unknown>, sources: readonly GivenValues[]): GivenValue | undefined {
  for (const { values } of sources) {
    const given = values.get(setting.key);
    if (given !== undefined) return given;
  }
  return undefined;
}

function build(value: <T>(setting: Setting<T>) => T, configFolder: string): Config {
  const stateDirectory = value(settings.stateDirectory);
  const listen = value(settings.listen);
  const nfsMode = value(settings.nfsMode);
  const rootfs = value(settings.nfsRootfs) ?? (nfsMode === "none" ? undefined : join(stateDirectory, "rootfs"));
  return {
    stateDirectory,
    imageDirectory: value(settings.imageDirectory) ?? join(stateDirectory, "images"),
    profileDirectory: value(settings.profileDirectory) ?? join(configFolder, "profiles"),
    socket: value(settings.socket),
    ...defined("socketGroup", value(settings.socketGroup)),
    listen,
    advertise: value(settings.advertise) ?? listen,
    advertiseAlso: value<readonly string[]>(settings.advertiseAlso),
    accept: value<readonly string[]>(settings.accept),
    grpcPort: value(settings.grpcPort),
    insecure: value<boolean>(settings.insecure),
    httpPort: value(settings.httpPort),
    httpsPort: value(settings.httpsPort),
    tftpPort: value(settings.tftpPort),
    tftpMaxBlockBytes: value(settings.tftpMaxBlockBytes),
    bootTree: value(settings.bootTree) ?? join(stateDirectory, "boot"),
    bootProfile: {
      agent: {
        ...defined("kernel", value(settings.agentKernel)),
        ...defined("initrd", value(settings.agentInitrd)),
        append: value<readonly string[]>(settings.agentAppend),
      },
      local: { append: value<readonly string[]>(settings.localAppend) },
      menu: value<boolean>(settings.menu),
      menuTimeoutMs: value<number>(settings.menuTimeoutMs),
      loader: value(settings.loader),
      cardFirmware: value(settings.cardFirmware),
    },
    disks: {
      protected: {
        labels: value<readonly string[]>(settings.protectedLabels),
        serials: value<readonly string[]>(settings.protectedSerials),
      },
    },
    dhcp: {
      mode: value(settings.dhcpMode),
      ...defined("interface", value(settings.dhcpInterface)),
      ...defined("subnet", value(settings.dhcpSubnet)),
      ...defined("range", value(settings.dhcpRange)),
      ...defined("gateway", value(settings.dhcpGateway)),
      leaseSeconds: value<number>(settings.dhcpLeaseSeconds),
      replyDelaySeconds: value<number>(settings.dhcpReplyDelaySeconds),
      dns: value<readonly string[]>(settings.dhcpDns),
      ...defined("dnsUpstream", value(settings.dhcpDnsUpstream)),
      ...defined("ntp", value(settings.dhcpNtp)),
      ...defined("domain", value(settings.dhcpDomain)),
    },
    nfs: {
      mode: nfsMode,
      ...defined("rootfs", rootfs),
      ...defined("clients", value(settings.nfsClients)),
    },
    heartbeatIntervalMs: value<number>(settings.heartbeatIntervalMs),
    reimage: {
      ...defaultReimageSettings,
      bootTimeoutMs: value<number>(settings.bootTimeoutMs),
      stallTimeoutMs: value<number>(settings.stallTimeoutMs),
      proveTimeoutMs: value<number>(settings.proveTimeoutMs),
      configureTimeoutMs: value<number>(settings.configureTimeoutMs),
      longestBootMs: value<number>(settings.longestBootMs),
      cancelTimeoutMs: value<number>(settings.cancelTimeoutMs),
      retryDelayMs: value<number>(settings.retryDelayMs),
      rebootRetryMs: value<number>(settings.rebootRetryMs),
      fetchRetryDelayMs: value<number>(settings.fetchRetryDelayMs),
      maxAttempts: value<number>(settings.maxAttempts),
      maxRebootsIntoAgent: value<number>(settings.maxRebootsIntoAgent),
      maxReturnsToAgent: value<number>(settings.maxReturnsToAgent),
      maxConcurrent: value<number>(settings.maxConcurrent),
    },
    hooks: value<readonly Hook[]>(settings.hooks),
    limits: {
      ...defined("totalBytesPerSecond", value(settings.limitsTotal)),
      ...defined("perNodeBytesPerSecond", value(settings.limitsPerNode)),
      ...defined("uplinkBytesPerSecond", value(settings.limitsUplink)),
      ...defined("writers", value(settings.limitsWriters)),
    },
    logLevel: value(settings.logLevel),
  };
}

/** The key with its value, or nothing: optional properties are absent, never undefined. */
function defined<Key extends string, Value>(
  key: Key,
  value: Value | undefined,
): { readonly [name in Key]?: Value } | Record<never, never> {
  return value === undefined ? {} : ({ [key]: value } as { readonly [name in Key]: Value });
}

/** Contradictions between settings: pairs of the key to blame and a sentence. */
function* contradictions(config: Config, given: ReadonlyMap<string, string>): Generator<Problem> {
  if (isUnspecified(config.advertise)) {
    const key = given.has("advertise") ? "advertise" : "listen";
    yield [
      key,
      `${key} is ${config.advertise}, which nodes cannot connect to; set advertise (${flagOf(settings.advertise)}, ` +
        `${variableOf(settings.advertise)}) to the host name or IP address at which they reach this machine`,
    ];
  }
  for (const also of config.advertiseAlso) {
    if (isUnspecified(parseEndpoint(also, 1)?.host ?? also))
      yield ["advertiseAlso", `advertiseAlso has ${also}, which nodes cannot connect to; leave it out`];
  }
  const ports = ["grpcPort", "httpPort", "httpsPort"] as const;
  for (const [index, key] of ports.entries()) {
    const other = ports.slice(0, index).find((each) => config[each] !== 0 && config[each] === config[key]);
    if (other !== undefined) yield [key, `${key} and ${other} are both ${config[key]}; give them different ports`];
  }
  yield* insecureWords(config);
  yield* agentBootContradictions(config.bootProfile.agent);
  yield* networkContradictions(config);
}

/** With an initrd of another kernel, a node would never find its network. */
function* agentBootContradictions({
  kernel = builtKernel,
  initrd,
}: Config["bootProfile"]["agent"]): Generator<Problem> {
  if (kernel !== builtKernel && initrd === undefined) {
    yield [
      "bootProfile.agent.kernel",
      `bootProfile.agent.kernel is ${kernel}, so bootProfile.agent.initrd must name the initrd that belongs to it, ` +
        `or ${noInitrd}`,
    ];
  }
  if (kernel === builtKernel && initrd !== undefined && ![builtInitrd, noInitrd].includes(initrd)) {
    yield [
      "bootProfile.agent.initrd",
      `bootProfile.agent.initrd is ${initrd}, so bootProfile.agent.kernel must name the kernel that it belongs to; ${kernel} ` +
        `has ${builtInitrd}`,
    ];
  }
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  const text = JSON.stringify(value);
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`;
}

function deepFreeze<T extends object>(object: T): T {
  for (const value of Object.values(object)) if (typeof value === "object" && value !== null) deepFreeze(value);
  return Object.freeze(object);
}
