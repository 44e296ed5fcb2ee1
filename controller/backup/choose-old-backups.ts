const form = /^pallet-\d{8}-\d{6}\.tar\.zst$/;

/** The name of a backup in a folder of many: "pallet-20261130-031500.tar.zst", in UTC. @param at milliseconds since the epoch */
export function backupNameAt(at: number): string {
  const [day = "", time = ""] = new Date(at).toISOString().slice(0, 19).split("T");
  return `pallet-${day.replaceAll("-", "")}-${time.replaceAll(":", "")}.tar.zst`;
}

/**
 * Which backups of a folder are to go, so that the newest `keep` stay. What is named later than the one that was just made was
 * named by another clock: nothing tells whether it is older, so it stays. Files of other names are somebody else's.
 */
export function chooseOldBackups(names: readonly string[], justMade: string, keep: number): readonly string[] {
  const others = names.filter((name) => form.test(name) && name < justMade).toSorted();
  return others.slice(0, Math.max(0, others.length - (keep - 1)));
}
