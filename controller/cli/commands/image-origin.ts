import { Failure } from "../../../proto/failure.ts";
import { limits } from "../../../proto/limits.ts";
import { maxBlockMapBytes } from "../../../proto/upload-limits.ts";
import { type CommandContext, UsageError } from "../connection/command-context.ts";
import { readLocation } from "../connection/read-location.ts";
import { openUpload, type UploadSource } from "../connection/upload-source.ts";
import { vouchedUpload } from "../connection/vouched-upload.ts";
import { openWebUpload } from "../connection/web-upload.ts";
import { type Location, locationOf, resolveReference, shownLocation } from "../download/location.ts";
import { isDowngrade, loadCatalogue } from "../os-list/load-catalogue.ts";
import { type Catalogue, type FoundEntry, pathOf } from "../os-list/os-list.ts";
import { chooseEntry } from "../os-list/select-entries.ts";
import { type FoundBlockMap, findBlockMap } from "./find-block-map.ts";

/** Where the bytes of an image come from, and what is known of them before they come. */
export interface ImageOrigin {
  readonly from: Location | "stdin";
  /** SHA-256 of the file, in lower-case hexadecimal. */
  readonly fileSha256: string | undefined;
  /** SHA-256 of the uncompressed image, in lower-case hexadecimal. */
  readonly imageSha256: string | undefined;
  /** The entry of a list that named it. */
  readonly entry: FoundEntry | undefined;
}

/** The list that --from names, with all that it leads to. */
export function readCatalogue(list: string, context: CommandContext): Promise<Catalogue> {
  const read = async (from: Location): Promise<string> =>
    (await readLocation(from, limits.downloads.listBytes.most, context)).toString("utf8");
  return loadCatalogue(given(list), read).catch((error: unknown) => {
    if (!(error instanceof Failure) || error instanceof UsageError) throw error;
    throw new Failure(error.reason, `cannot use the list ${shownGiven(list)}: ${error.message}`, { cause: error });
  });
}

/** The image that a file, an address or "-" means, or that a list has under this name. */
export async function findOrigin(
  file: string,
  { from: list, sha256 }: { readonly from?: string; readonly sha256?: string },
  context: CommandContext,
): Promise<ImageOrigin> {
  if (list === undefined)
    return {
      from: file === "-" ? "stdin" : given(file),
      ...{ fileSha256: sha256, imageSha256: undefined, entry: undefined },
    };
  const entry = chooseEntry(await readCatalogue(list, context), file, shownGiven(list));
  const from = resolveReference(entry.list, entry.url);
  const { extractSha256: imageSha256, downloadSha256 } = entry;
  const fileSha256 = sha256 ?? downloadSha256;
  if (imageSha256 === undefined && fileSha256 === undefined && isDowngrade(entry.list, from))
    throw new Failure(
      "invalid",
      `the list came by https, but has no digest of "${pathOf(entry)}", and its image would come by http, where anybody ` +
        "on the way can change it: give its digest with --sha256",
    );
  return { from, fileSha256, imageSha256, entry };
}

/** Its last name: of a file, or of an address without its query. */
export function fileNameOf({ from }: ImageOrigin): string {
  if (from === "stdin") return "-";
  if (from.kind === "file") return from.path;
  const last = from.url.pathname.split("/").at(-1) ?? "";
  try {
    return decodeURIComponent(last);
  } catch {
    // Not encoded as UTF-8: its own letters serve as well.
    return last;
  }
}

/** Opens it; what it sends ends with a Failure unless it is what the digest of the file says. */
export async function openOrigin(origin: ImageOrigin, context: CommandContext): Promise<UploadSource> {
  const { from, fileSha256, imageSha256, entry } = origin;
  const isVouched = fileSha256 !== undefined || imageSha256 !== undefined;
  const refuse = "name an image file (.img, .img.gz, .img.xz, .img.zst or .zip)";
  const source =
    from === "stdin" || from.kind === "file"
      ? await openUpload(from === "stdin" ? "-" : from.path, context, { refuse })
      : await openWebUpload(from.url, context, isVouched);
  const expected = entry?.downloadBytes ?? 0;
  if (!isVouched && expected > 0 && source.fileBytes > 0 && source.fileBytes !== expected) {
    await source.close();
    throw new Failure("invalid", `${shownOrigin(origin)} is not what the list says, and the list has no digest of it`, {
      expected: `${expected} bytes`,
      found: `${source.fileBytes} bytes`,
    });
  }
  return fileSha256 === undefined ? source : vouchedUpload(source, fileSha256, shownOrigin(origin));
}

/**
 * Its block map: the one that --bmap names, none with --no-bmap, the one that the list names, or the one beside a file.
 * Throws Failure if it cannot be read.
 */
export async function findBlockMapOf(
  { from, entry }: ImageOrigin,
  option: string | false | undefined,
  context: CommandContext,
): Promise<FoundBlockMap | undefined> {
  if (option === false) return undefined;
  const named = option !== undefined ? given(option) : entry?.bmapUrl && resolveReference(entry.list, entry.bmapUrl);
  if (!named) return from === "stdin" || from.kind === "web" ? undefined : findBlockMap(from.path, undefined);
  if (named.kind === "file") return findBlockMap("", named.path);
  return { path: shownLocation(named), bytes: await readLocation(named, maxBlockMapBytes, context) };
}

/** It, for a person; without what could be a secret. */
export function shownOrigin({ from }: ImageOrigin): string {
  return from === "stdin" ? "what was piped in" : shownLocation(from);
}

/** What was given on the command line; a bad address is a bad command line. */
function given(text: string): Location {
  try {
    return locationOf(text);
  } catch (error) {
    throw error instanceof Failure ? new UsageError(error.message) : error;
  }
}

function shownGiven(text: string): string {
  return shownLocation(locationOf(text));
}
