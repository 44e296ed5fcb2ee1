import type { MachineSpec } from "./machine-spec.ts";
import { print } from "./serial-console.ts";
import { TftpError, tftpGet } from "./tftp-client.ts";

/** How long a silent server is waited for. */
export interface Patience {
  readonly timeoutMs: number;
  readonly maxTimeouts: number;
}

/** Files for one boot, as boot ROM and firmware get them. */
export interface FirmwareFetch {
  /** Undefined when the server has no such file. Throws TftpTimeout when the server is silent. */
  get(path: string): Promise<Buffer | undefined>;
  /** Whether the server has said anything yet. */
  isAnswered(): boolean;
}

const patience: Patience = { timeoutMs: 1000, maxTimeouts: 1 };

/**
 * Boot ROMs send no options but blksize; a Pi 3 does not even know windows.
 *
 * @param first how long the server is waited for until its first word
 */
export function createFirmwareFetch({ tftp }: Pick<MachineSpec, "tftp">, first: Patience = patience): FirmwareFetch {
  let answered = false;
  return {
    async get(path) {
      try {
        const bytes = await tftpGet({ ...tftp, ...(answered ? patience : first), path, windowsize: 1, blksize: 1024 });
        answered = true;
        print(`firmware: ${path} ${bytes.length} bytes`);
        return bytes;
      } catch (error) {
        if (!(error instanceof TftpError)) throw error;
        answered = true;
        print(`firmware: ${error.message}`);
        return undefined;
      }
    },
    isAnswered: () => answered,
  };
}

/** A file without which a boot cannot go on. */
export class MissingFile extends Error {}

/** A file that must be there. Throws MissingFile. */
export async function need(fetch: FirmwareFetch, path: string): Promise<Buffer> {
  const bytes = await fetch.get(path);
  if (bytes === undefined) throw new MissingFile(`there is no ${path}`);
  return bytes;
}
