/** One entry of an archive; a folder has neither content nor target. */
export interface CpioEntry {
  /** Path without a leading slash. */
  readonly path: string;
  /** Permission bits. */
  readonly permissions: number;
  readonly kind:
    | { readonly type: "folder" }
    | { readonly type: "file"; readonly content: Uint8Array }
    | { readonly type: "link"; readonly target: string }
    | { readonly type: "character-device"; readonly major: number; readonly minor: number };
}

const typeBits = { folder: 0o040000, file: 0o100000, link: 0o120000, "character-device": 0o020000 } as const;

/**
 * Renders an archive that the Linux kernel unpacks as its initrd: the "newc" format of cpio(5), described in
 * Documentation/driver-api/early-userspace/buffer-format.rst. Everything belongs to root; times are zero, so that the
 * same entries give the same bytes. Folders must come before what is in them.
 */
export function renderCpio(entries: readonly CpioEntry[]): Buffer {
  const parts: Buffer[] = [];
  const append = (
    path: string,
    mode: number,
    content: Uint8Array,
    inode: number,
    device: readonly [number, number],
  ) => {
    const name = Buffer.from(`${path}\0`);
    const nlink = 1;
    const fields = [inode, mode, 0, 0, nlink, 0, content.length, 0, 0, device[0], device[1], name.length, 0];
    const header = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}`);
    parts.push(padTo4(Buffer.concat([header, name])), padTo4(Buffer.from(content)));
  };
  for (const [position, { path, permissions, kind }] of entries.entries()) {
    const content = kind.type === "file" ? kind.content : Buffer.from(kind.type === "link" ? kind.target : "");
    const device = kind.type === "character-device" ? ([kind.major, kind.minor] as const) : ([0, 0] as const);
    append(path, typeBits[kind.type] | permissions, content, position + 1, device);
  }
  append("TRAILER!!!", 0, Buffer.alloc(0), 0, [0, 0]);
  return Buffer.concat(parts);
}

function padTo4(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}
