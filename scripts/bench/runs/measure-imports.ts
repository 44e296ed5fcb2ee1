import { open, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { execa } from "../../../proto/linux/leashed-execa.ts";
import { parsePackManifest } from "../../../proto/pack/pack-manifest.ts";
import { createControlGroup } from "../measure/control-group.ts";
import type { BenchStage } from "../stage/bench-stage.ts";

/** What it takes to add an image from a file of this machine, and to compress its data. */
export interface ImportCost {
  /** Of `images add`, from its start to its end. */
  readonly wallSeconds: number;
  readonly controllerCpuSeconds: number;
  readonly commandCpuSeconds: number;
  /** Of the peer: `zstd -6` of the image's data, the chunks that are not zero and that its filesystems use. */
  readonly zstdCpuSeconds: number;
  readonly dataBytes: number;
}

const name = "import";
const peer = ["zstd", "-6", "--quiet", "--force"];

/** Adds an image some times, in turn with the peer. */
export async function measureImports(stage: BenchStage, image: string, runs: number): Promise<readonly ImportCost[]> {
  const dataFile = path.join(stage.folder, "import-data");
  const costs: ImportCost[] = [];
  for (let run = 0; run < runs; run += 1) {
    stage.note(`adding the image, run ${run + 1} of ${runs}`);
    const added = await addImage(stage, image);
    if (run === 0) await copyData(path.join(stage.controller.imagesFolder, name), image, dataFile);
    await stage.controller.run("images", "remove", name);
    const zstdCpuSeconds = await cpuSecondsOf(async (enter) => {
      const [program = "", ...words] = [...enter, ...peer, dataFile, "-o", `${dataFile}.zst`];
      await execa(program, words);
    });
    costs.push({ ...added, zstdCpuSeconds });
  }
  await rm(dataFile);
  await rm(`${dataFile}.zst`);
  return costs;
}

async function addImage(
  { controller, controllerGroup }: BenchStage,
  image: string,
): Promise<Omit<ImportCost, "zstdCpuSeconds">> {
  const before = await controllerGroup.cpuSeconds();
  const startedAt = performance.now();
  const commandCpuSeconds = await cpuSecondsOf(async (enter) => {
    await controller.runIn(enter, "images", "add", image, "--name", name);
  });
  const wallSeconds = (performance.now() - startedAt) / 1000;
  const controllerCpuSeconds = (await controllerGroup.cpuSeconds()) - before;
  const { pack } = await controller.image(name);
  if (pack === undefined) throw new Error(`image ${name} is not stored as a pack`);
  return { wallSeconds, controllerCpuSeconds, commandCpuSeconds, dataBytes: Number(pack.dataBytes) };
}

/** CPU time of what runs with these words before its command. */
async function cpuSecondsOf(work: (enter: readonly string[]) => Promise<void>): Promise<number> {
  const group = await createControlGroup("import");
  try {
    await work(group.enter);
    return await group.cpuSeconds();
  } finally {
    await group.remove();
  }
}

/** Copies what a stored image's manifest calls data, one chunk after the other. */
async function copyData(stored: string, image: string, target: string): Promise<void> {
  const manifest = parsePackManifest(await readFile(path.join(stored, "image.manifest")));
  const source = await open(image, "r");
  const copy = await open(target, "w");
  try {
    const chunkBytes = Buffer.alloc(manifest.chunkBytes);
    for (let chunk = 0; chunk < manifest.chunkCount; chunk += 1) {
      if (manifest.kindOf(chunk) !== "data") continue;
      const length = manifest.lengthOf(chunk);
      await source.read(chunkBytes, 0, length, manifest.offsetOf(chunk));
      await copy.writeFile(chunkBytes.subarray(0, length));
    }
  } finally {
    await source.close();
    await copy.close();
  }
}
