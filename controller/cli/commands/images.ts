import type { Command } from "commander";
import type { ToAction } from "../connection/command-context.ts";
import { noImages, renderImages } from "../render/render-images.ts";
import { viewImage } from "../view/image-view.ts";
import { examples, jsonHelp } from "./option-texts.ts";

/** `controller images`: the catalogue. Returns the command, for those below it. */
export function registerImages(program: Command, toAction: ToAction): Command {
  const images = program
    .command("images")
    .alias("image")
    .description("list the images in the catalogue; add, derive, show or remove one")
    .addHelpText("after", examples(["controller images"], ["controller images add debian-12.img.xz"]));
  listing(images, toAction);
  listing(images.command("list").alias("ls").description("list the images, as `controller images` does"), toAction);
  return images;
}

function listing(command: Command, toAction: ToAction): void {
  command.option("--json", jsonHelp).action(
    toAction<[], object>(async ({ client, signal, isJson, print, printJson, note, look, effects }) => {
      const images = (await client.listImages({}, signal)).images.map(viewImage);
      if (isJson) printJson(images);
      else if (images.length === 0) note([noImages]);
      else print(renderImages(images, look, effects.clock.now()));
    }),
  );
}
