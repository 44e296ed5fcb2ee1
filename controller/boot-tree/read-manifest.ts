import { readFile } from "node:fs/promises";
import path from "node:path";
import { Failure } from "../../proto/failure.ts";
import { parseBootTreeManifest } from "./parse-manifest.ts";
import type { BootTreeManifest } from "./plan-boot-tree.ts";

/**
 * What the last "controller boot-tree build" wrote into the folder; undefined when there was none. Throws Failure
 * "invalid" when the file cannot be read, or is something else.
 */
export async function readBootTreeManifest(bootTree: string): Promise<BootTreeManifest | undefined> {
  const file = path.join(bootTree, "manifest.json");
  const remedy = 'rebuild it with "controller boot-tree build"';
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new Failure("invalid", `cannot read ${file} (${code ?? message}); ${remedy}`, { cause });
  }
  const manifest = parseBootTreeManifest(text);
  if (manifest === undefined) throw new Failure("invalid", `${file} is not the manifest of a boot tree; ${remedy}`);
  return manifest;
}
