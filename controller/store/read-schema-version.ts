import { open } from "node:fs/promises";

/** Where a SQLite database has its user_version, big-endian (sqlite.org/fileformat2.html, section 1.3). */
const offsetBytes = 60;

/**
 * How many steps of the schema a state database has seen, by its first bytes: nothing is made beside it, and nobody who has it
 * open is disturbed. Undefined where there is no database. Rejects with the error of the system call.
 */
export async function readSchemaVersion(path: string): Promise<number | undefined> {
  const file = await open(path, "r").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (file === undefined) return undefined;
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(4), 0, 4, offsetBytes);
    return bytesRead === 4 ? buffer.readUInt32BE() : undefined;
  } finally {
    await file.close();
  }
}
