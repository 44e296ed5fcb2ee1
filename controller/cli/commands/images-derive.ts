import type { Command } from "commander";
import { Failure } from "../../../proto/failure.ts";
import { type DerivedImage, DeriveImageHeader } from "../../../proto/gen/pallet/v1/controller.ts";
import { planImagesDerive } from "../../images/derive/plan-requirements.ts";
import type { CommandContext, ToAction } from "../connection/command-context.ts";
import { openUpload, type UploadSource, withUpload } from "../connection/upload-source.ts";
import type { Location } from "../download/location.ts";
import { printable } from "../render/printable.ts";
import { renderGain, viewGain } from "../render/render-gain.ts";
import { renderAddedImage } from "../render/render-images.ts";
import { showImport } from "../terminal/show-import.ts";
import { viewImage } from "../view/image-view.ts";
import { installForController, installHelp } from "./install-option.ts";
import { examples, jsonLinesHelp } from "./option-texts.ts";

interface Options {
  readonly from: string;
  readonly with: string;
  readonly install?: true;
}

function fileOf(given: string): Location | "stdin" {
  return given === "-" ? "stdin" : { kind: "file", path: given };
}

async function derive(
  context: CommandContext,
  name: string,
  from: string,
  source: UploadSource,
): Promise<DerivedImage> {
  const header = DeriveImageHeader.create({ name, from, fileBytes: BigInt(source.fileBytes) });
  return withUpload(context, header, source, (messages) =>
    showImport(context, { name, source }, context.client.deriveImage(messages, context.signal), (part) =>
      part.$case === "progress" ? { progress: part.value } : { result: part.value },
    ),
  );
}

/** `controller images derive NEW --from OLD --with FILE|DIR`. */
export function registerImagesDerive(parent: Command, toAction: ToAction): void {
  parent
    .command("derive")
    .description(
      "make an image with new files in the block layout of an old one\n\n" +
        "Two builds of a system differ almost everywhere, even if few files changed, because each build lays out its " +
        "filesystems from scratch. The derived image contains exactly the new files, laid out in a copy of the old image: " +
        "unchanged files stay where they are, so nodes that already have the old image fetch and write little more than the " +
        "changes. The command reports how much that is.\n\n" +
        "The new files come from an image (whose partition and filesystem ids are kept), or from a folder or tar archive " +
        "with a root filesystem (the ids of the old image are kept; directories that its /etc/fstab mounts from other " +
        "partitions go to those partitions). Both images must have the same partitions, an ext2, ext3 or ext4 root, and room " +
        "for the new files; the last partition may grow. The controller needs its broker (or runs as root), and " +
        "/dev/fuse, fuse2fs and rsync. Nothing in the images is executed, and the kernel mounts none. Ctrl-C leaves nothing behind.",
    )
    .summary("make an image with new files in the layout of an old one")
    .argument("<new>", "name of the new image in the catalogue")
    .requiredOption("--from <image>", "the image in the catalogue whose layout to keep")
    .requiredOption(
      "--with <file>",
      '.img, .img.gz, .img.xz, .img.zst or .zip, a folder with a root filesystem, or a tar archive of one; "-" reads stdin',
    )
    .option("--install", installHelp)
    .option("--json", jsonLinesHelp)
    .addHelpText(
      "after",
      examples(
        ["controller images derive raspios-2026-11 --from raspios-2026-05 --with raspios-2026-11.img.xz"],
        [
          "controller images derive web-2 --from web-1 --with /srv/build/web",
          "run as root, to read every file of the folder",
        ],
      ),
    )
    .action(
      toAction<[string], Options>(async (context, options, name) => {
        const { isJson, print, printJsonLine, note } = context;
        await installForController(options, context, planImagesDerive, fileOf(options.with));
        const source = await openUpload(options.with, context, "archive");
        try {
          const derived = await derive(context, name, options.from, source);
          if (derived.image === undefined)
            throw new Failure("internal", `the controller's answer lacks the image ${name}`);
          const [image, gain] = [viewImage(derived.image), viewGain(derived)];
          if (isJson) printJsonLine({ type: "image-derived", image, from: options.from, gain, notes: derived.notes });
          else {
            print([...renderAddedImage(image), renderGain(gain, options.from)]);
            note(derived.notes.map((text) => printable(text)));
          }
        } finally {
          await source.close();
        }
      }),
    );
}
