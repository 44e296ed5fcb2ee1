/**
 * An fstab(5) for a root that is on the network: every line that mounts something is put out of force by a comment
 * sign and keeps its text; comments stay as they are. Only kernel filesystems (proc, tmpfs and the like) stay in force.
 * Giving it its own result changes nothing.
 */
export function renderCleanFstab(fstab: string): string {
  const inMemory = new Set(["proc", "sysfs", "tmpfs", "devtmpfs", "devpts", "debugfs", "configfs"]);
  const lines = fstab.split("\n").map((line) => {
    const [device = "", , type = ""] = line.trim().split(/\s+/);
    const isOff = device === "" || device.startsWith("#") || inMemory.has(type);
    return isOff ? line : `${mark}${line}`;
  });
  const text = lines.join("\n");
  if (text === "" || text.endsWith("\n")) return text;
  return `${text}\n`;
}

/** The prefix of a disabled line. */
const mark = "#pallet# ";
