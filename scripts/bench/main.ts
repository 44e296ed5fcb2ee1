// `npm run bench`: what a write costs beside other programs, and for a fleet.
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { execa } from "execa";
import { cacheEntry } from "../../controller/artefacts/cache-entry.ts";
import { unmappedExtents } from "../../controller/images/block-map/block-map.ts";
import { parseBlockMap } from "../../controller/images/block-map/parse-block-map.ts";
import { checkout } from "../../test/rack/checkout.ts";
import { commandContenders } from "./contenders/commands.ts";
import { etcher } from "./contenders/etcher/etcher.ts";
import { palletContenders } from "./contenders/pallet.ts";
import { readCard } from "./contenders/read-card.ts";
import { type FleetFigures, measureFleet } from "./fleet.ts";
import { compressors, type ImageForms, provideForms } from "./image/provide-forms.ts";
import { type BenchImage, provideImage } from "./image/provide-image.ts";
import { upgradeInPlace } from "./image/upgrade-in-place.ts";
import { measureDigests } from "./measure-digests.ts";
import { type BenchOptions, help, parseOptions } from "./options.ts";
import { describeMachine } from "./report/describe-machine.ts";
import { judgeAims } from "./report/judge-aims.ts";
import { type Report, renderReport } from "./report/render-report.ts";
import { type Row, runRounds } from "./run-rounds.ts";
import { setStage } from "./stage/bench-stage.ts";
import { checkCard, putAnotherSystem, putImage } from "./stage/card-content.ts";

const MiB = 1024 ** 2;
const cache = path.join(checkout, ".cache/bench");
const note = (line: string): void => void process.stderr.write(`bench: ${line}\n`);

async function bench(options: BenchOptions): Promise<Report> {
  const wants = (id: string): boolean => options.only?.has(id) ?? true;
  // What is measured is what was there at the start, not what was committed meanwhile.
  const { stdout: commit } = await execa("git", ["-C", checkout, "rev-parse", "--short", "HEAD"]);
  const machine = await describeMachine(checkout);
  const image = await provideImage(cache, options.sizeBytes, note);
  const forms = await provideForms(image.image, note);
  const upgraded = await provideUpgraded(image);

  const measuredAt = `${new Date().toISOString().slice(0, 16)}Z`;
  const rows: Row[] = [];
  const fleets: FleetFigures[] = [];
  const imageFacts: string[] = [await describeImage(image, forms)];
  const { stage, clear } = await setStage(cache, forms, image.sizeBytes, note);
  try {
    const wantsPallet = palletContenders.some(({ id }) => wants(id)) || wants("fleet");
    for (const [name, file] of Object.entries({ system: image.image, upgraded })) {
      if (!(name === "system" ? wantsPallet : wants("pallet-upgraded"))) continue;
      const cpuBefore = await stage.controllerGroup.cpuSeconds();
      const startedAt = performance.now();
      await stage.controller.run("images", "add", file, "--name", name);
      const wall = ((performance.now() - startedAt) / 1000).toFixed(0);
      const cpu = ((await stage.controllerGroup.cpuSeconds()) - cpuBefore).toFixed(0);
      const { pack } = await stage.controller.image(name);
      imageFacts.push(
        `\`images add\` of ${name === "system" ? "the image" : "the upgraded one"}: ${wall} s, ${cpu} CPU-s of the ` +
          `controller` +
          (pack === undefined
            ? "."
            : `; its pack: chunks of ${pack.chunkBytes / 1024} KiB, ${mebibytes(pack.dataBytes)} MiB of data (stored in ` +
              `${mebibytes(pack.fetchBytes)}), ${mebibytes(pack.zeroBytes)} of zeros, ${mebibytes(pack.unusedBytes)} unused.`),
      );
    }
    const contenders = [
      ...commandContenders,
      etcher,
      ...palletContenders.slice(0, 2),
      readCard,
      ...palletContenders.slice(2),
    ];
    const card = {
      put: (content: string) =>
        content === "another system"
          ? putAnotherSystem(image.image, stage.card.device)
          : putImage(content === "the image" ? image.image : upgraded, stage.card.device),
      check: (content: string) =>
        content === "the upgraded image"
          ? checkCard(upgraded, `${upgraded}.bmap`, stage.card.device)
          : checkCard(image.image, forms.bmap, stage.card.device),
    };
    rows.push(
      ...(await runRounds(
        stage,
        contenders.filter(({ id }) => wants(id)),
        options.runs,
        card,
      )),
    );
    if (wants("fleet"))
      for (const agents of options.fleets) {
        note(`a fleet of ${agents}`);
        fleets.push(await measureFleet(stage, agents, image.sizeBytes));
        note(JSON.stringify(fleets.at(-1)));
      }
  } finally {
    await clear();
  }
  const digests = wants("digests") ? await measureDigests(65_536, Math.max(3, options.runs)) : [];
  return {
    measuredAt,
    commit,
    command: ["npm run bench", ...(process.argv.length > 2 ? ["--", ...process.argv.slice(2)] : [])].join(" "),
    machine,
    image: imageFacts,
    rows,
    fleets,
    digests,
    aims: judgeAims(rows, digests),
    notes: [
      `Medians of ${options.runs} runs in turn. CPU-s: of every process of the receiving program (control group; the ` +
        "kernel's own threads, such as the loop device's, count for nobody). Wire: what the receiver's interface " +
        "received, headers and gRPC included. Written and read: /sys/block/loopN/stat.",
      "Every card held another system before, unless the row says what else. The sender has its files in the page cache.",
      `The others get the files that suit them, made by ${Object.values(compressors)
        .map((words) => `\`${words.slice(0, 3).join(" ")}\``)
        .join(", ")}. Pallet's agent runs already when it is told to write, as on a booted node; nothing of Pallet's ` +
        "is placed into the system (`--no-resident`). Pallet has no mode that only writes: that row is the same runs " +
        "until the phase that reads back begins, flush included.",
      `\`dd\` from NFS: ${await describeNfs()}`,
    ],
  };
}

