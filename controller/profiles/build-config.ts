import type {
  FileConfig,
  InterfaceConfig,
  Keyboard,
  NetworkConfig,
  SshConfig,
  SystemConfig,
  TaskConfig,
  UnitConfig,
  UserConfig,
  WifiConfig,
} from "../../proto/system/system-config.ts";
import { booleanOf, integerOf } from "./check-shape.ts";
import { fieldOf, itemsOf, type Located, type Problem, textOf } from "./located.ts";
import { referencedPath } from "./select-references.ts";

/** How long a task may take that says nothing of it, in milliseconds. */
const defaultTimeoutMs = 600_000;
const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/**
 * The config that a profile says, with the problems that keep it from being complete.
 *
 * @param system of `systemShape`, merged and rendered
 * @param files what the files have that it names, by their absolute paths
 * @param secrets what hooks give, by name
 */
export function buildConfig(
  system: Located,
  files: ReadonlyMap<string, Uint8Array>,
  secrets: Readonly<Record<string, string>> = {},
): { readonly config: SystemConfig; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const lacks = (value: Located, problem: string): undefined => {
    problems.push({ place: value.place, problem });
    return undefined;
  };
  const bytesOf = (map: Located | undefined, name: string): Uint8Array | undefined =>
    files.get(referencedPath(fieldOf(map, name)) ?? "");
  const secretOf = (name: Located | undefined): string | undefined => {
    const text = name === undefined ? "" : scalarText(name);
    return Object.hasOwn(secrets, text) ? secrets[text] : undefined;
  };
  /** Text of a file, without the newline at its end. */
  const lineOf = (bytes: Uint8Array | undefined): string | undefined => bytes && decode(bytes).replace(/\r?\n$/, "");

  const users = itemsOf(system, "users").map((user): UserConfig => {
    const keysFile = bytesOf(user, "authorizedKeysFile");
    const keys = keysFile === undefined ? textsOf(user, "authorizedKeys") : linesOf(keysFile);
    const uid = integerOf(fieldOf(user, "uid"));
    return {
      name: textOf(user, "name") ?? "",
      ...(uid !== undefined && { uid }),
      ...texts(user, "fullName", "shell"),
      ...lists(user, "groups"),
      ...optional("passwordHash", lineOf(bytesOf(user, "passwordHashFile")) ?? textOf(user, "passwordHash")),
      ...optional("authorizedKeys", keys),
      ...optional("sudo", textOf(user, "sudo") as UserConfig["sudo"]),
    };
  });

  const folder = (file: Located): FileConfig["content"] | undefined =>
    booleanOf(fieldOf(file, "folder")) === true ? { kind: "folder" } : undefined;
  const contentOf = (file: Located): FileConfig["content"] | undefined => {
    const target = textOf(file, "link");
    if (target !== undefined) return { kind: "link", target };
    const text = textOf(file, "content");
    const named =
      bytesOf(file, "contentFile") ?? bytesOf(file, "secretFile") ?? encoded(secretOf(fieldOf(file, "secretFrom")));
    const bytes = text === undefined ? named : encode(text);
    return bytes === undefined ? folder(file) : { kind: "file", bytes };
  };
  const fileConfigs = itemsOf(system, "files").flatMap((file): FileConfig[] => {
    const content = contentOf(file);
    if (content === undefined) {
      // A file that could not be read is a problem of its own.
      if (["contentFile", "secretFile", "secretFrom"].every((name) => fieldOf(file, name) === undefined))
        lacks(
          file,
          "it says nothing of what is there; give content, contentFile, secretFile, secretFrom, link or folder: true",
        );
      return [];
    }
    const mode = textOf(file, "mode");
    return [
      {
        ...{ path: textOf(file, "path") ?? "", content },
        ...(mode !== undefined && { mode: Number.parseInt(mode, 8) }),
        ...texts(file, "owner", "group"),
        ...(["secretFile", "secretFrom"].some((name) => fieldOf(file, name) !== undefined) && { secret: true }),
      },
    ];
  });

  const runOf = (task: Located): TaskConfig["run"] | undefined => {
    const words = textsOf(task, "command");
    if (words !== undefined) return { kind: "command", words };
    const script = bytesOf(task, "scriptFile");
    const text = script === undefined ? textOf(task, "script") : decode(script);
    return text === undefined ? undefined : { kind: "script", text };
  };
  const tasks = itemsOf(system, "tasks").flatMap((task): TaskConfig[] => {
    const run = runOf(task);
    if (run === undefined) {
      if (fieldOf(task, "scriptFile") === undefined)
        lacks(task, "it says nothing to run; give command, script or scriptFile");
      return [];
    }
    const secretFiles = entriesOf(fieldOf(task, "secretFiles")).flatMap(([name, entry]) => {
      const text = lineOf(files.get(referencedPath(entry) ?? ""));
      return text === undefined ? [] : [[name, text] as const];
    });
    const ofHooks = entriesOf(fieldOf(task, "secretsFrom")).flatMap(([name, entry]) => {
      if (fieldOf(fieldOf(task, "secretFiles"), name) !== undefined)
        lacks(entry, `secretFiles has ${name}, too; give one of them`);
      const text = secretOf(entry);
      return text === undefined ? [] : [[name, text] as const];
    });
    const environment = entriesOf(fieldOf(task, "environment")).map(([name, entry]) => [name, scalarText(entry)]);
    return [
      {
        ...{ name: textOf(task, "name") ?? "", run, timeoutMs: timeoutOf(textOf(task, "timeout")) },
        ...texts(task, "user"),
        ...(environment.length > 0 && { environment: Object.fromEntries(environment) }),
        ...(secretFiles.length + ofHooks.length > 0 && { secrets: Object.fromEntries([...secretFiles, ...ofHooks]) }),
      },
    ];
  });

  const units = itemsOf(system, "units").flatMap((unit): UnitConfig[] => {
    const state = textOf(unit, "state") as UnitConfig["state"] | undefined;
    if (state === undefined) lacks(unit, "it has no state; give enabled, disabled or masked");
    return state === undefined ? [] : [{ name: textOf(unit, "name") ?? "", state }];
  });

  const keyboardOf = (keyboard: Located): Keyboard | undefined => {
    const layout = textOf(keyboard, "layout");
    if (layout === undefined) return lacks(keyboard, "it has no layout; give one");
    return { layout, ...texts(keyboard, "model", "variant") };
  };

  const sshOf = (ssh: Located): SshConfig => {
    const keys = itemsOf(ssh, "hostKeyFiles").flatMap((item) => {
      const bytes = files.get(referencedPath(item) ?? "");
      return bytes === undefined ? [] : [decode(bytes)];
    });
    return {
      ...booleans(ssh, "enabled", "passwordAuthentication", "ownHostKeys"),
      ...(keys.length > 0 && { hostKeys: keys }),
    };
  };

  const wifiOf = (wifi: Located): WifiConfig | undefined => {
    const [country, ssid] = [textOf(wifi, "country"), textOf(wifi, "ssid")];
    if (country === undefined || ssid === undefined) return lacks(wifi, "it needs a country and an ssid; give both");
    const passphrase = lineOf(bytesOf(wifi, "passphraseFile")) ?? textOf(wifi, "passphrase");
    return { country, ssid, ...optional("passphrase", passphrase), ...booleans(wifi, "hidden") };
  };
  const networkOf = (network: Located): NetworkConfig => {
    const wifi = fieldOf(network, "wifi");
    const interfaces = itemsOf(network, "interfaces").map(
      (each): InterfaceConfig => ({
        name: textOf(each, "name") ?? "",
        ...lists(each, "addresses", "gateways", "dns", "searchDomains"),
      }),
    );
    return {
      ...(fieldOf(network, "interfaces") !== undefined && { interfaces }),
      ...(wifi !== undefined && optional("wifi", wifiOf(wifi))),
    };
  };

  const [keyboard, ssh, network] = ["keyboard", "ssh", "network"].map((name) => fieldOf(system, name));
  const config: SystemConfig = {
    ...texts(system, "hostname", "timezone", "locale"),
    ...(keyboard !== undefined && optional("keyboard", keyboardOf(keyboard))),
    ...(users.length > 0 && { users }),
    ...(ssh !== undefined && { ssh: sshOf(ssh) }),
    ...(network !== undefined && { network: networkOf(network) }),
    ...(fileConfigs.length > 0 && { files: fileConfigs }),
    ...(units.length > 0 && { units }),
    ...(tasks.length > 0 && { tasks }),
    ...optional("userData", decoded(bytesOf(system, "userDataFile")) ?? textOf(system, "userData")),
  };
  return { config, problems };
}

