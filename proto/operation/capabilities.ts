import type { OperationSpec } from "./operation-spec.ts";

/**
 * What an agent may be asked for beyond what every agent can. An agent ignores fields that it does not know (proto3), and
 * so would do less than it was asked for without a word; therefore it registers which of these it knows
 * (pallet.v1.AgentInfo.capabilities), and the controller asks for nothing else. Kinds of work and values of enums that an
 * agent does not know it refuses by itself: they need no word here.
 */
export type Capability =
  | "disk-firmware"
  | "growth"
  | "ids"
  | "resident-settings"
  | "system-config"
  | "tasks"
  | "cancel-ahead"
  | "read-disk";

/** What of a write may ask for a capability. */
export type AskedWrite = Pick<OperationSpec & { readonly kind: "write-image" }, "growth" | "ids" | "customisation">;

/** One capability. */
export interface Feature {
  /** What the agent does with it, as in "it cannot …". */
  readonly does: string;
  /** The fields of the contract that ask for it, as "Message.field". */
  readonly fields: readonly string[];
  /** Whether a write asks for it. */
  readonly isAskedFor: (write: AskedWrite) => boolean;
  /** How to do without; absent where only a newer agent helps. */
  readonly otherwise?: string;
}

/** Every capability. A new field of a request belongs to one of them: test/contract/capabilities.test.ts. */
export const features: Readonly<Record<Capability, Feature>> = {
  "disk-firmware": {
    does: "keep the board's own firmware from booting the card",
    fields: ["Customisation.disk_firmware", "DiskFirmware.action", "DiskFirmware.partitions", "DiskFirmware.files"],
    isAskedFor: ({ customisation }) => customisation?.diskFirmware !== undefined,
    otherwise: "bootProfile.cardFirmware: keep",
  },
  growth: {
    does: "grow the root to the end of the card",
    fields: [
      "WriteImage.growth",
      "Growth.partition_number",
      "Growth.offset_bytes",
      "Growth.length_bytes",
      "Growth.filesystem_type",
      "Growth.end_bytes",
    ],
    isAskedFor: ({ growth }) => growth !== undefined,
    otherwise: "--no-grow",
  },
  ids: {
    does: "give the card's partitions ids of their own",
    fields: [
      "WriteImage.ids",
      "CardIds.partitions",
      "CardIds.fat_partitions",
      "CardIds.root",
      "PartitionIdChange.partition_number",
      "PartitionIdChange.image_uuid",
      "PartitionIdChange.card_uuid",
    ],
    isAskedFor: ({ ids }) => ids !== undefined,
  },
  "resident-settings": {
    does: "write the controller's addresses into the new system",
    fields: ["Customisation.settings", "ResidentSettings.boot_mac", "ResidentSettings.controllers"],
    isAskedFor: ({ customisation }) => customisation?.settings !== undefined,
  },
  "system-config": {
    does: "configure the new system by a profile",
    fields: [
      "Customisation.system",
      "InstalledSystem.config",
      ...fieldsOf("SystemConfig", "hostname timezone locale keyboard users ssh network files units tasks user_data"),
      ...fieldsOf("Keyboard", "layout model variant"),
      ...fieldsOf("UserConfig", "name uid full_name shell groups password_hash authorized_keys sudo"),
      ...fieldsOf("AuthorizedKeys", "lines"),
      ...fieldsOf("SshConfig", "enabled password_authentication own_host_keys host_keys"),
      ...fieldsOf("NetworkConfig", "interfaces wifi"),
      ...fieldsOf("InterfaceConfig", "name addresses gateways dns search_domains"),
      ...fieldsOf("WifiConfig", "country ssid passphrase hidden"),
      ...fieldsOf("FileConfig", "path bytes folder link_target mode owner group secret"),
      ...fieldsOf("UnitConfig", "name state"),
      ...fieldsOf("TaskConfig", "name command script timeout user environment secrets"),
      ...fieldsOf("CommandWords", "words"),
      ...fieldsOf("NamedText", "name text"),
    ],
    isAskedFor: ({ customisation }) => customisation?.system !== undefined,
    otherwise: "a reimage without a profile",
  },
  // Nothing asks for it: what asks for tasks asks for "system-config", which is as old.
  tasks: {
    does: "run the tasks of an installed system, and try failed ones again",
    fields: [],
    isAskedFor: () => false,
  },
  // Nothing asks for it: it says what an agent's "unknown operation" means.
  "cancel-ahead": {
    does: "refuse the start of an operation that was cancelled before it came",
    fields: [],
    isAskedFor: () => false,
  },
  // No write asks for it, but a capture does: AgentService.ReadDisk.
  "read-disk": {
    does: "send back what is on a disk",
    fields: [],
    isAskedFor: () => false,
  },
};

function fieldsOf(message: string, names: string): readonly string[] {
  return names.split(" ").map((name) => `${message}.${name}`);
}

/** What this program can do, as its agent registers it. */
export const capabilities = Object.keys(features) as readonly Capability[];

/**
 * What a write asks for and the agent does not know.
 *
 * @param known as the agent registered them; undefined for one of before they were told
 */
export function selectUnknown(write: AskedWrite, known: readonly string[] | undefined): readonly Capability[] {
  return capabilities.filter((each) => features[each].isAskedFor(write) && !(known ?? []).includes(each));
}
