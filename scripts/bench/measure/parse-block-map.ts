/** A run of bytes. */
export interface ByteRange {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

/** The ranges that a bmap file (version 2.0, as bmaptool writes it) says hold data; the last one may end in mid-block. */
export function parseBlockMap(xml: string): { readonly sizeBytes: number; readonly ranges: readonly ByteRange[] } {
  const number = (element: string): number => {
    const text = new RegExp(`<${element}>\\s*(\\d+)\\s*</${element}>`).exec(xml)?.[1];
    if (text === undefined) throw new Error(`the bmap file has no <${element}>`);
    return Number(text);
  };
  const blockBytes = number("BlockSize");
  const sizeBytes = number("ImageSize");
  const ranges = [...xml.matchAll(/<Range[^>]*>\s*(\d+)(?:-(\d+))?\s*<\/Range>/g)].map(([, first, last]) => {
    const offsetBytes = Number(first) * blockBytes;
    const end = Math.min((Number(last ?? first) + 1) * blockBytes, sizeBytes);
    return { offsetBytes, lengthBytes: end - offsetBytes };
  });
  return { sizeBytes, ranges };
}
