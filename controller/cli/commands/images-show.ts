import type { Command } from "commander";
import { Failure } from "../../../proto/failure.ts";
import type { ToAction } from "../connection/command-context.ts";
import { renderImage } from "../render/render-images.ts";
import { viewImage } from "../view/image-view.ts";
import { examples, jsonHelp } from "./option-texts.ts";

/** `controller images show NAME`. */
export function registerImagesShow(parent: Command, toAction: ToAction): void {
  parent
    .command("show")
    .description("show an image: its partitions, and the boot files that nodes fetch to boot it from their own cards")
    .argument("<image>", "name of the image")
    .option("--json", jsonHelp)
    .addHelpText("after", examples(["controller images show debian-12"]))
    .action(
      toAction<[string], object>(async ({ client, signal, isJson, print, printJson, look, effects }, _, name) => {
        const { image } = await client.getImage({ name }, signal);
        if (image === undefined) throw new Failure("internal", `the controller's answer lacks the image ${name}`);
        const view = viewImage(image);
        if (isJson) printJson(view);
        else print(renderImage(view, look, effects.clock.now()));
      }),
    );
}
