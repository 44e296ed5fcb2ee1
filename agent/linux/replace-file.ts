import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Writes a file so that a power cut leaves the old one or the new one, with these permission bits whatever the umask.
 * Its folder must be there. Rejects with the filesystem's error, and the old file as it was.
 */
export async function replaceFile(file: string, text: string, mode: number): Promise<void> {
  // One name, so that power cuts do not leave one file each.
  const unfinished = `${file}.new`;
  try {
    await rm(unfinished, { force: true });
    const handle = await open(unfinished, "wx", mode);
    try {
      await handle.chmod(mode);
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(unfinished, file);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
  const folder = await open(dirname(file));
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
