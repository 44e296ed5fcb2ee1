import type { FileConfig, SystemConfig } from "../system-config.ts";
import { renderTasks, tasksMode, tasksPath } from "../tasks/render-tasks.ts";
import { tasksStateFile, tasksStateFolder } from "../tasks/tasks-state.ts";
import type { SystemAbilities } from "./abilities.ts";
import type { Edit } from "./edit.ts";
import { planFirstBoot, wifiCopierUnit } from "./plan-first-boot.ts";
import { planIdentity, planMachineId } from "./plan-identity.ts";
import { planNetwork } from "./plan-network.ts";
import { planSsh, sshPresets } from "./plan-ssh.ts";
import { planPresets, planUnit, unitsWith } from "./plan-units.ts";
import { planUsers } from "./plan-users.ts";

/** What beside the config decides what is written. */
export interface PlanAbout {
  /** Digest of the config, as the stamp has it: 64 hexadecimal digits. */
  readonly digest: string;
  /** Host keys that were made for the system, in OpenSSH's private format; absent while they are not made yet. */
  readonly madeHostKeys?: readonly string[];
}

/**
 * What is written where, in the order in which it is to be made. Only for a config in which judgeConfig() finds nothing
 * to refuse.
 */
export function planEdits(config: SystemConfig, abilities: SystemAbilities, about: PlanAbout): readonly Edit[] {
  return [...planFields(config, abilities, about), ...(config.files ?? []).map(planFile)];
}

/** The edits of all fields but the files. */
export function planFields(config: SystemConfig, abilities: SystemAbilities, about: PlanAbout): readonly Edit[] {
  const { users = [], ssh = {}, network = {}, units = [], tasks = [] } = config;
  const known = unitsWith(config, abilities);
  const presets = [
    ...units,
    ...["regenerate_ssh_host_keys.service", "userconfig.service", ...(network.wifi ? [wifiCopierUnit] : [])]
      .filter((name) => Object.hasOwn(known, name) && !units.some((unit) => unit.name === name))
      .map((name) => ({ name, state: "disabled" }) as const),
    ...sshPresets(ssh, abilities),
  ];
  return [
    ...planMachineId(abilities),
    ...planIdentity(config, abilities),
    ...planUsers(users, abilities),
    ...planSsh(ssh, abilities, about.madeHostKeys),
    ...planNetwork(network, abilities),
    ...planFirstBoot(config, abilities, about.digest),
    ...units.flatMap(({ name, state }) => planUnit(name, state, abilities, known)),
    ...planPresets(presets, abilities),
    tasks.length === 0
      ? { kind: "remove", path: tasksPath, does: "removes the tasks of another reimage" }
      : {
          kind: "file",
          path: tasksPath,
          does: `has the system run once: ${tasks.map(({ name }) => name).join(", ")}`,
          content: renderTasks(tasks, about.digest),
          mode: tasksMode,
        },
    // An image that was taken of a node may have that of the same config.
    {
      kind: "remove",
      path: `${tasksStateFolder}/${tasksStateFile}`,
      does: "forgets what became of the tasks of another reimage",
    },
  ];
}

function planFile({ path, content, mode, owner, group, secret }: FileConfig): Edit {
  const owned = { ...(owner !== undefined && { owner }), ...(group !== undefined && { group }) };
  switch (content.kind) {
    case "file":
      return {
        kind: "file",
        path,
        does: `writes ${content.bytes.length} bytes`,
        content: content.bytes,
        mode: mode ?? (secret === true ? 0o600 : 0o644),
        ...owned,
      };
    case "folder":
      return { kind: "folder", path, does: "makes a folder", ...(mode !== undefined && { mode }), ...owned };
    case "link":
      return { kind: "link", path, does: `makes a link to ${content.target}`, target: content.target, ...owned };
  }
}
