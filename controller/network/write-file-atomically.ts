import { rename, writeFile } from "node:fs/promises";

/** Replaces a file atomically: readers find the old or the new text, never a part. */
export async function writeFileAtomically(file: string, text: string): Promise<void> {
  const draft = `${file}.new`;
  await writeFile(draft, text);
  await rename(draft, file);
}
