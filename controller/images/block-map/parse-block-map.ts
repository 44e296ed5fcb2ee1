import { createHash } from "node:crypto";
import sax from "sax";
import { Failure } from "../../../proto/failure.ts";
import { maxBlockMapBytes } from "../../../proto/upload-limits.ts";
import type { BlockMap, BlockMapChecksum, MappedRange } from "./block-map.ts";

const checksumTypes: Readonly<Record<BlockMapChecksum, number>> = { sha1: 40, sha256: 64, sha384: 96, sha512: 128 };

/** An element of the document, without what is inside elements inside it. */
interface Element {
  readonly attributes: ReadonlyMap<string, string>;
  text: string;
}

/** The relevant parts of the document. */
interface Document {
  readonly root: Element;
  /** By name, those directly in the root; two of one name are refused. */
  readonly fields: ReadonlyMap<string, Element>;
  readonly ranges: readonly Element[];
}

/**
 * Parses a block map (.bmap) of format 1.3, 1.4 or 2.0, as bmaptool(1) writes and reads it (bmap-tools, BmapCopy.py),
 * and checks the checksum of the file. Older formats have no checksums and are refused. Throws Failure `image-damaged`
 * or `unsupported` that names the element that is wrong.
 */
export function parseBlockMap(bytes: Uint8Array): BlockMap {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (file.length > maxBlockMapBytes) {
    throw new Failure("unsupported", `the block map is too large`, {
      expected: `at most ${maxBlockMapBytes} bytes`,
      found: `${file.length} bytes`,
    });
  }
  const document = readDocument(decodeText(file));
  const version = document.root.attributes.get("version") ?? "";
  // 1.4 is 2.0, released by mistake under that number.
  const isOld = version === "1.3";
  if (!isOld && version !== "1.4" && version !== "2.0") {
    throw new Failure(
      "unsupported",
      `the block map has format version ${JSON.stringify(version.slice(0, 20))}, but only 1.3 to 2.0 are supported; recreate it with bmaptool create`,
    );
  }
  const text = (name: string): string => {
    const element = document.fields.get(name);
    if (element === undefined) throw damaged(`it has no ${name}`);
    return element.text.trim();
  };
  const number = (name: string): number => parseNumber(text(name), name);

  const checksumType = isOld ? "sha1" : checksumTypeOf(text("ChecksumType"));
  const checksumField = isOld ? "BmapFileSHA1" : "BmapFileChecksum";
  checkFile(file, { checksumType, checksum: text(checksumField), field: checksumField });

  const imageBytes = number("ImageSize");
  const blockBytes = number("BlockSize");
  const blockCount = number("BlocksCount");
  const mappedCount = number("MappedBlocksCount");
  if (blockBytes < 1) throw damaged("its BlockSize is 0");
  if (Math.ceil(imageBytes / blockBytes) !== blockCount) {
    throw damaged(`its ImageSize, BlockSize and BlocksCount contradict each other`);
  }
  if (!document.fields.has("BlockMap")) throw damaged("it has no BlockMap");
  const ranges: MappedRange[] = [];
  let mapped = 0;
  for (const element of document.ranges) {
    const range = parseRange(element, isOld ? "sha1" : "chksum", checksumType);
    if (range.first <= (ranges.at(-1)?.last ?? -1))
      throw damaged(`its Range ${name(element)} does not follow the one before`);
    if (range.last >= blockCount) throw damaged(`its Range ${name(element)} extends past the ${blockCount} blocks`);
    mapped += range.last - range.first + 1;
    ranges.push(range);
  }
  if (mapped !== mappedCount)
    throw damaged(`its ranges map ${mapped} blocks, but MappedBlocksCount says ${mappedCount}`);
  return { imageBytes, blockBytes, checksumType, ranges };
}

function decodeText(file: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(file);
  } catch (cause) {
    throw new Failure("image-damaged", "the block map cannot be used: it is not UTF-8 text", { cause });
  }
}

/**
 * Reads the XML. A document type, which could define entities, is refused: no block map has one. So is every other
 * declaration, before sax sees it: for each character of one it looks at all those before, which is minutes for 2 MiB.
 */
