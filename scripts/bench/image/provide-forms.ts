import { basename, dirname, join } from "node:path";
import { cacheEntry } from "../../../controller/artefacts/cache-entry.ts";
import { execa } from "../../../proto/linux/leashed-execa.ts";

/** One image as the other programs take it, all in one folder. */
export interface ImageForms {
  readonly folder: string;
  readonly raw: string;
  readonly zst: string;
  readonly gz: string;
  readonly xz: string;
  readonly bmap: string;
}

/** How each form is made; said in the report. */
export const compressors = {
  zst: ["zstd", "-T0", "-3", "--quiet", "--keep"],
  gz: ["gzip", "-1", "--keep"],
  xz: ["xz", "-T0", "-1", "--quiet", "--keep"],
} as const;

/** Compresses an image in every form that is asked for, and maps its holes; some minutes, once. */
export async function provideForms(image: string, log: (line: string) => void): Promise<ImageForms> {
  const name = basename(image);
  const folder = await cacheEntry(dirname(image), `${name}.forms`, async (building) => {
    const raw = join(building, name);
    await execa("cp", ["--sparse=always", image, raw]);
    log(`${name}: bmap, zstd, gzip, xz`);
    await execa("bmaptool", ["create", "--output", `${raw}.bmap`, raw]);
    await Promise.all(Object.values(compressors).map(([program, ...args]) => execa(program, [...args, raw])));
  });
  const raw = join(folder, name);
  return { folder, raw, zst: `${raw}.zst`, gz: `${raw}.gz`, xz: `${raw}.xz`, bmap: `${raw}.bmap` };
}
