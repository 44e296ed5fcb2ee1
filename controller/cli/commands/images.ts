import type { Command } from "commander";
import type { ToAction } from "../connection/command-context.ts";
import { noImages, renderImages } from "../render/render-images.ts";
import { viewImage } from "../view/image-view.ts";
import { addListFormat, printList } from "./list-format.ts";
import { examples } from "./option-texts.ts";

/** `controller images`: the catalogue. Returns the command, for those below it. */
export function registerImages(program: Command, toAction: ToAction): Command {
  const images = program
    .command("images")
    .alias("image")
    .description("list the images in the catalogue; add, search for, derive, capture, show or remove one")
    // A misspelt command is one too many; what is meant is said by what runs commands.
    .allowExcessArguments()
    .addHelpText("after", examples(["controller images"], ["controller images -o wide", "every column"]));
  listing(images, toAction);
  listing(images.command("list").alias("ls").description("list the images, as `controller images` does"), toAction);
  return images;
}

function listing(command: Command, toAction: ToAction): void {
  addListFormat(command).action(
    toAction<[], object>(async (context, options) => {
      const { client, signal, effects } = context;
      printList(context, options, {
        views: (await client.listImages({}, signal)).images.map(viewImage),
        nameOf: ({ name }) => name,
        none: noImages,
        table: (images, look) => renderImages(images, look, effects.clock.now()),
      });
      return undefined;
    }),
  );
}
