import { chooseBootFiles } from "./choose-boot-files.ts";

/** What is looked at to say why an image has no root filesystem. */
export interface RootlessImage {
  readonly partitions: readonly { readonly filesystemType: string; readonly label: string }[];
  /** Paths of the files on its FAT partitions. */
  readonly fatFiles: readonly string[];
}

/** Kinds of system that Pallet does not support: how each is recognised, and a sentence that says what to do. */
const kinds: readonly { readonly is: (image: RootlessImage) => boolean; readonly sentence: string }[] = [
  {
    is: ({ partitions }) => partitions.some(({ label }) => /^hassos-/.test(label)),
    sentence:
      "This is Home Assistant OS, which Pallet does not support: its kernel lies in a squashfs partition, and it updates " +
      "itself by switching between two systems (A/B), which a kernel that comes over the network would undo. Write it " +
      "with Raspberry Pi Imager, or add Raspberry Pi OS and run Home Assistant Container in it.",
  },
  {
    is: ({ fatFiles }) => has(fatFiles, /(^|\/)modloop-|^apks\//),
    sentence:
      "This is Alpine Linux as it runs from RAM (diskless), which Pallet does not support: no partition holds its root. " +
      "Install it on a card in sys mode (setup-disk -m sys), and add an image of that card.",
  },
  {
    is: ({ fatFiles }) => has(fatFiles, /^system$/) && has(fatFiles, /^(kernel|kernel\.img)$/),
    sentence:
      "Its root filesystem is the file SYSTEM on the FAT partition, as LibreELEC has it, which Pallet does not support. " +
      "Write it with its own tool or with Raspberry Pi Imager.",
  },
  {
    is: ({ partitions }) => partitions.some(({ filesystemType }) => filesystemType === "crypto_LUKS"),
    sentence:
      "An encrypted root (LUKS) is not supported: use an image whose root filesystem is a partition by itself, and " +
      "encrypt what needs it in a partition of its own.",
  },
  {
    is: ({ partitions }) => partitions.some(({ filesystemType }) => filesystemType === "LVM2_member"),
    sentence:
      "A root in a volume group (LVM) is not supported: use an image whose root filesystem is a partition by itself.",
  },
  {
    is: ({ partitions, fatFiles }) =>
      partitions.every(({ filesystemType }) => ["vfat", ""].includes(filesystemType)) &&
      chooseBootFiles(fatFiles) !== undefined,
    sentence:
      "All of its system is kernel and initrd on the FAT partition, and it runs from RAM, which Pallet does not support: " +
      "use a build of it with its root filesystem on a partition.",
  },
];

/** What an image is that Pallet does not support, and what to do; undefined when nothing is known of it. */
export function explainNoRoot(image: RootlessImage): string | undefined {
  return kinds.find(({ is }) => is(image))?.sentence;
}

/** Whether the image is of a kind that is refused even if a partition could be its root. */
export function isUnsupportedKind({ partitions }: Pick<RootlessImage, "partitions">): boolean {
  return partitions.some(({ label }) => /^hassos-/.test(label));
}

function has(files: readonly string[], pattern: RegExp): boolean {
  return files.some((path) => pattern.test(path.toLowerCase()));
}
