// `npm run bench`: what a write costs beside other programs, and for a fleet.
import { readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { checkoutCache } from "../../controller/artefacts/checkout-cache.ts";
import { extentOf } from "../../controller/images/block-map/block-map.ts";
import { parseBlockMap } from "../../controller/images/block-map/parse-block-map.ts";
import { execa } from "../../proto/linux/leashed-execa.ts";
import { checkout } from "../../test/programs/checkout.ts";
import { buildBinaries } from "../binaries/build-binaries.ts";
import { Interrupted, type Interruption, listenForInterruption } from "../interruption.ts";
import { commandContenders } from "./contenders/commands.ts";
import type { Contender } from "./contenders/contender.ts";
import { etcher } from "./contenders/etcher/etcher.ts";
import { palletContenders } from "./contenders/pallet.ts";
import { readCard } from "./contenders/read-card.ts";
import { compareTrees } from "./image/compare-trees.ts";
import { compressors, type ImageForms, provideForms } from "./image/provide-forms.ts";
import { type BenchImage, provideImage, takeImage } from "./image/provide-image.ts";
import { endControlGroups } from "./measure/control-group.ts";
import { type BenchOptions, parseOptions } from "./options.ts";
import { describeMachine } from "./report/describe-machine.ts";
import { explainWalls } from "./report/explain-walls.ts";
import { judgeAims } from "./report/judge-aims.ts";
import { priceOfTls } from "./report/price-of-tls.ts";
import { type Report, renderReport } from "./report/render-report.ts";
import { type FleetFigures, measureFleet } from "./runs/fleet.ts";
import { measureDigests } from "./runs/measure-digests.ts";
import { type ImportCost, measureImports } from "./runs/measure-imports.ts";
import { type Row, runRounds } from "./runs/run-rounds.ts";
import { type BenchStage, setStage } from "./stage/bench-stage.ts";
import { checkCard, checkStamp, putAnotherSystem, putImage } from "./stage/card-content.ts";

const MiB = 1024 ** 2;
const cache = checkoutCache("bench");
const note = (line: string): void => void process.stderr.write(`bench: ${line}\n`);

async function bench(options: BenchOptions, { unlessInterrupted }: Interruption): Promise<Report> {
  // What is measured is what was there at the start, not what was committed in the meantime.
  const { stdout: commit } = await execa("git", ["-C", checkout, "rev-parse", "--short", "HEAD"]);
  const machine = await describeMachine(checkout);
  const given = options.image;
  const image = await unlessInterrupted(() =>
    given === undefined ? provideImage(cache, options.sizeBytes, note) : takeImage(cache, given),
  );
  const { upgradedImage } = image;
  const hasImages = ({ after }: Contender): boolean => after !== "the upgraded image" || upgradedImage !== undefined;
  const possible = [...commandContenders, etcher, ...palletContenders, readCard].filter(hasImages).map(({ id }) => id);
  const wants = (id: string): boolean =>
    (options.only?.has(id) ?? true) && [...possible, "fleet", "digests", "images-add"].includes(id);
  const forms = await unlessInterrupted(() => provideForms(image.image, note));
  const agentProgram = await unlessInterrupted(buildAgent);

  const measuredAt = `${new Date().toISOString().slice(0, 16)}Z`;
  const rows: Row[] = [];
  const fleets: FleetFigures[] = [];
  const imports: ImportCost[] = [];
  const imageFacts: string[] = [await describeImage(image, forms)];
  const { stage, clear } = await setStage(cache, { forms, sizeBytes: image.sizeBytes, agentProgram, note });
  const measure = async (): Promise<void> => {
    for (const stored of storedImages(image)) {
      if (!stored.contenders.some(wants)) continue;
      imageFacts.push(await storeImage(stage, stored));
    }
    if (wants(plainPallet)) await storeImage({ ...stage, controller: stage.insecureController }, systemOf(image));
    const ontoAnother = palletContenders.filter(({ before }) => before === "another system");
    const contenders = [
      ...commandContenders,
      etcher,
      ...ontoAnother,
      readCard,
      ...palletContenders.filter((each) => !ontoAnother.includes(each)),
    ];
    const card = {
      put: (content: string) =>
        content === "another system"
          ? putAnotherSystem(image.image, stage.card.device)
          : putImage((content === "the image" ? undefined : upgradedImage) ?? image.image, stage.card.device),
      check: (content: string) =>
        content === "the image, customised"
          ? checkStamp(stage.card.device)
          : content === "the upgraded image" && upgradedImage !== undefined
            ? compareTrees(stage.card.device, upgradedImage, image.sizeBytes)
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
    if (wants("images-add")) imports.push(...(await measureImports(stage, image.image, options.runs)));
    if (wants("fleet"))
      for (const agents of options.fleets) {
        note(`a fleet of ${agents}`);
        fleets.push(await measureFleet(stage, agents, image.sizeBytes));
        note(JSON.stringify(fleets.at(-1)));
      }
  };
  try {
    await unlessInterrupted(measure);
  } catch (error) {
    // What was being measured would hold up the rest.
    if (error instanceof Interrupted) await endControlGroups();
    throw error;
  } finally {
    await clear();
  }
  const explanation = explainWalls(rows);
  const commands = Object.values(compressors).map((words) => `\`${words.slice(0, 3).join(" ")}\``);
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
    imports,
    prices: priceOfTls(rows),
    aims: judgeAims(rows, digests, imports),
    notes: [
      `Medians of ${options.runs} runs in turn. CPU-s: of every process of the receiving program (control group; the ` +
        "kernel's own threads, such as the loop device's, count for nobody). Wire: what the receiver's interface " +
        "received, headers and gRPC included. Written and read: /sys/block/loopN/stat.",
      "Every card held another system before, unless the row says what else. The sender has its files in the page cache.",
      "Pallet is as users have it: an agent with a certificate of its boot, orders and images by TLS 1.3, but for the row " +
        "that says `--insecure`. Where AES instructions are hidden, they are so from the receiving program alone, in " +
        "/proc/cpuinfo and from OpenSSL; the sender keeps them. curl over TLS is told the cipher that an agent would choose " +
        "there, the cheapest.",
      `The others get the files that suit them, made by ${commands.join(", ")}. Pallet's agent is the binary that nodes ` +
        "run, and runs already when it is told to write, as on a booted node; nothing of Pallet's " +
        "is placed into the system (`--no-resident`). Pallet has no mode that only writes: that row is the same runs " +
        "until the phase that reads back begins, flush included.",
      `\`dd\` from NFS: ${await describeNfs()}`,
      ...(explanation === undefined ? [] : [explanation]),
    ],
  };
}

/** What nodes run: the binary, not the sources, which need more memory to be read. */
async function buildAgent(): Promise<string> {
  const binaries = await buildBinaries({
    repository: checkout,
    outputDirectory: path.join(checkout, "dist"),
    cacheDirectory: checkoutCache("binaries"),
  });
  const agent = binaries.find(({ program, architecture }) => program === "agent" && architecture === process.arch);
  if (agent === undefined) throw new Error(`there is no agent for ${process.arch}`);
  return agent.file;
}

/** An image to store with a command of the controller, and the contenders that need it. */
interface StoredImage {
  readonly name: string;
  readonly command: readonly string[];
  readonly contenders: readonly string[];
}

/** The one contender that has a controller of its own. */
const plainPallet = "pallet-full-plain";

function systemOf({ image }: BenchImage): StoredImage {
  const everyone = ["fleet", ...palletContenders.map(({ id }) => id).filter((id) => id !== plainPallet)];
  return { name: "system", command: ["images", "add", image, "--name", "system"], contenders: everyone };
}

function storedImages(images: BenchImage): readonly StoredImage[] {
  const { upgradedImage } = images;
  if (upgradedImage === undefined) return [systemOf(images)];
  return [
    systemOf(images),
    {
      name: "upgraded",
      command: ["images", "derive", "upgraded", "--from", "system", "--with", upgradedImage],
      contenders: ["pallet-upgraded"],
    },
    { name: "anew", command: ["images", "add", upgradedImage, "--name", "anew"], contenders: ["pallet-anew"] },
  ];
}

/** Stores an image; resolves with a sentence of what that took and what came of it. */
async function storeImage(
  { controller, controllerGroup }: Pick<BenchStage, "controller" | "controllerGroup">,
  { name, command }: StoredImage,
): Promise<string> {
  const cpuBefore = await controllerGroup.cpuSeconds();
  const startedAt = performance.now();
  await controller.run(...command);
  const wall = ((performance.now() - startedAt) / 1000).toFixed(0);
  const cpu = ((await controllerGroup.cpuSeconds()) - cpuBefore).toFixed(0);
  const { pack } = await controller.image(name);
  if (pack === undefined) throw new Error(`image ${name} is not stored as a pack`);
  const words = command.map((word) => (path.isAbsolute(word) ? path.basename(word) : word)).join(" ");
  return (
    `\`${words}\`: ${wall} s, ${cpu} CPU-s of the controller; its pack: chunks of ${pack.chunkBytes / 1024} KiB, ` +
    `${mebibytes(pack.dataBytes)} MiB of data (stored in ${mebibytes(pack.fetchBytes)}), ` +
    `${mebibytes(pack.zeroBytes)} of zeros, ${mebibytes(pack.unusedBytes)} unused.`
  );
}

async function describeImage(image: BenchImage, forms: ImageForms): Promise<string> {
  const map = parseBlockMap(await readFile(forms.bmap));
  const mappedBytes = map.ranges.reduce((sum, range) => sum + extentOf(map, range).end - extentOf(map, range).start, 0);
  const holes = Math.round(100 * (1 - mappedBytes / map.imageBytes));
  if (image.upgradedImage === undefined)
    return `Image: a given one of ${map.imageBytes / MiB} MiB, ${holes} % holes; its form for zstd has ${mebibytes(BigInt((await stat(forms.zst)).size))} MiB.`;
  return (
    `Image: ${map.imageBytes / MiB} MiB, MBR, FAT32 and ext4 with an installed Debian 12, ${holes} % holes. ` +
    `Upgraded image: the same with ${image.upgrades.length} packages upgraded by apt, built anew: nothing is where it was.`
  );
}

/** The kernel's client is what `dd` from NFS would need. */
async function describeNfs(): Promise<string> {
  await execa("modprobe", ["--quiet", "nfs"], { reject: false });
  const filesystems = await readFile("/proc/filesystems", "utf8");
  return /\bnfs4?$/m.test(filesystems)
    ? "this kernel has an NFS client, but this benchmark does not use it yet."
    : "not available here: this kernel has no NFS client.";
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
  process.stdout.write(await readFile(path.join(import.meta.dirname, "main.help"), "utf8"));
} else {
  const interruption = listenForInterruption();
  const report = await bench(options, interruption).catch((error: unknown) => {
    // Also of the programs that were being measured, or were building, nothing is left: they end by their leash.
    if (error instanceof Interrupted) process.exit(error.exitCode);
    throw error;
  });
  const markdown = renderReport(report);
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(report, null, 2)}\n`);
  if (options.markdown !== undefined) await writeFile(options.markdown, markdown);
  process.stdout.write(`\n${markdown}`);
}
