import { stringify } from "yaml";
import type { FileConfig, SystemConfig } from "../../proto/system/system-config.ts";
import type { FromHook } from "./hook-values.ts";
import { describeFromHooks } from "./node-system.ts";
import { utf8Of } from "./read-bounded.ts";

/** What stands for a secret wherever a config is shown. */
export const hidden = "(secret)";

/** Longer content of a file is not shown. */
const mostShownBytes = 4096;

/** A config as YAML for people, without its secrets, headed by what of it comes from hooks. */
export function renderConfig(config: SystemConfig, fromHooks: readonly FromHook[] = []): string {
  const comments = describeFromHooks({ fromHooks }).map((each) => `# known at the write alone: ${each}\n`);
  return `${comments.join("")}${stringify(withoutSecrets(config), { lineWidth: 0 })}`;
}

/** A config as plain data without its secrets, nor what is too long to be looked at. */
export function withoutSecrets(config: SystemConfig): unknown {
  const { users, ssh, network, files, tasks, userData, ...rest } = config;
  return {
    ...rest,
    ...(users && {
      users: users.map(({ passwordHash, ...user }) => ({ ...user, ...hide("passwordHash", passwordHash) })),
    }),
    ...(ssh && { ssh: { ...without(ssh, "hostKeys"), ...hide("hostKeys", ssh.hostKeys) } }),
    ...(network && {
      network: {
        ...network,
        ...(network.wifi && {
          wifi: { ...without(network.wifi, "passphrase"), ...hide("passphrase", network.wifi.passphrase) },
        }),
      },
    }),
    ...(files && { files: files.map(shownFile) }),
    ...(tasks && {
      tasks: tasks.map(({ secrets, ...task }) => ({
        ...task,
        ...(secrets && { secrets: Object.fromEntries(Object.keys(secrets).map((name) => [name, hidden])) }),
      })),
    }),
    ...hide("userData", userData),
  };
}

function shownFile({ content, mode, secret, ...file }: FileConfig): unknown {
  return {
    ...file,
    ...(mode !== undefined && { mode: mode.toString(8).padStart(4, "0") }),
    ...shownContent(content, secret === true),
  };
}

function shownContent(content: FileConfig["content"], isSecret: boolean): object {
  switch (content.kind) {
    case "folder":
      return { folder: true };
    case "link":
      return { link: content.target };
    case "file":
      return { content: isSecret ? hidden : shownBytes(content.bytes) };
  }
}

function shownBytes(bytes: Uint8Array): string {
  if (bytes.length > mostShownBytes) return `(${bytes.length} bytes)`;
  return utf8Of(bytes) ?? `(${bytes.length} bytes that are no text)`;
}

function hide<Name extends string>(name: Name, value: unknown): object {
  return value === undefined ? {} : { [name]: hidden };
}

function without<Value extends object, Name extends keyof Value>(value: Value, name: Name): Omit<Value, Name> {
  const { [name]: _, ...rest } = value;
  return rest;
}
