import { open } from "node:fs/promises";
import type { Command } from "commander";
import { Failure } from "../../../proto/failure.ts";
import type { AddImageRequest } from "../../../proto/gen/pallet/v1/controller.ts";
import { type CommandContext, type Run, UsageError } from "../command-context.ts";
import { imageNameFromFile } from "../image-name.ts";
import { createLiveArea } from "../live-area.ts";
import { examples, jsonLinesHelp } from "../option-texts.ts";
import { printable } from "../printable.ts";
import { formatPercent } from "../render-bar.ts";
import { renderTransfer } from "../render-transfer.ts";
import { formatBytes, formatMoment } from "../units.ts";
import { type ImageView, viewImage } from "../view/image-view.ts";

/** The contract allows chunks of at most 1 MiB. */
const chunkBytes = 1 << 20;

/** In a pipe, how often a step that goes on is told again, in milliseconds. */
const stepEveryMs = 5_000;

/** Bytes to send, and how many there are; 0 when that is unknown. */
interface Source {
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly fileBytes: number;
  close(): Promise<void>;
}

async function openSource(file: string, context: CommandContext): Promise<Source> {
  if (file === "-") return { bytes: context.effects.stdin.bytes(), fileBytes: 0, close: () => Promise.resolve() };
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(file, "r");
  } catch (cause) {
    throw new Failure("invalid", `cannot open ${file}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
  const stat = await handle.stat();
  if (stat.isDirectory()) {
    await handle.close();
    throw new Failure("invalid", `${file} is a folder: name an image file (.img, .img.gz, .img.xz or .img.zst)`);
  }
  return {
    bytes: handle.createReadStream({ highWaterMark: chunkBytes, autoClose: false }),
    // A device or a named pipe has no size of its own.
    fileBytes: stat.isFile() ? stat.size : 0,
    close: () => handle.close(),
  };
}

async function* requests(name: string, source: Source): AsyncGenerator<AddImageRequest> {
  yield { part: { $case: "header", value: { name, fileBytes: BigInt(source.fileBytes), blockMap: Buffer.alloc(0) } } };
  for await (const bytes of source.bytes)
    for (let start = 0; start < bytes.length; start += chunkBytes)
      yield { part: { $case: "chunk", value: bytes.subarray(start, start + chunkBytes) } };
}

async function add(context: CommandContext, name: string, source: Source): Promise<ImageView> {
  const { client, signal, effects, isJson, look, print, printJsonLine } = context;
  const { stdout, clock } = effects;
  const isLive = !isJson && stdout.isTerminal && effects.env["TERM"] !== "dumb";
  const area = createLiveArea(stdout);
  const startedAt = clock.now();
  let told = { step: "", at: 0 };
  let added: ImageView | undefined;
  try {
    for await (const { part } of client.addImage(requests(name, source), signal)) {
      if (part?.$case === "image") added = viewImage(part.value);
      if (part?.$case !== "progress") continue;
      const doneBytes = Number(part.value.received?.done ?? 0n);
      const totalBytes = Number(part.value.received?.total ?? 0n) || source.fileBytes;
      if (isJson) {
        printJsonLine({ type: "import-progress", step: part.value.step, doneBytes, totalBytes });
      } else if (isLive) {
        const bytesPerSecond = doneBytes / Math.max(0.001, (clock.now() - startedAt) / 1000);
        const etaMs =
          totalBytes > doneBytes && doneBytes > 0 ? ((totalBytes - doneBytes) / bytesPerSecond) * 1000 : null;
        const activity = part.value.step;
        // Once everything is received, the bytes say nothing about how far the rest has come.
        const isReceived = totalBytes > 0 && doneBytes >= totalBytes;
        const transfer = isReceived
          ? { activity, doneBytes: 0, totalBytes: 0 }
          : { activity, doneBytes, totalBytes, bytesPerSecond, etaMs };
        area.draw([renderTransfer(transfer, { ...look, width: Math.max(1, stdout.size().columns - 1) })]);
      } else {
        // A step may tell how far it is: "compressing 34%".
        const step = part.value.step.replace(/ \d+%$/, "");
        if (step === told.step && clock.now() - told.at < stepEveryMs) continue;
        told = { step, at: clock.now() };
        const received = doneBytes < totalBytes ? `, ${formatPercent((100 * doneBytes) / totalBytes)} received` : "";
        print([`${formatMoment(told.at)} ${printable(name)}: ${printable(part.value.step)}${received}`]);
      }
    }
  } finally {
    area.clear();
  }
  if (added === undefined)
    throw new Failure("internal", `the controller ended the import of ${name} without an image; see its log`);
  return added;
}

/** `controller images add FILE`. */
export function registerImagesAdd(parent: Command, run: Run): void {
  parent
    .command("add")
    .description(
      "import an image\n\n" +
        "The file may be a raw disk image, or one compressed by gzip, xz or zstd: its content decides. The controller keeps " +
        "it compressed, finds its root filesystem, and takes out the kernel with which nodes boot it from their own cards. " +
        "Ctrl-C leaves nothing behind.",
    )
    .summary("import an image")
    .argument("<file>", '.img, .img.gz, .img.xz or .img.zst; "-" reads stdin')
    .option("--name <name>", "name in the catalogue: 1 to 63 of [a-z0-9._-] (default: from the file's name)")
    .option("--json", jsonLinesHelp)
    .addHelpText(
      "after",
      examples(
        ["controller images add debian-12.img.xz", "becomes debian-12"],
        ["curl -L URL | controller images add - --name raspios"],
      ),
    )
    .action(
      run<[string], { readonly name?: string }>(async (context, options, file) => {
        const { isJson, print, printJsonLine } = context;
        const name = options.name ?? imageNameFromFile(file);
        if (name === undefined) throw new UsageError(`no name can be made from "${file}": give one with --name`);
        const source = await openSource(file, context);
        try {
          const image = await add(context, name, source);
          if (isJson) printJsonLine({ type: "image-added", image });
          else
            print([
              `added ${printable(image.name)}: ${printable(image.operatingSystem ?? "unknown system")}, ${formatBytes(image.sizeBytes)}, stored in ${formatBytes(image.storedBytes)}`,
              `SHA-256 ${printable(image.digest)}`,
            ]);
        } finally {
          await source.close();
        }
      }),
    );
}
