import { cutText } from "../cut-text.ts";
import { Failure } from "../failure.ts";

/** Filesystems that the agent can make. */
export type MakeableFilesystem = "vfat" | "ext4";

/**
 * Most bytes of a label: of a FAT directory entry's name (FAT specification 1.03), of s_volume_name in ext4's
 * superblock.
 */
export const maxLabelBytes = { vfat: 11, ext4: 16 } as const satisfies Record<MakeableFilesystem, number>;

/** Characters that a FAT label may not hold (FAT specification 1.03, section 6.1, and what mkfs.vfat(8) refuses). */
const forbiddenInFat = /["*+,./:;<=>?[\\\]|]/;

/**
 * Checks a volume label before it reaches a tool; the empty one means none.
 *
 * vfat: at most 11 ASCII characters, none of those that FAT forbids, no space at either end. ext4: at most 16 bytes of
 * UTF-8. Neither may hold control characters. Throws an `invalid` Failure.
 */
export function checkLabel(type: MakeableFilesystem, label: string): void {
  const refuse = (finding: string) => {
    throw new Failure(
      "invalid",
      `the label ${JSON.stringify(cutText(label, 80))} is not valid for ${type}: ${finding}`,
    );
  };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
  if (/[\u0000-\u001f\u007f-\u009f]/.test(label)) refuse("it contains a control character");
  if (type === "ext4") {
    const bytes = Buffer.byteLength(label);
    if (bytes > maxLabelBytes.ext4) refuse(`it has ${bytes} bytes, but the maximum is ${maxLabelBytes.ext4}`);
    return;
  }
  if (!/^[ -~]*$/.test(label)) refuse("it must be ASCII");
  if (label.length > maxLabelBytes.vfat)
    refuse(`it has ${label.length} characters, but the maximum is ${maxLabelBytes.vfat}`);
  if (label.trim() !== label) refuse("it starts or ends with a space");
  const forbidden = forbiddenInFat.exec(label)?.[0];
  if (forbidden !== undefined) refuse(`it contains the character ${forbidden}`);
}
