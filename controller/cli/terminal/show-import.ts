import { Failure } from "../../../proto/failure.ts";
import type { ImportProgress } from "../../../proto/gen/pallet/v1/controller.ts";
import type { CommandContext } from "../connection/command-context.ts";
import { createImportDisplay } from "./import-display.ts";

/**
 * Shows how far the controller has come with an image until it says what became of it.
 *
 * @param about the image's name, and the length of its file (0 when unknown)
 * @param read tells the parts of the answer apart
 */
export async function showImport<Part, Result>(
  context: CommandContext,
  { name, fileBytes }: { readonly name: string; readonly fileBytes: number },
  answer: AsyncIterable<{ readonly part?: Part | undefined }>,
  read: (part: Part) => { readonly progress: ImportProgress } | { readonly result: Result },
): Promise<Result> {
  const display = createImportDisplay(context, name, fileBytes);
  let result: Result | undefined;
  try {
    for await (const { part } of answer) {
      const said = part && read(part);
      if (said === undefined) continue;
      if ("progress" in said) display.show(said.progress);
      else result = said.result;
    }
  } finally {
    display.clear();
  }
  if (result !== undefined) return result;
  throw new Failure("internal", `the controller finished with ${name} but returned no image; see its log`);
}
