import { Failure } from "../../../proto/failure.ts";
import type { ImportProgress } from "../../../proto/gen/pallet/v1/controller.ts";
import type { CommandContext } from "../connection/command-context.ts";
import type { UploadSource } from "../connection/upload-source.ts";
import { createImportDisplay } from "./import-display.ts";

/**
 * Shows how far the controller has come with an image until it says what became of it.
 *
 * @param about the image's name, and what is sent of it
 * @param read tells the parts of the answer apart
 */
export async function showImport<Part, Result>(
  context: CommandContext,
  { name, source }: { readonly name: string; readonly source: Pick<UploadSource, "fileBytes" | "tellTrouble"> },
  answer: AsyncIterable<{ readonly part?: Part | undefined }>,
  read: (part: Part) => { readonly progress: ImportProgress } | { readonly result: Result },
): Promise<Result> {
  const display = createImportDisplay(context, name, source.fileBytes);
  source.tellTrouble?.(display.tell);
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
