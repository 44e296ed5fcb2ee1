/**
 * A search path in which what only root runs is found too: beside every folder "bin" its "sbin". Debian's `su` and
 * sessions of ordinary users leave those out, and blkid, debugfs, depmod and more are there.
 */
export function systemPath(searchPath: string | undefined): string {
  const given = (searchPath ?? "/usr/local/bin:/usr/bin:/bin").split(":").filter((folder) => folder !== "");
  const siblings = given.filter((folder) => /\/bin$/.test(folder)).map((folder) => folder.replace(/bin$/, "sbin"));
  return [...new Set([...given, ...siblings])].join(":");
}
