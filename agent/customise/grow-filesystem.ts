import { open } from "node:fs/promises";
import { Failure } from "../../proto/failure.ts";
import { isExt } from "../../proto/linux/ext-filesystem.ts";
import { attachLoop } from "../../proto/linux/loop-device.ts";
import { superblockAt, superblockBytes } from "../card/parse-ext-superblock.ts";
import { type ExtGrowth, planExtGrowth } from "../card/plan-ext-growth.ts";
import { flushBuffers } from "../linux/flush-buffers.ts";
import { runTool, throwIfCancelled } from "../linux/run-tool.ts";

/** A filesystem to grow to the length of its partition, which no table describes yet. */
export interface GrowFilesystem {
  /** Path of the whole disk. */
  readonly device: string;
  readonly offsetBytes: number;
  /** How long the partition was in the image, and is now. */
  readonly oldBytes: number;
  readonly lengthBytes: number;
  readonly filesystemType: string;
  readonly signal?: AbortSignal | undefined;
}

/** What came of it. */
export interface FilesystemGrowth {
  readonly grown: boolean;
  /** Why it was not grown, or not to the whole partition: a clause for people. */
  readonly whyNot?: string;
  /** Whether the attempt has damaged it, so that it has to be written again. */
  readonly damaged?: boolean;
}

/** Exit codes of e2fsck(8) that leave a sound filesystem: nothing to do, and all errors corrected. */
const sound = [0, 1] as const;
const unsound = [2, 4, 8, 12] as const;

/**
 * Grows an ext2, ext3 or ext4 by resize2fs(8), unmounted. That writes little (descriptors and their copies; new inode
 * tables are left to the system, which initialises them in the background) and moves hardly anything, so that the same
 * image finds its chunks again: controller/images/README.md has the figures. A mounted filesystem would be grown by
 * the kernel, which needs CAP_SYS_RESOURCE and a kernel without its faults (before 6.1.81: without resize_inode).
 *
 * A filesystem that cannot be grown safely stays as it is, and why is told. Rejects with a Failure: `tool-failed`,
 * `device-error`, `cancelled`.
 */
export async function growFilesystem(request: GrowFilesystem): Promise<FilesystemGrowth> {
  const { device, offsetBytes, lengthBytes, filesystemType, signal } = request;
  throwIfCancelled(signal, `grow the root filesystem of ${device}`);
  if (!isExt(filesystemType)) return { grown: false, whyNot: `the agent grows no ${filesystemType}` };
  const plan = planExtGrowth(await readSuperblock(device, offsetBytes), request);
  if ("whyNot" in plan) return { grown: false, whyNot: plan.whyNot };
  await using loop = await loopOver(device, offsetBytes, lengthBytes);
  const result = await growOn(loop.path, plan, request);
  await flushBuffers({ device: loop.path, what: `the grown root filesystem of ${device}`, signal });
  await flushBuffers({ device, signal });
  return result;
}

async function growOn(loop: string, plan: ExtGrowth, { device, signal }: GrowFilesystem): Promise<FilesystemGrowth> {
  const check = () =>
    runTool({
      tool: "e2fsck",
      args: ["-f", "-p", loop],
      task: `check the root filesystem of ${device}`,
      acceptedExitCodes: [...sound, ...unsound],
      signal,
    });
  if (plan.check) {
    const { exitCode, stdout } = await check();
    if (!isSound(exitCode)) return { grown: false, whyNot: `its filesystem has errors (${lastLine(stdout)})` };
  }
  try {
    if (plan.leaveInodeTables)
      await runTool({
        tool: "tune2fs",
        args: ["-O", "uninit_bg", loop],
        task: `prepare the growth of ${device}`,
        signal,
      });
    await runTool({
      tool: "resize2fs",
      args: [loop, `${(plan.blocks * plan.blockBytes) / 512}s`],
      task: `grow the root filesystem of ${device}`,
      // Whether or not this kernel has ext4 loaded, which is how resize2fs finds out whether tables may be left.
      environment: { RESIZE2FS_FORCE_LAZY_ITABLE_INIT: "1" },
      signal,
    });
  } catch (error) {
    throwIfCancelled(signal, `grow the root filesystem of ${device}`);
    const failure = Failure.from(error);
    const { exitCode } = await check();
    return { grown: false, whyNot: failure.message, ...(!isSound(exitCode) && { damaged: true }) };
  }
  return { grown: true, ...(plan.limited !== undefined && { whyNot: plan.limited }) };
}

function isSound(exitCode: number): boolean {
  return (sound as readonly number[]).includes(exitCode);
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}

async function readSuperblock(device: string, offsetBytes: number): Promise<Buffer> {
  await using handle = await open(device, "r");
  const bytes = Buffer.alloc(superblockBytes);
  await handle.read(bytes, 0, bytes.length, offsetBytes + superblockAt);
  return bytes;
}

async function loopOver(device: string, offsetBytes: number, lengthBytes: number) {
  const loop = await attachLoop({ file: device, offsetBytes, lengthBytes }).catch((cause: unknown) => {
    throw new Failure("tool-failed", `cannot set up a loop device at byte ${offsetBytes} of ${device}`, { cause });
  });
  return { path: loop.path, [Symbol.asyncDispose]: () => loop.close() };
}
