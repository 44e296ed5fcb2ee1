import { readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import path from "node:path";

/** Top of the checkout. */
export const repository = path.resolve(import.meta.dirname, "../..");

/** One import of a file, or export from another. */
export interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
  /** Names imported; empty for side effects and namespaces. */
  readonly names: readonly string[];
}

/** A file of the tree and what it imports. */
export interface Source {
  readonly file: string;
  readonly imports: readonly Import[];
}

const importPattern =
  /^\s*(?:import|export)\s+(type\s+)?(?:([\w*\s{},$]*?)\s+from\s+)?["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)/gm;

function parseImports(text: string): Import[] {
  return [...text.matchAll(importPattern)].map((match) => {
    const clause = match[2] ?? "";
    const named = (/\{([^}]*)\}/.exec(clause)?.[1] ?? "")
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== "");
    const values = named.filter((name) => !name.startsWith("type "));
    const onlyTypes = named.length > 0 && values.length === 0 && /^\s*\{/.test(clause);
    return {
      specifier: match[3] ?? match[4] ?? "",
      typeOnly: match[1] !== undefined || onlyTypes,
      names: values.map((name) => name.split(/\s+as\s+/)[0] ?? name),
    };
  });
}

/** Every TypeScript file below a folder of the checkout that a person wrote. */
export async function readSources(folder: string): Promise<Source[]> {
  const entries = await readdir(path.join(repository, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => path.relative(repository, path.join(entry.parentPath, entry.name)))
    .filter((file) => !file.startsWith("proto/gen/"))
    .map((file) => ({ file, imports: parseImports(readFileSync(path.join(repository, file), "utf8")) }));
}

/** The file that a relative import means, from the top of the tree; undefined for packages. */
export function targetOf(source: Source, { specifier }: Import): string | undefined {
  return specifier.startsWith(".") ? path.join(path.dirname(source.file), specifier) : undefined;
}
