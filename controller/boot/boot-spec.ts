import type { FirstBoot } from "../nodes/node.ts";
import type { RootId } from "../roots/root-id.ts";

/** What one boot of one node should load: the decision, before it is rendered for a boot loader. */
export interface BootSpec {
  /** The label's name and the boot target that it stands for. */
  readonly label: "agent" | "local";
  /** The version of the root filesystem that it mounts; absent where it mounts none of ours. */
  readonly root?: RootId;
  /** TFTP path of the kernel, relative to the boot tree. */
  readonly kernel: string;
  /** TFTP path of the initrd. */
  readonly initrd?: string;
  /** TFTP path of a device tree; absent lets the firmware's own through, which real Pis need. */
  readonly deviceTree?: string;
  /** Kernel command line, one word each. */
  readonly commandLine: readonly string[];
  /** Set when words for the image's own first boot are among them: where that stands once this boot was loaded. */
  readonly firstBoot?: FirstBoot;
  /** Set when the board's firmware boots the image by the image's own files: `chooseWay`. */
  readonly firmware?: FirmwareFiles;
}

/** What the board's firmware is given of an image besides kernel, initrd and command line. */
export interface FirmwareFiles {
  /** TFTP path of the folder that holds the image's firmware partition, relative to the boot tree. */
  readonly folder: string;
  /** Paths in that folder, as the partition spells them; who looks one up does so without regard to case. */
  readonly files: readonly string[];
  /** The one of them that is config.txt. */
  readonly configTxt: string;
  /** What the image's own config.txt has as os_prefix: where its device trees are. */
  readonly osPrefix: string;
  /** Where its overlays are, from the top of the partition. */
  readonly overlayPrefix: string;
  /** TFTP paths of what is loaded behind the first initrd, as one with it. */
  readonly moreInitrds: readonly string[];
  /** Whether the kernel is to be started in 32-bit or 64-bit mode; absent where nobody knows, and config.txt decides. */
  readonly bits?: 32 | 64;
}

/** The same boot with words behind all others of its command line, where they win over equal ones. */
export function withWords(spec: BootSpec, words: readonly string[]): BootSpec {
  return { ...spec, commandLine: [...spec.commandLine, ...words] };
}
