import { maxImageName } from "../../../proto/names/image-name.ts";

const imageSuffixes = /(\.(img|raw|wic|bin))?(\.(gz|xz|zst|zstd|zip))?$/;

/**
 * Derives an image's name from its file's name: the base name in lower case, without image and compression suffixes,
 * everything but [a-z0-9._-] replaced by "-", cut to the length that a name may have. Undefined if nothing is left; the
 * operator then has to choose a name.
 */
export function imageNameFromFile(path: string): string | undefined {
  const file = path.split("/").at(-1)?.toLowerCase() ?? "";
  const name = file
    .replace(imageSuffixes, "")
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[^a-z0-9]+/, "")
    .slice(0, maxImageName)
    .replace(/[._-]+$/, "");
  return name === "" ? undefined : name;
}
