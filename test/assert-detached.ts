import { execa } from "execa";
import { until } from "./until.ts";

/** Fails when a loop device continues to lie over this file or device. */
export function assertDetached(backing: string): Promise<void> {
  return untilNone(`over ${backing}`, () => losetup("--associated", backing));
}

/** Fails when a loop device continues to lie over a file below this folder. */
export function assertDetachedBelow(folder: string): Promise<void> {
  return untilNone(`over files below ${folder}`, async () => {
    const files = await losetup("--list", "--noheadings", "--output", "BACK-FILE");
    return files.includes(folder) ? files : "";
  });
}

/**
 * A detached loop device is there for as long as anyone has it open (losetup(8)), and programs that list all block
 * devices, as other tests do, have it open for a moment.
 */
async function untilNone(where: string, list: () => Promise<string>): Promise<void> {
  let left = "";
  await until(
    async () => {
      left = await list();
      return left === "";
    },
    () => `there is a loop device ${where}:\n${left}`,
    { withinMs: 10_000, everyMs: 50 },
  );
}

async function losetup(...options: readonly string[]): Promise<string> {
  const { stdout } = await execa("losetup", options);
  return stdout;
}
