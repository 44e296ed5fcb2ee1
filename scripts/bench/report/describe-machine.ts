import { readFile } from "node:fs/promises";
import os from "node:os";
import process from "node:process";
import { execa } from "../../../proto/linux/leashed-execa.ts";

/** What a reader has to know of the machine, a sentence a line. */
export async function describeMachine(folder: string): Promise<readonly string[]> {
  const cpus = os.cpus();
  const flags = /^flags\s*:(.*)$/m.exec(await readFile("/proc/cpuinfo", "utf8"))?.[1]?.split(" ") ?? [];
  const known = ["aes", "sha_ni", "avx2", "avx512f"].filter((flag) => flags.includes(flag));
  const { stdout: filesystem } = await execa("findmnt", [
    "--noheadings",
    "--output",
    "FSTYPE,SOURCE",
    "--target",
    folder,
  ]);
  const memory = Math.round(os.totalmem() / 1024 ** 3);
  const load = os.loadavg()[0] ?? 0;
  return [
    `Machine: ${cpus.length} × ${cpus[0]?.model ?? "unknown processor"}${known.length > 0 ? ` (${known.join(", ")})` : ""}, ` +
      `${memory} GiB, Linux ${os.release()}, Node ${process.versions.node}; sender and receiver share it. Load average at ` +
      `the start ${load.toFixed(1)}.`,
    `Card: a loop device with direct I/O over a preallocated file (${filesystem.trim().replaceAll(/\s+/g, " on ")}).`,
  ];
}
