import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { chooseCiphers } from "../../../agent/identity/choose-ciphers.ts";
import { hideAes, type Instructions } from "./hide-aes.ts";

/** The processor as a receiver sees it. */
export interface ReceiverProcessor {
  /** The words before a command that make it, and what it starts, see the processor so. */
  readonly enter: readonly string[];
  /** Cipher suites of TLS 1.3, cheapest first, as an agent there chooses them. */
  readonly ciphers: string;
}

/** The processors that receivers can have on this machine; "no AES" is undefined where it cannot be shown. */
export type ReceiverProcessors = Readonly<Record<Instructions, ReceiverProcessor | undefined>>;

/** Why there is no receiver without AES instructions. */
export const noHiddenAes = "this processor has no AES instructions, or none that can be hidden (only those of x86 can)";

/** Finds out what receivers can have here; what they are shown instead of /proc/cpuinfo lies in `folder`. */
export async function readReceiverProcessors(folder: string): Promise<ReceiverProcessors> {
  const cpuInfo = await readFile("/proc/cpuinfo", "utf8");
  const all = { enter: [], ciphers: chooseCiphers(cpuInfo) };
  const hidden = hideAes(cpuInfo, process.arch);
  if (hidden === undefined) return { all, "no AES": undefined };
  const file = path.join(folder, "cpuinfo-without-aes");
  await writeFile(file, hidden.cpuInfo);
  const cover = 'mount --bind "$0" /proc/cpuinfo && exec "$@"';
  return {
    all,
    "no AES": {
      enter: ["unshare", "--mount", "sh", "-c", cover, file, "env", ...hidden.environment],
      ciphers: chooseCiphers(hidden.cpuInfo),
    },
  };
}
