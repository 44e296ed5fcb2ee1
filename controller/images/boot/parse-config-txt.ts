import { type PiBoard, piBoards } from "../catalogue/pi-board.ts";

/** What a Raspberry Pi's config.txt says about what to boot, as far as Pallet follows it. */
export interface FirmwareConfig {
  /** Goes before the names of kernel, initrd, device trees, overlays and command line; may be a folder. */
  readonly osPrefix: string;
  /** Goes before the names of overlays, after `osPrefix`. */
  readonly overlayPrefix: string;
  readonly kernel?: string;
  /** The firmware loads them one behind the other. */
  readonly initramfs: readonly string[];
  /** The initrd is the one whose name matches the kernel's. */
  readonly autoInitramfs: boolean;
  /** Undefined if it does not say: then it depends on the board. */
  readonly arm64?: boolean;
  readonly commandLineFile: string;
}

/** A line of config.txt that sets something, for the boards on which it counts. */
interface Setting {
  readonly key: string;
  readonly value: string;
  readonly boards: readonly PiBoard[];
}

/** A parsed config.txt. */
export interface ConfigTxt {
  /** What it says to the firmware of this board. */
  forBoard(board: PiBoard): FirmwareConfig;
  /**
   * What it says to all boards that boot by U-Boot: a setting counts when it is set for every board; else when those
   * boards that it is set for agree.
   */
  forUBoot(): FirmwareConfig;
  /** Every file that some line names, on whatever board. */
  readonly namedFiles: readonly string[];
  /** Names of the settings for hardware, on whatever board: those that a device tree is changed by. */
  readonly hardwareSettings: readonly string[];
}

const pi3 = ["pi3", "pi3+", "cm3", "cm3+"] as const;
const pi4 = ["pi4", "pi400", "cm4", "cm4s"] as const;
const pi5 = ["pi5", "pi500", "cm5"] as const;

/** Boards that see the content of each model filter. Boards that cannot be nodes are in none. */
const models: Readonly<Record<string, readonly PiBoard[]>> = {
  pi2: ["pi2"],
  pi3,
  "pi3+": ["pi3+", "cm3+"],
  cm3: ["cm3"],
  "cm3+": ["cm3+"],
  pi0: ["pi02"],
  pi0w: ["pi02"],
  pi02: ["pi02"],
  pi4,
  pi400: ["pi400"],
  cm4: ["cm4"],
  cm4s: ["cm4s"],
  pi5,
  pi500: ["pi500"],
  cm5: ["cm5"],
};

/** Type numbers of "Raspberry Pi revision codes"; 0x1a is the Compute Module 5 Lite. */
const boardTypes: Readonly<Record<number, PiBoard>> = {
  4: "pi2",
  8: "pi3",
  10: "cm3",
  13: "pi3+",
  14: "pi3+",
  16: "cm3+",
  17: "pi4",
  18: "pi02",
  19: "pi400",
  20: "cm4",
  21: "cm4s",
  23: "pi5",
  24: "cm5",
  25: "pi500",
  26: "cm5",
};

const hardwareSettings = /^(dtoverlay|dtparam|device_tree|otg_mode|(camera|display)_auto_detect|disable_poe_fan)$/;
/** The firmware ignores the rest of a line; older ones that of 78 characters. */
const maximumLineCharacters = 98;
/** U-Boot has no Ethernet on the others. */
const uBootBoards: ReadonlySet<PiBoard> = new Set(["pi2", "pi02", ...pi3, ...pi4]);
/** Kernels whose name says whether they are 64-bit ones, whatever arm_64bit says. */
const knownKernels: Readonly<Record<string, boolean>> = {
  "kernel8.img": true,
  "kernel_2712.img": true,
  "kernel.img": false,
  "kernel7.img": false,
  "kernel7l.img": false,
};
const fileSettings: ReadonlySet<string> = new Set(
  "kernel initramfs ramfsfile cmdline device_tree armstub start_file fixup_file bootcode_file".split(" "),
);

/**
 * Parses config.txt, included files in their places (`expandIncludes`), by its documentation
 * (https://www.raspberrypi.com/documentation/computers/config_txt.html: "File format", "Conditional filters", "Boot
 * options"). A later line wins over an earlier one. Filters hold until [all]; one of the same type takes the place of
 * the one before it, those of different types must all hold. Whether a filter for a serial number, a pin, a monitor or
 * the like holds cannot be known here: it does not.
 */
