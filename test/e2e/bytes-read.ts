import { copyFile, mkdir, readFile, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";
import { attachLoop } from "../../proto/linux/loop-device.ts";
import { startBinary } from "./running-binary.ts";

/**
 * Bytes that a device is asked for from the start of a program that is on it until that program serves. The device is
 * a loop device with a filesystem that nothing has been read from; it reads no page that nobody asked for unless told.
 *
 * @param folder an empty folder to work in; nothing is mounted in it afterwards
 * @param readAheadKilobytes what the kernel reads around a page that is asked for: 128 by default, for NFS too
 */
export async function bytesReadUntilServing(
  folder: string,
  program: { readonly file: string; readonly emulator: readonly string[]; readonly args: readonly string[] },
  environment: Readonly<Record<string, string>>,
  readAheadKilobytes = 0,
): Promise<number> {
  const image = path.join(folder, "image");
  const mountPoint = path.join(folder, "mounted");
  await mkdir(mountPoint);
  await writeFile(image, "");
  await truncate(image, 256 * 2 ** 20);
  await execa("mkfs.ext4", ["-q", "-m", "0", image]);
  const attached = await attachLoop({ file: image });
  const loop = attached.path;
  try {
    const statistics = path.join("/sys/block", path.basename(loop));
    // Mounted again for the run: what was written is still in memory otherwise.
    await mounted(loop, mountPoint, [], () => copyFile(program.file, path.join(mountPoint, "program")));
    await writeFile(path.join(statistics, "queue/read_ahead_kb"), String(readAheadKilobytes));
    return await mounted(loop, mountPoint, ["--read-only"], async () => {
      const before = await sectorsRead(statistics);
      const command = [...program.emulator, path.join(mountPoint, "program"), ...program.args] as [string, ...string[]];
      const running = await startBinary(command, environment);
      const sectors = (await sectorsRead(statistics)) - before;
      await running.stop();
      return sectors * 512;
    });
  } finally {
    await attached.close();
  }
}

async function mounted<T>(device: string, at: string, options: readonly string[], work: () => Promise<T>): Promise<T> {
  await execa("mount", [...options, device, at]);
  try {
    return await work();
  } finally {
    await execa("umount", [at]);
  }
}

/** Sectors of 512 bytes read since the device was made: third field of Documentation/block/stat.rst. */
async function sectorsRead(device: string): Promise<number> {
  return Number((await readFile(path.join(device, "stat"), "utf8")).trim().split(/\s+/)[2]);
}