function timeoutOf(text: string | undefined): number {
  const [, count = "", unit = ""] = /^([0-9]+)(ms|s|m|h)$/.exec(text ?? "") ?? [];
  return count === "" ? defaultTimeoutMs : Number(count) * (unitsMs[unit] ?? 1);
}

function optional<Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): { readonly [key in Name]?: Value } | Record<never, never> {
  return value === undefined ? {} : ({ [name]: value } as { readonly [key in Name]: Value });
}

function texts<Name extends string>(map: Located, ...names: readonly Name[]): { readonly [key in Name]?: string } {
  const found = names.flatMap((name) => {
    const text = textOf(map, name);
    return text === undefined ? [] : [[name, text]];
  });
  return Object.fromEntries(found) as { readonly [key in Name]?: string };
}

function booleans<Name extends string>(map: Located, ...names: readonly Name[]): { readonly [key in Name]?: boolean } {
  const found = names.flatMap((name) => {
    const value = booleanOf(fieldOf(map, name));
    return value === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries(found) as { readonly [key in Name]?: boolean };
}

function lists<Name extends string>(
  map: Located,
  ...names: readonly Name[]
): { readonly [key in Name]?: readonly string[] } {
  const found = names.flatMap((name) => {
    const list = textsOf(map, name);
    return list === undefined ? [] : [[name, list]];
  });
  return Object.fromEntries(found) as { readonly [key in Name]?: readonly string[] };
}

/** The texts of a list; undefined where there is none. */
function textsOf(map: Located, name: string): readonly string[] | undefined {
  return fieldOf(map, name)?.kind === "list" ? itemsOf(map, name).map(scalarText) : undefined;
}

function entriesOf(map: Located | undefined): readonly (readonly [string, Located])[] {
  return map?.kind === "map" ? [...map.entries] : [];
}

function scalarText(value: Located): string {
  return value.kind === "scalar" ? String(value.value) : "";
}

/** Lines that say something: no empty ones, no comments. */
function linesOf(bytes: Uint8Array): readonly string[] {
  return decode(bytes)
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

function decoded(bytes: Uint8Array | undefined): string | undefined {
  return bytes && decode(bytes);
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function encoded(text: string | undefined): Uint8Array | undefined {
  return text === undefined ? undefined : encode(text);
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
