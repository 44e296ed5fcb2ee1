/** What a config.txt says to one board. */
export interface ConfigTxt {
  /** The last value of each setting, by its name in lower case. */
  readonly settings: ReadonlyMap<string, string>;
  /** Overlays and parameters in their order, as they stand there: "vc4-kms-v3d,noaudio", "audio=on". */
  readonly overlays: readonly string[];
  readonly parameters: readonly string[];
  /** Names of initrds, which the firmware loads one behind the other. */
  readonly initrds: readonly string[];
  /** Files that it includes, where the reader does not follow them. */
  readonly includes: readonly string[];
}

/** Longer lines are cut ("98-character line length limit"). */
const maxLineCharacters = 98;

/**
 * Reads config.txt as the firmware of a board does for which these filters hold (Raspberry Pi documentation,
 * computers/config_txt): [all] resets all filters, a filter of one kind replaces another of its kind, those of different
 * kinds add up; of equal settings the last one holds. An included file is inserted where the line stands, if the
 * reader has it. It shares no code with the controller.
 */
export function parseConfigTxt(
  text: string,
  filters: readonly string[],
  included: ReadonlyMap<string, string> = new Map(),
): ConfigTxt {
  const settings = new Map<string, string>();
  const overlays: string[] = [];
  const parameters: string[] = [];
  const includes: string[] = [];
  const held = { model: true, other: true };
  let initrds: readonly string[] = [];

  const read = (part: string): void => {
    for (const full of part.split("\n")) {
      const line = full.slice(0, maxLineCharacters).trim();
      if (line === "" || line.startsWith("#")) continue;
      const filter = /^\[(.*)\]$/.exec(line)?.[1]?.toLowerCase();
      if (filter === "all") Object.assign(held, { model: true, other: true });
      else if (filter !== undefined && /^(pi|cm)\d/.test(filter)) held.model = filters.includes(filter);
      // Of the others (none, gpio4=1, 0x12345678, EDID=…) none holds for a simulated board.
      else if (filter !== undefined) held.other = false;
      if (filter !== undefined || !held.model || !held.other) continue;
      const [, key = "", value = ""] = /^(\w+)\s*[= ]\s*(.*)$/.exec(line) ?? [];
      const name = key.toLowerCase();
      if (name === "include") {
        const inserted = included.get(value);
        if (inserted === undefined) includes.push(value);
        else read(inserted);
      } else if (name === "dtoverlay") overlays.push(value);
      else if (name === "dtparam") parameters.push(value);
      else if (name === "initramfs") initrds = (value.split(/\s/)[0] ?? "").split(",");
      else settings.set(name, value);
    }
  };
  read(text);
  return { settings, overlays, parameters, initrds, includes };
}
