import { createHash } from "node:crypto";

/** How to write a block map. */
export interface BlockMapText {
  readonly version?: string;
  readonly imageBytes: number;
  readonly blockBytes: number;
  readonly checksumType?: "sha1" | "sha256" | "sha384" | "sha512";
  readonly ranges: readonly { readonly first: number; readonly last: number; readonly checksum?: string }[];
}

/** A block map as bmaptool writes it, with its checksum; `change` alters the text before that is computed. */
export function renderBlockMap(map: BlockMapText, change: (text: string) => string = (text) => text): Buffer {
  const { version = "2.0", imageBytes, blockBytes, ranges } = map;
  const isOld = version === "1.3";
  const type = isOld ? "sha1" : (map.checksumType ?? "sha256");
  const attribute = isOld ? "sha1" : "chksum";
  const field = isOld ? "BmapFileSHA1" : "BmapFileChecksum";
  const zeros = "0".repeat(createHash(type).digest("hex").length);
  const lines = ranges.map(({ first, last, checksum }) => {
    const given = checksum === undefined ? "" : ` ${attribute}="${checksum}"`;
    return `        <Range${given}> ${first === last ? first : `${first}-${last}`} </Range>`;
  });
  const mapped = ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  const text = change(
    [
      '<?xml version="1.0" ?>',
      "<!-- This file contains the block map for an image file, <BlockMap> and all. -->",
      `<bmap version="${version}">`,
      "    <!-- Image size in bytes: 3.0 MiB -->",
      `    <ImageSize> ${imageBytes} </ImageSize>`,
      `    <BlockSize> ${blockBytes} </BlockSize>`,
      `    <BlocksCount> ${Math.ceil(imageBytes / blockBytes)} </BlocksCount>`,
      `    <MappedBlocksCount> ${mapped}    </MappedBlocksCount>`,
      ...(isOld ? [] : [`    <ChecksumType> ${type} </ChecksumType>`]),
      `    <${field}> ${zeros} </${field}>`,
      "    <BlockMap>",
      ...lines,
      "    </BlockMap>",
      "</bmap>",
      "",
    ].join("\n"),
  );
  return Buffer.from(text.replace(zeros, createHash(type).update(text).digest("hex")));
}
