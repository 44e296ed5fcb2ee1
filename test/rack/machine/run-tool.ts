import { execFile } from "node:child_process";
import { promisify } from "node:util";

const exec = promisify(execFile);

/** Runs a system tool and returns its standard output; throws with its standard error. */
export async function runTool(program: string, ...args: readonly string[]): Promise<string> {
  return (await exec(program, args, { maxBuffer: 1 << 24 })).stdout;
}

/** mount(8). */
export async function mount(...args: readonly string[]): Promise<void> {
  await runTool("mount", ...args);
}
