import type { Command } from "commander";
import { Failure } from "../../../proto/failure.ts";
import type { CapturedImage } from "../../../proto/gen/pallet/v1/controller.ts";
import { planImagesCapture } from "../../images/capture/plan-requirements.ts";
import type { CommandContext, ToAction } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { renderAddedImage, renderRemoved } from "../render/render-images.ts";
import { formatBytes } from "../render/units.ts";
import { showImport } from "../terminal/show-import.ts";
import { viewImage } from "../view/image-view.ts";
import { toNumber } from "../view/wire-values.ts";
import { installForController, installHelp } from "./install-option.ts";
import { examples, jsonLinesHelp } from "./option-texts.ts";
import { parseCaptureSource } from "./parse-capture-source.ts";

interface Options {
  readonly from: string;
  readonly generalise?: true;
  readonly install?: true;
}

async function capture(context: CommandContext, name: string, options: Options): Promise<CapturedImage> {
  const { node, disk } = parseCaptureSource(options.from);
  const request = { name, node, disk, generalise: options.generalise === true };
  const answer = context.client.captureImage(request, context.signal);
  // How much there is to read, the controller tells.
  return showImport(context, { name, source: { fileBytes: 0 } }, answer, (part) =>
    part.$case === "progress" ? { progress: part.value } : { result: part.value },
  );
}

/** `controller images capture NAME --from NODE[:DISK]`. */
export function registerImagesCapture(parent: Command, toAction: ToAction): void {
  parent
    .command("capture")
    .description(
      "make an image of a node's card\n\n" +
        "The node must be in the agent (boot NODE agent, then reboot NODE), so that nothing on the card is in use. The " +
        "controller reads what is in use on it, by the books of its ext2, ext3, ext4 and FAT filesystems; free blocks are " +
        "left out, and so are deleted files. The image ends behind the last partition, and needs a card at least that " +
        "large. Nothing is written to the card.\n\n" +
        "Everything by which Pallet knows the node (/etc/pallet, with its agent's key) is never in the image. With " +
        "--generalise, neither is what makes the system one node's: SSH host keys, machine-id, hostname, random seed, " +
        "what was swapped out to a partition, and Pallet's agent. Everything else is in the image as it is: passwords, other keys, logs, shell " +
        "histories. `images show` lists what was removed. Ctrl-C leaves nothing behind.",
    )
    .summary("make an image of a node's card")
    .argument("<name>", "name of the new image in the catalogue")
    .requiredOption(
      "--from <node[:disk]>",
      "the node, and the disk if it has several, for example pi-7:/dev/mmcblk0; by default its SD card",
    )
    .option(
      "--generalise",
      "remove from the copy what makes the system one node's (its root must be ext2, ext3 or ext4)",
    )
    .option("--install", installHelp)
    .option("--json", jsonLinesHelp)
    .addHelpText(
      "after",
      examples(
        ["controller images capture golden --from pi-7 --generalise"],
        ["controller images capture pi-7-backup --from pi-7:/dev/mmcblk0"],
      ),
    )
    .action(
      toAction<[string], Options>(async (context, options, name) => {
        const { isJson, print, printJsonLine, note } = context;
        await installForController(options, context, planImagesCapture);
        const captured = await capture(context, name, options);
        if (captured.image === undefined)
          throw new Failure("internal", `the controller's answer lacks the image ${name}`);
        const image = viewImage(captured.image);
        const [readBytes, skippedBytes] = [toNumber(captured.readBytes), toNumber(captured.skippedBytes)];
        if (isJson) printJsonLine({ type: "image-captured", image, readBytes, skippedBytes, notes: captured.notes });
        else {
          const sums = `${formatBytes(readBytes)} read, ${formatBytes(skippedBytes)} free and left out`;
          print([...renderAddedImage(image), sums, ...renderRemoved(image)]);
          note(captured.notes.map((text) => printable(text)));
        }
      }),
    );
}
