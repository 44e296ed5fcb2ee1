import { maxUploadBytes } from "../../../proto/upload-limits.ts";
import { openDownload } from "../download/open-download.ts";
import type { CommandContext } from "./command-context.ts";
import type { UploadSource } from "./upload-source.ts";

/**
 * Opens a file on a web server to send it on as it comes.
 *
 * @param isVouched whether the file, or what is in it, is compared with a digest
 */
export async function openWebUpload(url: URL, context: CommandContext, isVouched: boolean): Promise<UploadSource> {
  let tell = (sentence: string): void => context.note([sentence]);
  const { fileBytes, bytes, close } = await openDownload(url, {
    ...{ signal: context.signal, clock: context.effects.clock, mostBytes: maxUploadBytes, isVouched },
    onTrouble: (sentence) => tell(sentence),
  });
  return {
    bytes,
    fileBytes,
    tellTrouble(to) {
      tell = to;
    },
    close: async () => close(),
  };
}