/** The image of the upgraded system in the layout of the first one. */
async function provideUpgraded(image: BenchImage): Promise<string> {
  const folder = await cacheEntry(path.dirname(image.image), "upgraded-in-place", async (building) => {
    note("upgrading the image in its place");
    const target = path.join(building, "upgraded-in-place.img");
    await upgradeInPlace(image.image, image.upgradedImage, target, image.sizeBytes);
    await execa("bmaptool", ["create", "--output", `${target}.bmap`, target]);
  });
  return path.join(folder, "upgraded-in-place.img");
}

async function describeImage(image: BenchImage, forms: ImageForms): Promise<string> {
  const map = parseBlockMap(await readFile(forms.bmap));
  const unmappedBytes = unmappedExtents(map).reduce((sum, { start, end }) => sum + end - start, 0);
  const holes = Math.round((100 * unmappedBytes) / map.imageBytes);
  return (
    `Image: ${map.imageBytes / MiB} MiB, MBR, FAT32 and ext4 with an installed Debian 12, ${holes} % holes. ` +
    `Upgraded image: the same with ${image.upgrades.length} packages upgraded by apt, in the same layout.`
  );
}

/** The kernel's client is what `dd` from NFS would need. */
async function describeNfs(): Promise<string> {
  await execa("modprobe", ["--quiet", "nfs"], { reject: false });
  const filesystems = await readFile("/proc/filesystems", "utf8");
  return /\bnfs4?$/m.test(filesystems)
    ? "this kernel has an NFS client, but this benchmark does not use it yet."
    : "not to be had here: this kernel has no NFS client.";
}

function mebibytes(bytes: bigint): string {
  return (Number(bytes) / MiB).toFixed(0);
}

let options: BenchOptions | "help";
try {
  options = parseOptions(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : error}\n`);
  process.exit(2);
}
if (options === "help") {
  process.stdout.write(help);
} else {
  const report = await bench(options);
  const markdown = renderReport(report);
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(report, null, 2)}\n`);
  if (options.markdown !== undefined) await writeFile(options.markdown, markdown);
  process.stdout.write(`\n${markdown}`);
}
