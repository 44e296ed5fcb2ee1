/** What a block device has done since it was attached, in bytes. */
export interface DeviceTraffic {
  readonly readBytes: number;
  readonly writtenBytes: number;
}

/**
 * Parses /sys/block/DEVICE/stat (Documentation/block/stat.rst): sectors there are of 512 bytes, whatever the device's
 * are.
 */
export function parseDeviceStat(text: string): DeviceTraffic {
  const fields = text.trim().split(/\s+/).map(Number);
  const [readSectors, writtenSectors] = [fields[2], fields[6]];
  if (readSectors === undefined || writtenSectors === undefined || fields.some(Number.isNaN))
    throw new Error(`not the stat file of a block device: "${text.trim()}"`);
  return { readBytes: readSectors * 512, writtenBytes: writtenSectors * 512 };
}

/** Seconds that the processes of a control group have used, living and ended, from its cpu.stat (cgroup-v2.rst). */
export function parseCpuSeconds(text: string): number {
  const micros = /^usage_usec (\d+)$/m.exec(text)?.[1];
  if (micros === undefined) throw new Error(`not the cpu.stat file of a control group: "${text.trim()}"`);
  return Number(micros) / 1e6;
}

/** The largest resident set of a process so far in bytes: VmHWM of /proc/PID/status (proc_pid_status(5)). */
export function parsePeakResidentBytes(text: string): number {
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(text)?.[1];
  if (kibibytes === undefined) throw new Error("no VmHWM in the status of the process");
  return Number(kibibytes) * 1024;
}

/** Bytes that a network interface has received and sent, from `ip -json -statistics link show` of one interface. */
export function parseLinkBytes(json: string): { readonly receivedBytes: number; readonly sentBytes: number } {
  const [link] = JSON.parse(json) as { stats64?: { rx?: { bytes?: unknown }; tx?: { bytes?: unknown } } }[];
  const [received, sent] = [link?.stats64?.rx?.bytes, link?.stats64?.tx?.bytes];
  if (typeof received !== "number" || typeof sent !== "number")
    throw new Error("ip reports no statistics for the link");
  return { receivedBytes: received, sentBytes: sent };
}

/** Where the second version of control groups is mounted, from /proc/self/mounts; undefined where it is not. */
export function parseControlGroupMount(mounts: string): string | undefined {
  return mounts
    .split("\n")
    .map((line) => line.split(" "))
    .find(([, , type]) => type === "cgroup2")?.[1];
}
