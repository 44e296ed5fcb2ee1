import type { Command } from "commander";
import type { ToAction } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { examples } from "./option-texts.ts";

/** `controller images remove NAME`. */
export function registerImagesRemove(parent: Command, toAction: ToAction): void {
  parent
    .command("remove")
    .description("remove an image; refused while a rollout installs it or a node boots its kernel")
    .argument("<image>", "name of the image")
    .addHelpText("after", examples(["controller images remove debian-11"]))
    .action(
      toAction<[string], object>(async ({ client, signal, print }, _, name) => {
        await client.removeImage({ name }, signal);
        print([`removed ${printable(name)}`]);
      }),
    );
}
