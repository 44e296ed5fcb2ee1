import { readFile } from "node:fs/promises";
import path from "node:path";
import { checkout } from "../../programs/checkout.ts";
import { listPages } from "./list-pages.ts";
import { type MarkedBlock, type PageBlocks, parseMarkedBlocks } from "./parse-marked-blocks.ts";

/** The Markdown pages of this checkout with their code blocks, by their paths from its top. */
export async function readDocumentation(): Promise<ReadonlyMap<string, PageBlocks>> {
  const pages = (await listPages()).map(async (name) => {
    const blocks = parseMarkedBlocks(name, await readFile(path.join(checkout, name), "utf8"));
    return [name, blocks] as const;
  });
  return new Map(await Promise.all(pages));
}

/** The block of that name, in whichever page it lives. Throws when there is none, or more than one. */
export async function readBlock(name: string): Promise<MarkedBlock> {
  const found = [...(await readDocumentation()).values()].flatMap(({ marked }) =>
    marked.filter((block) => block.name === name),
  );
  const [block] = found;
  if (block === undefined || found.length > 1)
    throw new Error(`${found.length} code blocks of the documentation are marked "tested: ${name}"`);
  return block;
}
