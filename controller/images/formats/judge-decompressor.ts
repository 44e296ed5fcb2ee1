import { Failure } from "../../../proto/failure.ts";

/** How a program that decompresses ended. */
export interface DecompressorEnd {
  readonly command: "xz" | "zstd";
  /** Absent when a signal ended it. */
  readonly exitCode?: number;
  /** The signal that ended it, and that did not come from here. */
  readonly signal?: string;
  /** What it wrote to standard error. */
  readonly said: string;
}

/** xz(1) of XZ Utils 5.4 and zstd(1) 1.5 say so when they get no more memory, or may not take it. */
const shortOfMemory =
  /memory usage limit reached|cannot allocate memory|not enough memory|requires too much memory|window size larger than maximum/i;

const remedies = {
  xz:
    "free some memory or raise the limit (XZ_DEFAULTS or XZ_OPT in the controller's environment, xz --memlimit), or " +
    "decompress the file elsewhere (xz -d) and add the .img",
  zstd: "free some memory, or decompress the file elsewhere (zstd -d --long=31) and add the .img",
};

/** The failure of a program that did not succeed: its file is damaged only if it says so. */
export function judgeDecompressor({ command, exitCode, signal, said }: DecompressorEnd): Failure {
  const sentence = said.trim().replaceAll(/\s+/g, " ").slice(0, 500);
  // The kernel ends what takes the last memory by SIGKILL.
  if (signal === "SIGKILL" || shortOfMemory.test(sentence)) {
    const what = sentence === "" ? "it was killed, probably by the kernel, which had no memory left" : sentence;
    return new Failure("tool-failed", `${command} is short of memory (${what}): ${remedies[command]}`);
  }
  if (exitCode === undefined) {
    return new Failure("tool-failed", `${command} was ended by ${signal ?? "a signal"}; add the image again`);
  }
  return damagedFile(command, sentence === "" ? `exit code ${exitCode}` : sentence);
}

/** The failure for a compressed file whose decompressor found an error in it. */
export function damagedFile(format: string, said: string, cause?: unknown): Failure {
  return new Failure("image-damaged", `the file is damaged or was cut short: ${format} says: ${said}`, { cause });
}
