import { durationFromWire, durationToWire } from "../../duration.ts";
import { Failure } from "../../failure.ts";
import * as wire from "../../gen/pallet/v1/system.ts";
import { wireWords } from "../../words/wire-words.ts";
import type {
  FileConfig,
  InterfaceConfig,
  NetworkConfig,
  SshConfig,
  SystemConfig,
  TaskConfig,
  UnitConfig,
  UserConfig,
  WifiConfig,
} from "../system-config.ts";

const sudoRules = wireWords<NonNullable<UserConfig["sudo"]>, wire.SudoRule>({
  password: wire.SudoRule.SUDO_RULE_PASSWORD,
  "no-password": wire.SudoRule.SUDO_RULE_NO_PASSWORD,
});

const unitStates = wireWords<UnitConfig["state"], wire.UnitState>({
  enabled: wire.UnitState.UNIT_STATE_ENABLED,
  disabled: wire.UnitState.UNIT_STATE_DISABLED,
  masked: wire.UnitState.UNIT_STATE_MASKED,
});

/** A config as it travels. */
export function encodeSystemConfig(config: SystemConfig): wire.SystemConfig {
  const { keyboard, ssh, network } = config;
  return {
    hostname: config.hostname ?? "",
    timezone: config.timezone ?? "",
    locale: config.locale ?? "",
    keyboard: keyboard && { layout: keyboard.layout, model: keyboard.model ?? "", variant: keyboard.variant ?? "" },
    users: (config.users ?? []).map(userToWire),
    ssh: ssh && {
      enabled: ssh.enabled,
      passwordAuthentication: ssh.passwordAuthentication,
      ownHostKeys: ssh.ownHostKeys,
      hostKeys: [...(ssh.hostKeys ?? [])],
    },
    network: network && {
      interfaces: (network.interfaces ?? []).map(interfaceToWire),
      wifi: network.wifi && {
        country: network.wifi.country,
        ssid: network.wifi.ssid,
        passphrase: network.wifi.passphrase ?? "",
        hidden: network.wifi.hidden ?? false,
      },
    },
    files: (config.files ?? []).map(fileToWire),
    units: (config.units ?? []).map(({ name, state }) => ({ name, state: unitStates.toWire(state) })),
    tasks: (config.tasks ?? []).map(taskToWire),
    userData: config.userData ?? "",
  };
}

/**
 * A config as it travelled, with every value as received: findConfigProblems() judges them. What is empty is absent.
 * Throws a Failure "invalid" that names the field when something is missing, or is a word that this program does not
 * know.
 */
export function decodeSystemConfig(config: wire.SystemConfig): SystemConfig {
  const { keyboard, ssh, network } = config;
  return {
    ...given("hostname", config.hostname),
    ...given("timezone", config.timezone),
    ...given("locale", config.locale),
    ...(keyboard !== undefined && {
      keyboard: { layout: keyboard.layout, ...given("model", keyboard.model), ...given("variant", keyboard.variant) },
    }),
    ...listed("users", config.users.map(userFromWire)),
    ...(ssh !== undefined && { ssh: sshFromWire(ssh) }),
    ...(network !== undefined && { network: networkFromWire(network) }),
    ...listed("files", config.files.map(fileFromWire)),
    ...listed("units", config.units.map(unitFromWire)),
    ...listed("tasks", config.tasks.map(taskFromWire)),
    ...given("userData", config.userData),
  };
}

function userToWire(user: UserConfig): wire.UserConfig {
  return {
    name: user.name,
    uid: user.uid,
    fullName: user.fullName ?? "",
    shell: user.shell ?? "",
    groups: [...(user.groups ?? [])],
    passwordHash: user.passwordHash ?? "",
    authorizedKeys: user.authorizedKeys && { lines: [...user.authorizedKeys] },
    sudo: user.sudo === undefined ? wire.SudoRule.SUDO_RULE_UNSPECIFIED : sudoRules.toWire(user.sudo),
  };
}

function userFromWire(user: wire.UserConfig, index: number): UserConfig {
  const { uid, authorizedKeys } = user;
  const isGiven = user.sudo !== wire.SudoRule.SUDO_RULE_UNSPECIFIED;
  const sudo = isGiven
    ? known(sudoRules.fromWire(user.sudo), `users[${index}].sudo is no rule that is known`)
    : undefined;
  return {
    name: user.name,
    ...(uid !== undefined && { uid }),
    ...given("fullName", user.fullName),
    ...given("shell", user.shell),
    ...listed("groups", user.groups),
    ...given("passwordHash", user.passwordHash),
    ...(authorizedKeys !== undefined && { authorizedKeys: authorizedKeys.lines }),
    ...(sudo !== undefined && { sudo }),
  };
}

