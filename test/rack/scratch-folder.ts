import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

/** A folder that is gone when it is removed, and even when this process ends without doing so. */
export interface ScratchFolder {
  readonly path: string;
  remove(): Promise<void>;
}

/** Makes a folder below os.tmpdir(). A process of its own waits for the end of this one and removes it. */
export async function createScratchFolder(prefix: string): Promise<ScratchFolder> {
  const folder = await mkdtemp(path.join(os.tmpdir(), prefix));
  // Detached, because Ctrl-C goes to every process of the terminal's group; its standard input ends when this one does.
  const remover = spawn("sh", ["-c", 'cat; exec rm -rf -- "$1"', "remover", folder], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  const gone = once(remover, "exit");
  return {
    path: folder,
    async remove() {
      remover.stdin.end();
      await gone;
    },
  };
}
