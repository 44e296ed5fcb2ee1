import { type Command, InvalidArgumentError } from "commander";
import { Failure } from "../../../proto/failure.ts";
import { AddImageHeader } from "../../../proto/gen/pallet/v1/controller.ts";
import { isSha256 } from "../../../proto/pack/digest.ts";
import { planImagesAdd } from "../../images/import/plan-requirements.ts";
import { type CommandContext, type ToAction, UsageError } from "../connection/command-context.ts";
import { type UploadSource, withUpload } from "../connection/upload-source.ts";
import { printable } from "../render/printable.ts";
import { renderAddedImage } from "../render/render-images.ts";
import { renderChosen } from "../render/render-os-list.ts";
import { showImport } from "../terminal/show-import.ts";
import { type ImageView, viewImage } from "../view/image-view.ts";
import { viewEntry } from "../view/os-entry-view.ts";
import type { FoundBlockMap } from "./find-block-map.ts";
import { imageNameFromFile } from "./image-name.ts";
import { fileNameOf, findBlockMapOf, findOrigin, openOrigin } from "./image-origin.ts";
import { installForController, installHelp } from "./install-option.ts";
import { examples, jsonLinesHelp } from "./option-texts.ts";

interface Options {
  readonly name?: string;
  readonly from?: string;
  readonly sha256?: string;
  /** --no-bmap makes it false. */
  readonly bmap?: string | false;
  readonly everything?: true;
  readonly install?: true;
}

async function add(
  context: CommandContext,
  name: string,
  source: UploadSource,
  about: {
    readonly blockMap: FoundBlockMap | undefined;
    readonly everything?: boolean;
    readonly imageSha256: string | undefined;
  },
): Promise<ImageView> {
  const { blockMap, everything = false, imageSha256 } = about;
  const header = AddImageHeader.create({
    name,
    fileBytes: BigInt(source.fileBytes),
    ...(blockMap && { blockMap: blockMap.bytes }),
    everything,
    ...(imageSha256 !== undefined && { imageDigest: imageSha256 }),
  });
  const image = await withUpload(context, header, source, (messages) =>
    showImport(context, { name, source }, context.client.addImage(messages, context.signal), (part) =>
      part.$case === "progress" ? { progress: part.value } : { result: part.value },
    ),
  );
  if (everything && !image.everything) {
    throw new Failure(
      "unsupported",
      `the controller is older than this program and does not know --everything, so it added ${name} without: update ` +
        `it, and add the image again after: controller images remove ${name}`,
    );
  }
  if (imageSha256 !== undefined && image.digest !== imageSha256) {
    throw new Failure(
      "image-damaged",
      `${name} is not the image that the list means, and the controller is older than this program and does not know ` +
        `that, so it added it: remove it with: controller images remove ${name}`,
      { expected: imageSha256, found: image.digest },
    );
  }
  return viewImage(image);
}

/** `controller images add FILE|URL` and `controller images add --from LIST NAME`. */
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
        "Yocto and Tizen write it) are verified; what it leaves out is zero. Ctrl-C leaves nothing behind.\n\n" +
        "An http or https address is fetched by this machine. A transfer that breaks goes on where it was, of the same " +
        "version of the file. With --from, NAME is one in a list of Raspberry Pi Imager (see images search), and the list's " +
        "digests are checked. An image that lacks a digest that was given is never in the catalogue. For servers with a " +
        "certificate of your own authority, set NODE_EXTRA_CA_CERTS to the file with the authority's certificate.",
    )
    .summary("import an image from a file, an address or a list")
    .argument(
      "<file>",
      '.img, .img.gz, .img.xz, .img.zst or .zip, or http(s)://…; "-" reads stdin; with --from, a name',
    )
    .option("--name <name>", "name in the catalogue: 1 to 63 of [a-z0-9._-] (default: taken from the file's name)")
    .option("--from <list>", "file or address of a list of Raspberry Pi Imager (os_list JSON), which has the image")
    .option(
      "--sha256 <hex>",
      "SHA-256 of the file as it is, usually compressed; with another one nothing is added",
      digest,
    )
    .option(
      "--bmap <file>",
      "file or address of the image's block map (default: the .bmap next to the file, or the list's)",
    )
    .option("--no-bmap", "ignore block maps")
    .option("--everything", "send nodes every block, also those that filesystems call free")
    .option("--install", installHelp)
    .option("--json", jsonLinesHelp)
    .addHelpText(
      "after",
      examples(
        ["controller images add debian-12.img.xz", "becomes debian-12"],
        ["controller images add https://example.org/debian-12.img.xz --sha256 HEX"],
        ['controller images add --from os_list.json "Raspberry Pi OS Lite (64-bit)" --name raspios'],
        ["curl --netrc -fL URL | controller images add - --name raspios"],
      ),
    )
    .action(
      toAction<[string], Options>(async (context, options, file) => {
        const { isJson, print, printJsonLine, note } = context;
        const named = (fileName: string): string => {
          const name = options.name ?? imageNameFromFile(fileName);
          if (name !== undefined) return name;
          throw new UsageError(`cannot derive a name from "${printable(fileName)}": choose one with --name`);
        };
        const origin = await findOrigin(file, options, context);
        const name = named(fileNameOf(origin));
        if (origin.entry !== undefined) note(renderChosen(origin.entry, origin.imageSha256 ?? origin.fileSha256));
        const blockMap = await findBlockMapOf(origin, options.bmap, context);
        if (blockMap !== undefined && typeof options.bmap !== "string")
          note([`Using the block map ${printable(blockMap.path)}.`]);
        await installForController(options, context, planImagesAdd, origin.from);
        const source = await openOrigin(origin, context);
        try {
          const image = await add(context, name, source, { ...options, blockMap, imageSha256: origin.imageSha256 });
          const listed = origin.entry === undefined ? {} : { listed: viewEntry(origin.entry) };
          if (isJson) printJsonLine({ type: "image-added", image, ...listed });
          else print(renderAddedImage(image));
        } finally {
          await source.close();
        }
      }),
    );
}

function digest(text: string): string {
  const sha256 = text.toLowerCase();
  if (isSha256(sha256)) return sha256;
  throw new InvalidArgumentError("Give 64 hexadecimal digits, as sha256sum prints them.");
}