function sshFromWire({ enabled, passwordAuthentication, ownHostKeys, hostKeys }: wire.SshConfig): SshConfig {
  return {
    ...(enabled !== undefined && { enabled }),
    ...(passwordAuthentication !== undefined && { passwordAuthentication }),
    ...(ownHostKeys !== undefined && { ownHostKeys }),
    ...listed("hostKeys", hostKeys),
  };
}

function networkFromWire({ interfaces, wifi }: wire.NetworkConfig): NetworkConfig {
  return {
    ...listed("interfaces", interfaces.map(interfaceFromWire)),
    ...(wifi !== undefined && { wifi: wifiFromWire(wifi) }),
  };
}

function interfaceToWire({ name, addresses, gateways, dns, searchDomains }: InterfaceConfig): wire.InterfaceConfig {
  return {
    name,
    addresses: [...(addresses ?? [])],
    gateways: [...(gateways ?? [])],
    dns: [...(dns ?? [])],
    searchDomains: [...(searchDomains ?? [])],
  };
}

function interfaceFromWire({ name, addresses, gateways, dns, searchDomains }: wire.InterfaceConfig): InterfaceConfig {
  return {
    name,
    ...listed("addresses", addresses),
    ...listed("gateways", gateways),
    ...listed("dns", dns),
    ...listed("searchDomains", searchDomains),
  };
}

function wifiFromWire({ country, ssid, passphrase, hidden }: wire.WifiConfig): WifiConfig {
  return { country, ssid, ...given("passphrase", passphrase), ...(hidden && { hidden }) };
}

function fileToWire({ path, content, mode, owner, group, secret }: FileConfig): wire.FileConfig {
  return {
    path,
    content:
      content.kind === "file"
        ? { $case: "bytes", value: content.bytes }
        : content.kind === "folder"
          ? { $case: "folder", value: {} }
          : { $case: "linkTarget", value: content.target },
    mode,
    owner: owner ?? "",
    group: group ?? "",
    secret: secret ?? false,
  };
}

function fileFromWire(file: wire.FileConfig, index: number): FileConfig {
  const { path, mode, owner, group, secret } = file;
  const content = known(file.content, `files[${index}].content is missing, or unknown to this program`);
  return {
    path,
    content:
      content.$case === "bytes"
        ? { kind: "file", bytes: content.value }
        : content.$case === "folder"
          ? { kind: "folder" }
          : { kind: "link", target: content.value },
    ...(mode !== undefined && { mode }),
    ...given("owner", owner),
    ...given("group", group),
    ...(secret && { secret }),
  };
}

function unitFromWire({ name, state }: wire.UnitConfig, index: number): UnitConfig {
  return { name, state: known(unitStates.fromWire(state), `units[${index}].state is none that is known`) };
}

function taskToWire({ name, run, timeoutMs, user, environment, secrets }: TaskConfig): wire.TaskConfig {
  return {
    name,
    run:
      run.kind === "command"
        ? { $case: "command", value: { words: [...run.words] } }
        : { $case: "script", value: run.text },
    timeout: durationToWire(timeoutMs),
    user: user ?? "",
    environment: namedToWire(environment),
    secrets: namedToWire(secrets),
  };
}

function taskFromWire(task: wire.TaskConfig, index: number): TaskConfig {
  const field = `tasks[${index}]`;
  const run = known(task.run, `${field}.run is missing, or unknown to this program`);
  const timeout = known(task.timeout, `${field}.timeout is missing`);
  return {
    name: task.name,
    run: run.$case === "command" ? { kind: "command", words: run.value.words } : { kind: "script", text: run.value },
    // Whole ones, as it would be sent on: a config that has travelled twice is the same.
    timeoutMs: Math.round(durationFromWire(timeout)),
    ...given("user", task.user),
    ...named("environment", task.environment, field),
    ...named("secrets", task.secrets, field),
  };
}

function namedToWire(texts: Readonly<Record<string, string>> = {}): wire.NamedText[] {
  return Object.entries(texts).map(([name, text]) => ({ name, text }));
}

/** Texts by their names. The names are checked here: one of them could be that of a prototype. */
function named<Name extends string>(name: Name, texts: readonly wire.NamedText[], field: string) {
  const names = new Set(texts.map((each) => each.name));
  if (names.size < texts.length || names.has("__proto__"))
    throw new Failure("invalid", `${field}.${name}: a name is there twice, or is not one`);
  return texts.length === 0
    ? {}
    : ({ [name]: Object.fromEntries(texts.map((each) => [each.name, each.text])) } as {
        [Key in Name]?: Readonly<Record<string, string>>;
      });
}

function given<Name extends string>(name: Name, text: string) {
  return text === "" ? {} : ({ [name]: text } as { [Key in Name]?: string });
}

function listed<Name extends string, Item>(name: Name, items: readonly Item[]) {
  return items.length === 0 ? {} : ({ [name]: items } as { [Key in Name]?: readonly Item[] });
}

function known<T>(value: T | undefined, otherwise: string): T {
  if (value === undefined) throw new Failure("invalid", otherwise);
  return value;
}
