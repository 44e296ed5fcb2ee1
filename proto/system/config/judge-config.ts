import type { SystemConfig } from "../system-config.ts";
import type { SystemAbilities } from "./abilities.ts";
import { planFields } from "./plan-edits.ts";
import { judgeFirstBoot } from "./plan-first-boot.ts";
import { judgeIdentity } from "./plan-identity.ts";
import { judgeNetwork } from "./plan-network.ts";
import { judgeSsh } from "./plan-ssh.ts";
import { unitsWith, whyNotUnit } from "./plan-units.ts";
import { judgeUsers } from "./plan-users.ts";

/**
 * Why a system cannot take a config: one sentence for each reason, which names the field, what the system lacks, and the
 * remedy. Empty when it can take all of it. That tasks need the resident agent is for the caller to judge.
 */
export function judgeConfig(config: SystemConfig, abilities: SystemAbilities): readonly string[] {
  const { users = [], ssh, network, units = [] } = config;
  const known = unitsWith(config, abilities);
  return [
    ...judgeIdentity(config, abilities),
    ...judgeUsers(users, abilities),
    ...(ssh === undefined ? [] : judgeSsh(ssh, abilities)),
    ...(network === undefined ? [] : judgeNetwork(network, abilities)),
    ...judgeFirstBoot(config, abilities),
    ...units.flatMap(({ name, state }, index) => {
      const why = whyNotUnit(name, state, abilities, known);
      return why === undefined ? [] : [`units[${index}]: ${name} cannot be ${state}: ${why}`];
    }),
    ...judgeFiles(config, abilities),
    ...judgeTasks(config, abilities),
  ];
}

/** A file that another field writes, too: one of them would be lost. */
function judgeFiles(config: SystemConfig, abilities: SystemAbilities): readonly string[] {
  const { files = [] } = config;
  const written = new Map(
    planFields(config, abilities, { digest: "" })
      .filter(({ kind }) => kind === "file" || kind === "amend" || kind === "link")
      .map(({ path, does }) => [path, does]),
  );
  const names = new Set([...abilities.users, ...(config.users ?? [])].map(({ name }) => name));
  const groups = new Set([...abilities.groups, ...(config.users ?? [])].map(({ name }) => name));
  const isUnknown = (name: string | undefined, known: ReadonlySet<string>) =>
    name !== undefined && !/^\d+$/.test(name) && !known.has(name);
  return files.flatMap(({ path, content, owner, group }, index) => [
    ...(content.kind !== "folder" && written.has(path)
      ? [`files[${index}].path: ${path} is written by another field, which ${written.get(path)}: leave one of them out`]
      : []),
    ...(isUnknown(owner, names) ? [`files[${index}].owner: neither image nor profile has a user ${owner}`] : []),
    ...(isUnknown(group, groups) ? [`files[${index}].group: neither image nor profile has a group ${group}`] : []),
  ]);
}

function judgeTasks({ tasks = [], users = [] }: SystemConfig, abilities: SystemAbilities): readonly string[] {
  const names = new Set([...abilities.users, ...users].map(({ name }) => name));
  return tasks.flatMap(({ user }, index) =>
    user === undefined || names.has(user)
      ? []
      : [`tasks[${index}].user: neither image nor profile has a user ${user}: make it in users`],
  );
}
