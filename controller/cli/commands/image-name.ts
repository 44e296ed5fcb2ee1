const imageSuffixes = /(\.(img|raw|wic|bin))?(\.(gz|xz|zst|zstd))?$/;

/**
 * The name that an image gets from its file's name: the last part of the path in lower case without the suffixes of
 * images and compression, everything else than [a-z0-9._-] replaced by "-", cut to 63 characters. Undefined when
 * nothing is left of it; then the operator has to give a name.
 */
export function imageNameFromFile(path: string): string | undefined {
  const file = path.split("/").at(-1)?.toLowerCase() ?? "";
  const name = file
    .replace(imageSuffixes, "")
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[^a-z0-9]+/, "")
    .slice(0, 63)
    .replace(/[._-]+$/, "");
  return name === "" ? undefined : name;
}
