/** Explains why nfs-ganesha ended, from the last lines of its log. */
export function explainGaneshaEnd(lines: readonly string[]): string {
  const said = lines.map((line) => line.replace(/^.*?\[\w+\] /, ""));
  const parse = said.findLast((line) => line.includes("Config File ("));
  const critical = said.findLast(
    (line) => /:(CRIT|MAJ|FATAL) ?:/.test(line) && !/DBUS|principal nfs|Server exiting/.test(line),
  );
  if (said.some((line) => /Cannot register NFS V3/.test(line))) {
    return "it cannot register with the portmapper (rpcbind, port 111), or another NFS server is registered there";
  }
  if (said.some((line) => /Cannot bind|bind_sockets|Address already in use/i.test(line))) {
    return 'another program uses one of its ports, 2049 and 20048 ("ss -ltnp" shows which)';
  }
  if (said.some((line) => /libfsalvfs|Failed to load FSAL|fsal.*VFS.*fail/i.test(line))) {
    return 'its VFS module is missing; install it with "apt-get install nfs-ganesha-vfs"';
  }
  return parse ?? critical ?? said.findLast((line) => line.trim() !== "") ?? "it said nothing";
}
