import type { Command } from "commander";
import { Failure } from "../../../proto/failure.ts";
import { AddImageHeader } from "../../../proto/gen/pallet/v1/controller.ts";
import { planImagesAdd } from "../../images/import/plan-requirements.ts";
import { type CommandContext, type ToAction, UsageError } from "../connection/command-context.ts";
import { openUpload, type UploadSource, uploadMessages } from "../connection/upload-source.ts";
import { printable } from "../render/printable.ts";
import { renderAddedImage } from "../render/render-images.ts";
import { showImport } from "../terminal/show-import.ts";
import { type ImageView, viewImage } from "../view/image-view.ts";
import { type FoundBlockMap, findBlockMap } from "./find-block-map.ts";
import { imageNameFromFile } from "./image-name.ts";
import { installForController, installHelp } from "./install-option.ts";
import { examples, jsonLinesHelp } from "./option-texts.ts";

interface Options {
  readonly name?: string;
  /** --no-bmap makes it false. */
  readonly bmap?: string | false;
  readonly everything?: true;
  readonly install?: true;
}

async function add(
  context: CommandContext,
  name: string,
  source: UploadSource,
  { blockMap, everything = false }: { readonly blockMap: FoundBlockMap | undefined; readonly everything?: boolean },
): Promise<ImageView> {
  const header = AddImageHeader.create({
    name,
    fileBytes: BigInt(source.fileBytes),
    ...(blockMap && { blockMap: blockMap.bytes }),
    everything,
  });
  const answer = context.client.addImage(uploadMessages(header, source), context.signal);
  const image = await showImport(context, { name, fileBytes: source.fileBytes }, answer, (part) =>
    part.$case === "progress" ? { progress: part.value } : { result: part.value },
  );
  if (everything && !image.everything) {
    throw new Failure(
      "unsupported",
      `the controller is older than this program and does not know --everything, so it added ${name} without: update ` +
        `it, and add the image again after: controller images remove ${name}`,
    );
  }
  return viewImage(image);
}

/** `controller images add FILE`. */
export function registerImagesAdd(parent: Command, toAction: ToAction): void {
  parent
    .command("add")
    .description(
      "import an image\n\n" +
        "FILE is a raw disk image, plain, compressed with gzip, xz or zstd, or alone in a ZIP archive; its content decides, " +
        "not its name. The controller stores it compressed, finds its root filesystem, and extracts the boot files that nodes " +
        "boot it with from their own cards; its notes say how those count, and what of the image's own first boot will " +
        "happen. Nodes never receive blocks that an ext or FAT filesystem calls free, unless something else, such as " +
        "dm-verity, may read them too; images show says so. With --everything they receive every block: for systems that " +
        "check whole partitions in ways that the image does not show. The checksums of a block map (.bmap, as bmaptool, " +
        "Yocto and Tizen write it) are verified; what it leaves out is zero. Ctrl-C leaves nothing behind.",
    )
    .summary("import an image")
    .argument("<file>", '.img, .img.gz, .img.xz, .img.zst or .zip; "-" reads stdin')
    .option("--name <name>", "name in the catalogue: 1 to 63 of [a-z0-9._-] (default: taken from the file's name)")
    .option("--bmap <file>", "the image's block map (default: the .bmap next to the image, if any)")
    .option("--no-bmap", "ignore block maps")
    .option("--everything", "send nodes every block, also those that filesystems call free")
    .option("--install", installHelp)
    .option("--json", jsonLinesHelp)
    .addHelpText(
      "after",
      examples(
        ["controller images add debian-12.img.xz", "becomes debian-12"],
        ["curl -L URL | controller images add - --name raspios"],
      ),
    )
    .action(
      toAction<[string], Options>(async (context, options, file) => {
        const { isJson, print, printJsonLine, note } = context;
        const name = options.name ?? imageNameFromFile(file);
        if (name === undefined) throw new UsageError(`cannot derive a name from "${file}": choose one with --name`);
        const refuse = "name an image file (.img, .img.gz, .img.xz, .img.zst or .zip)";
        const given = options.bmap === false ? undefined : options.bmap;
        const blockMap =
          options.bmap === false || (file === "-" && given === undefined) ? undefined : await findBlockMap(file, given);
        if (blockMap !== undefined && given === undefined) note([`Using the block map ${printable(blockMap.path)}.`]);
        await installForController(options, context, planImagesAdd, file);
        const source = await openUpload(file, context, { refuse });
        try {
          const image = await add(context, name, source, { blockMap, ...options });
          if (isJson) printJsonLine({ type: "image-added", image });
          else print(renderAddedImage(image));
        } finally {
          await source.close();
        }
      }),
    );
}
