import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { parseLock } from "../judge-licence.ts";
import { type Bundled, selectNotices } from "./render-documents.ts";

/** The npm packages that are in the programs, with their licences, and Node. */
export async function readBundled(repository: string): Promise<readonly Bundled[]> {
  const shipped = parseLock(await readFile(path.join(repository, "package-lock.json"), "utf8")).filter(
    ({ dev }) => !dev,
  );
  const bundled = await Promise.all(
    shipped.map(async ({ name, version, licence = "unknown" }): Promise<Bundled> => {
      if (/^node-linux-/.test(name))
        return { name, version, licence: "MIT and others: see LICENSE.node.gz in this folder" };
      const found = await readLicence(path.join(repository, "node_modules"), name);
      const text = licence === "Apache-2.0" ? selectNotices(found ?? "") : found;
      return { name, version, licence, ...(text !== undefined && { text }) };
    }),
  );
  return bundled;
}

/** What lies in the package, or in that for the other architecture, which npm leaves out here; some have only the word. */
async function readLicence(modules: string, name: string): Promise<string | undefined> {
  const names = [name, name.replace("arm64", "x64"), name.replace("x64", "arm64")];
  for (const each of names) {
    const folder = path.join(modules, each);
    const files = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw error;
    });
    const file = files.find((entry) => /^(licen[cs]e|copying)(\.(md|txt))?$/i.test(entry));
    if (file !== undefined) return readFile(path.join(folder, file), "utf8");
  }
  return undefined;
}

/** The text of Node's own licence, and those of what is in it. */
export function readNodeLicence(repository: string): Promise<string> {
  return readFile(path.join(repository, `node_modules/node-linux-${process.arch}/LICENSE`), "utf8");
}
