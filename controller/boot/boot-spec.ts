/** What one boot of one node should load: the decision, before it is rendered for a boot loader. */
export interface BootSpec {
  /** The label's name and the boot target that it stands for. */
  readonly label: "agent" | "local";
  /** TFTP path of the kernel, relative to the boot tree. */
  readonly kernel: string;
  /** TFTP path of the initrd. */
  readonly initrd?: string;
  /** TFTP path of a device tree; absent lets the firmware's own through, which real Pis need. */
  readonly deviceTree?: string;
  /** Kernel command line, one word each. */
  readonly commandLine: readonly string[];
}