function readDocument(text: string): Document {
  if (/<!(?!--|\[CDATA\[)/.test(text)) {
    throw damaged("it has a document type (DOCTYPE) or another declaration, which block maps must not have");
  }
  const parser = sax.parser(true);
  const fields = new Map<string, Element>();
  const ranges: Element[] = [];
  let root: Element | undefined;
  const open: { readonly name: string; readonly element: Element }[] = [];
  parser.onerror = (error) => {
    throw damaged(`it is not XML: ${error.message.replaceAll(/\s+/g, " ").slice(0, 200)}`);
  };
  parser.onopentag = ({ name, attributes }) => {
    const given = Object.entries(attributes).map(([key, value]): [string, string] => [key, String(value)]);
    const element: Element = { attributes: new Map(given), text: "" };
    if (open.length === 0) {
      if (name !== "bmap") throw damaged(`its root element is ${name.slice(0, 40)}, not bmap`);
      root = element;
    } else if (open.length === 1) {
      if (fields.has(name)) throw damaged(`it has two ${name.slice(0, 40)} elements`);
      fields.set(name, element);
    } else if (open.length === 2 && open[1]?.name === "BlockMap" && name === "Range") ranges.push(element);
    open.push({ name, element });
  };
  parser.onclosetag = () => {
    open.pop();
  };
  const take = (part: string): void => {
    const innermost = open.at(-1);
    if (innermost !== undefined) innermost.element.text += part;
  };
  parser.ontext = take;
  parser.oncdata = take;
  parser.write(text).close();
  if (root === undefined) throw damaged("it is empty");
  return { root, fields, ranges };
}

/** The digest is taken of the file with zeros ("0") in the place where the digest itself stands first. */
function checkFile(
  file: Buffer,
  about: { readonly checksumType: BlockMapChecksum; readonly checksum: string; readonly field: string },
): void {
  const { checksumType, checksum, field } = about;
  if (!isChecksum(checksum, checksumType))
    throw damaged(`its ${field} is not a ${checksumType} in lower-case hexadecimal`);
  const at = file.indexOf(checksum, 0, "latin1");
  if (at < 0) throw damaged(`its ${field} appears in an unexpected form`);
  const digest = createHash(checksumType)
    .update(file.subarray(0, at))
    .update("0".repeat(checksum.length))
    .update(file.subarray(at + checksum.length))
    .digest("hex");
  if (digest === checksum) return;
  throw new Failure("image-damaged", `the block map was altered or cut short: its ${field} does not match`, {
    expected: checksum,
    found: digest,
  });
}

function checksumTypeOf(text: string): BlockMapChecksum {
  const type = text.toLowerCase();
  if (Object.hasOwn(checksumTypes, type)) return type as BlockMapChecksum;
  throw new Failure(
    "unsupported",
    `the block map's ChecksumType ${JSON.stringify(text.slice(0, 20))} is not one of ${Object.keys(checksumTypes).join(", ")}`,
  );
}

function isChecksum(text: string, type: BlockMapChecksum): boolean {
  return text.length === checksumTypes[type] && /^[0-9a-f]+$/.test(text);
}

function parseNumber(text: string, where: string): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  throw damaged(`its ${where} ${JSON.stringify(text.slice(0, 40))} is not a number`);
}

function parseRange(element: Element, attribute: string, checksumType: BlockMapChecksum): MappedRange {
  const [first = "", last = first, ...rest] = element.text.trim().split("-");
  if (rest.length > 0) throw damaged(`its Range ${name(element)} is not a range`);
  const range = { first: parseNumber(first.trim(), "Range"), last: parseNumber(last.trim(), "Range") };
  if (range.last < range.first) throw damaged(`its Range ${name(element)} ends before it starts`);
  const checksum = element.attributes.get(attribute);
  if (checksum === undefined) return range;
  if (!isChecksum(checksum, checksumType))
    throw damaged(`the ${attribute} of its Range ${name(element)} is not a ${checksumType}`);
  return { ...range, checksum };
}

function name({ text }: Element): string {
  return JSON.stringify(text.trim().slice(0, 40));
}

function damaged(what: string): Failure {
  return new Failure("image-damaged", `the block map cannot be used: ${what}`);
}
