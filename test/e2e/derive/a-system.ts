import { createHash } from "node:crypto";
import { chmod, chown, link, lutimes, mkdir, open, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";

const MiB = 1024 * 1024;

/** Bytes that follow from a seed and do not compress. */
export function noise(seed: string, sizeBytes: number): Buffer {
  const parts: Buffer[] = [];
  for (let count = 0; count * 64 < sizeBytes; count++)
    parts.push(createHash("sha512").update(`${seed} ${count}`).digest());
  return Buffer.concat(parts).subarray(0, sizeBytes);
}

/** The same with the magic number of a 64-bit ARM kernel (Documentation/arch/arm64/booting.rst). */
export function noisyKernel(seed: string, sizeBytes: number): Buffer {
  const kernel = Buffer.from(noise(seed, sizeBytes));
  kernel.write("ARM\x64", 56, "latin1");
  return kernel;
}

/** A file of a made-up system. */
export type SystemFile =
  | { readonly bytes: Buffer | string; readonly mode?: number; readonly owner?: number; readonly mtime?: number }
  | { readonly link: string }
  | { readonly hardLink: string }
  | { readonly device: readonly [number, number] }
  /** A file of this length with nothing in it. */
  | { readonly hole: number };

/** Files by path; parents before what refers to them. */
export type SystemFiles = Readonly<Record<string, SystemFile>>;

/** An image to build. */
export interface SystemImage {
  readonly table?: "dos" | "gpt";
  readonly diskId: string;
  readonly firmware: Readonly<Record<string, Buffer | string>>;
  readonly root: SystemFiles;
  readonly rootBytes: number;
  readonly rootUuid: string;
  readonly rootLabel?: string;
  /** Extended attributes of files of the root filesystem: path, name, value. */
  readonly attributes?: readonly (readonly [string, string, string])[];
  readonly ext?: readonly string[];
}

/** Where the partitions of a built image are. */
export const firmwarePlace: { readonly offsetBytes: number; readonly lengthBytes: number } = {
  offsetBytes: MiB,
  lengthBytes: 4 * MiB,
};
export const rootOffsetBytes: number = 5 * MiB;

/** Puts files into a folder, with owners and times; needs root for devices and owners. */
export async function writeSystem(folder: string, files: SystemFiles, year: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  const seconds = Date.UTC(year, 1, 2) / 1000;
  for (const [name, file] of Object.entries(files)) {
    const at = path.join(folder, name);
    await mkdir(path.dirname(at), { recursive: true });
    if ("bytes" in file) {
      await writeFile(at, file.bytes);
      if (file.owner !== undefined) await chown(at, file.owner, file.owner);
      await chmod(at, file.mode ?? 0o644);
    } else if ("link" in file) await symlink(file.link, at);
    else if ("hardLink" in file) await link(path.join(folder, file.hardLink), at);
    else if ("device" in file) await execa("mknod", [at, "c", ...file.device.map(String)]);
    else {
      const handle = await open(at, "wx");
      await handle.truncate(file.hole);
      await handle.close();
    }
    const mtime = "bytes" in file && file.mtime !== undefined ? file.mtime : seconds;
    await lutimes(at, mtime, mtime);
  }
}

/** Builds an image as builders of images do: everything new, by mkfs.vfat, mcopy and mke2fs -d. */
export async function buildSystemImage(image: string, system: SystemImage, year: number): Promise<void> {
  const { table = "dos", diskId, rootBytes, rootUuid, rootLabel = "rootfs" } = system;
  const file = await open(image, "wx");
  await file.truncate(rootOffsetBytes + rootBytes + MiB);
  await file.close();
  const guid = (last: number) => `${diskId}-0000-4000-8000-00000000000${last}`;
  const script = [
    `label: ${table}`,
    `label-id: ${table === "dos" ? `0x${diskId}` : guid(0)}`,
    `start=2048, size=8192${table === "dos" ? ", type=c" : `, type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7, uuid=${guid(1)}`}`,
    `start=10240, size=${rootBytes / 512}${table === "dos" ? "" : `, uuid=${guid(2)}, name="root : start=5"`}`,
  ];
  await execa("sfdisk", ["--quiet", "--no-tell-kernel", image], { input: `${script.join("\n")}\n` });

  const firmware = `${image}.firmware`;
  await writeSystem(
    firmware,
    Object.fromEntries(Object.entries(system.firmware).map(([name, bytes]) => [name, { bytes }])),
    year,
  );
  await execa("mkfs.vfat", ["-F", "16", "-s", "1", "-n", "BOOTFS", "-i", diskId, "--offset=2048", image, "4096"]);
  const tops = [...new Set(Object.keys(system.firmware).map((name) => path.join(firmware, name.split("/")[0] ?? "")))];
  await execa("mcopy", ["-s", "-m", "-i", `${image}@@${firmwarePlace.offsetBytes}`, ...tops, "::"]);
  await rm(firmware, { recursive: true });

  const root = `${image}.root`;
  await writeSystem(root, system.root, year);
  const extended = `offset=${rootOffsetBytes},root_owner=0:0,hash_seed=${rootUuid}`;
  await execa("mke2fs", [
    ...["-q", "-F", "-t", "ext4", "-b", "4096", "-L", rootLabel, "-U", rootUuid, ...(system.ext ?? [])],
    ...["-d", root, "-E", extended, image, `${rootBytes / 1024}k`],
  ]);
  await rm(root, { recursive: true });
  for (const [name, attribute, value] of system.attributes ?? []) {
    await execa("debugfs", ["-w", "-R", `ea_set ${name} ${attribute} ${value}`, `${image}?offset=${rootOffsetBytes}`]);
  }
}