export function parseConfigTxt(text: string): ConfigTxt {
  const settings = parseSettings(text);
  const read = (pick: (key: string) => string | undefined): FirmwareConfig => {
    const kernel = pick("kernel");
    const initramfs = (pick("initramfs") ?? pick("ramfsfile"))?.split(/\s/)[0]?.split(",").filter(Boolean) ?? [];
    const arm64 = knownKernels[kernel?.toLowerCase() ?? ""] ?? parseSwitch(pick("arm_64bit"));
    return {
      osPrefix: pick("os_prefix") ?? (parseSwitch(pick("upstream_kernel")) ? "upstream/" : ""),
      overlayPrefix: pick("overlay_prefix") ?? "overlays/",
      ...(kernel && { kernel }),
      initramfs,
      autoInitramfs: parseSwitch(pick("auto_initramfs")) ?? false,
      ...(arm64 !== undefined && { arm64 }),
      commandLineFile: pick("cmdline") || "cmdline.txt",
    };
  };
  return {
    forBoard: (board) =>
      read((key) => settings.findLast((setting) => setting.key === key && setting.boards.includes(board))?.value),
    forUBoot: () =>
      read((key) => {
        const ours = settings.filter(
          (setting) => setting.key === key && setting.boards.some((board) => uBootBoards.has(board)),
        );
        const agreed = new Set(ours.map(({ value }) => value));
        const [only] = agreed.size === 1 ? agreed : [];
        return ours.findLast(({ boards }) => boards.length === piBoards.length)?.value ?? only;
      }),
    namedFiles: settings
      .filter(({ key }) => fileSettings.has(key))
      .flatMap(({ value }) => value.split(/\s/)[0]?.split(",") ?? []),
    hardwareSettings: [...new Set(settings.map(({ key }) => key).filter((key) => hardwareSettings.test(key)))],
  };
}

/** The files that lines of config.txt include, in order. */
export function parseInclude(line: string): string | undefined {
  return /^\s*include\s+(\S+)/.exec(line.slice(0, maximumLineCharacters))?.[1];
}

function parseSettings(text: string): Setting[] {
  const settings: Setting[] = [];
  let model: readonly PiBoard[] = piBoards;
  /** Types of the filters of which it cannot be said that they hold. */
  const unmet = new Set<string>();
  for (const whole of text.split(/\r?\n/)) {
    const line = whole.slice(0, maximumLineCharacters).trim();
    if (line === "" || line.startsWith("#")) continue;
    const filter = /^\[(.+)\]$/.exec(line)?.[1]?.toLowerCase();
    if (filter === "all") {
      model = piBoards;
      unmet.clear();
    } else if (filter !== undefined) {
      const boards = boardsOf(filter);
      // Which monitor a line is for, not whether it counts.
      if (boards !== undefined) model = boards;
      else if (!filter.startsWith("hdmi:")) unmet.add(typeOf(filter));
    } else if (unmet.size === 0 && model.length > 0) {
      const [, key, value] =
        /^(\w+)\s*=\s*(.*)$/.exec(line) ?? /^(initramfs|cmdline|kernel)\s+(\S.*)$/.exec(line) ?? [];
      if (key !== undefined && value !== undefined) settings.push({ key: key.toLowerCase(), value, boards: model });
    }
  }
  return settings;
}

/** Boards for which a filter by model holds; undefined for a filter of another type. */
function boardsOf(filter: string): readonly PiBoard[] | undefined {
  const type = /^board-type=(0x[0-9a-f]+|\d+)$/.exec(filter)?.[1];
  if (type !== undefined) return [boardTypes[Number(type)]].filter((board) => board !== undefined);
  if (Object.hasOwn(models, filter)) return models[filter];
  return /^(pi|cm)\w+\+?$/.test(filter) ? [] : undefined;
}

/** Filters of the same type replace each other. */
function typeOf(filter: string): string {
  return /^0x[0-9a-f]+$/.test(filter) ? "serial" : (/^[a-z]+/.exec(filter)?.[0] ?? filter);
}

function parseSwitch(value: string | undefined): boolean | undefined {
  return value === undefined ? undefined : Number(value) !== 0;
}
