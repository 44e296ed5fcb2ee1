/** One label of a pxelinux file, as far as U-Boot uses it. */
export interface PxelinuxLabel {
  readonly name: string;
  readonly kernel?: string;
  readonly initrd?: string;
  readonly fdt?: string;
  readonly append?: string;
  /** Bit 2: append BOOTIF= with the MAC address. */
  readonly ipappend?: number;
}

/** A pxelinux file, as far as U-Boot uses it. */
export interface PxelinuxMenu {
  /** In the order in which U-Boot attempts to boot them: the default first, then the others as they come. */
  readonly attempts: readonly PxelinuxLabel[];
}

/**
 * Parses a pxelinux file as U-Boot does (boot/pxe_utils.c, parse_pxefile_top and parse_label): keywords in any case,
 * unknown lines skipped, the first label the default when none is named, `initrd=` inside append taken for the initrd.
 */
export function parsePxelinux(text: string): PxelinuxMenu {
  const labels: { name: string; words: Map<string, string> }[] = [];
  let defaultName: string | undefined;
  for (const line of text.split("\n")) {
    const [, keyword = "", value = ""] = /^\s*(\S+)\s*(.*?)\s*$/.exec(line) ?? [];
    if (keyword === "" || keyword.startsWith("#")) continue;
    const word = keyword.toLowerCase();
    const label = labels.at(-1);
    if (word === "default") defaultName = value;
    else if (word === "label") labels.push({ name: value, words: new Map() });
    else if (label !== undefined) label.words.set(word, value);
  }
  const parsed = labels.map(({ name, words }) => toLabel(name, words));
  const chosen = parsed.find((label) => label.name === defaultName) ?? parsed[0];
  return { attempts: chosen === undefined ? [] : [chosen, ...parsed.filter((label) => label !== chosen)] };
}

function toLabel(name: string, words: ReadonlyMap<string, string>): PxelinuxLabel {
  const kernel = words.get("kernel") ?? words.get("linux");
  const append = words.get("append");
  const initrd = words.get("initrd") ?? /initrd=(\S+)/.exec(append ?? "")?.[1];
  const fdt = words.get("fdt") ?? words.get("devicetree");
  const ipappend = words.get("ipappend");
  return {
    name,
    ...(kernel !== undefined && { kernel }),
    ...(initrd !== undefined && { initrd }),
    ...(fdt !== undefined && { fdt }),
    ...(append !== undefined && { append }),
    ...(ipappend !== undefined && { ipappend: Number(ipappend) }),
  };
}
