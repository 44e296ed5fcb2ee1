import type { Command } from "commander";
import type { ToAction } from "../connection/command-context.ts";
import { selectEntries } from "../os-list/select-entries.ts";
import { printable } from "../render/printable.ts";
import { renderEntries, renderProblems } from "../render/render-os-list.ts";
import { viewSearch } from "../view/os-entry-view.ts";
import { readCatalogue } from "./image-origin.ts";
import { examples, jsonHelp } from "./option-texts.ts";

interface Options {
  readonly from: string;
}

/** `controller images search [WORDS] --from LIST`. */
export function registerImagesSearch(parent: Command, toAction: ToAction): void {
  parent
    .command("search")
    .description(
      "search a list of Raspberry Pi Imager for images to add\n\n" +
        "LIST is an os_list as Imager reads it (version 4), a file or an address; the lists that it names are read too, " +
        "those beside a file from its folder. Shown are the images in whose names, descriptions or devices every one of the " +
        "words occurs; without words, all. What of the list cannot be used is left out, and told.",
    )
    .summary("search a list of Raspberry Pi Imager")
    .argument("[words...]", "words to look for, whatever their case")
    .requiredOption("--from <list>", "file or address of the list")
    .option("--json", jsonHelp)
    .addHelpText(
      "after",
      examples(
        [
          "controller images search lite 64-bit --from https://downloads.raspberrypi.com/os_list_imagingutility_v4.json",
        ],
        ["controller images search --from os_list.json", "works without a network"],
      ),
    )
    .action(
      toAction<[readonly string[]], Options>(async (context, { from }, words) => {
        const { isJson, print, printJson, note, look } = context;
        const catalogue = await readCatalogue(from, context);
        const found = selectEntries(catalogue.entries, words);
        if (isJson) return void printJson(viewSearch(found, catalogue.problems));
        note(renderProblems(catalogue.problems));
        if (found.length > 0) print(renderEntries(found, look));
        else note([printable(`no image in the list fits ${words.length === 0 ? "" : `"${words.join(" ")}"`}`.trim())]);
      }),
    );
}
