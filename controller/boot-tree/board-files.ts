/** A model, and what of the boot tree its firmware asks for that other models do not need. */
export interface BoardFiles {
  /** Models, as people call them. */
  readonly boards: string;
  /**
   * Paths in the boot tree. The device tree's name is the one that firmware makes under `upstream_kernel=1`: from
   * "bcm%d-rpi-%s.dtb" and the names of start4.elf (2-b, 3-b, 3-b-plus, 3-a-plus, 4-b, 400, zero-2-w, cm3-io3, cm4-io).
   */
  readonly files: readonly [string, ...string[]];
  /** What brings these files. */
  readonly remedy: string;
}

const build = "controller rootfs build, then controller boot-tree build";
const backports = "controller rootfs build --backports, then controller boot-tree build";
const imported =
  "none with a kernel of Debian; a netbooted system that knows the board is imported by controller rootfs import";

/**
 * Every model that can netboot into a 64-bit agent. Debian's kernel lacks the device tree of a CM4S, and from the D0
 * stepping of BCM2712 on (it is in each CM5 and Pi 500, and in newer Pi 5) boards want Raspberry Pi's overlay for it
 * beside the device tree of a Pi 5: without it their kernel ends in an SError (siderolabs/talos#12748).
 */
export const boardFiles: readonly BoardFiles[] = [
  { boards: "Pi 2 v1.2", files: ["bcm2837-rpi-2-b.dtb"], remedy: backports },
  { boards: "Pi 3B", files: ["bcm2837-rpi-3-b.dtb"], remedy: build },
  { boards: "Pi 3B+", files: ["bcm2837-rpi-3-b-plus.dtb"], remedy: build },
  { boards: "Pi 3A+", files: ["bcm2837-rpi-3-a-plus.dtb"], remedy: build },
  { boards: "CM3, CM3+", files: ["bcm2837-rpi-cm3-io3.dtb"], remedy: build },
  { boards: "Zero 2 W", files: ["bcm2837-rpi-zero-2-w.dtb"], remedy: build },
  { boards: "Pi 4B", files: ["bcm2711-rpi-4-b.dtb"], remedy: build },
  { boards: "Pi 400", files: ["bcm2711-rpi-400.dtb"], remedy: build },
  { boards: "CM4", files: ["bcm2711-rpi-cm4-io.dtb"], remedy: build },
  { boards: "CM4S", files: ["bcm2711-rpi-cm4s.dtb"], remedy: imported },
  { boards: "Pi 5 (C1)", files: ["bcm2712-rpi-5-b.dtb"], remedy: backports },
  {
    boards: "Pi 5 (D0)",
    files: ["overlays/bcm2712d0.dtbo", "overlays/overlay_map.dtb", "bcm2712-rpi-5-b.dtb"],
    remedy: imported,
  },
  { boards: "Pi 500", files: ["bcm2712-rpi-500.dtb", "overlays/bcm2712d0.dtbo"], remedy: imported },
  { boards: "CM5", files: ["bcm2712-rpi-cm5-cm5io.dtb", "overlays/bcm2712d0.dtbo"], remedy: imported },
  { boards: "CM5 Lite", files: ["bcm2712-rpi-cm5l-cm5io.dtb", "overlays/bcm2712d0.dtbo"], remedy: imported },
];

/** Boards that do not boot into the agent by this boot tree, for want of the same thing. */
export interface UnservedBoards {
  readonly boards: readonly string[];
  readonly missing: readonly string[];
  readonly remedy: string;
}

/** Which models a boot tree cannot serve, those with one remedy together. */
export function selectUnserved(has: (path: string) => boolean): readonly UnservedBoards[] {
  const byRemedy = new Map<string, { readonly boards: string[]; readonly missing: Set<string> }>();
  for (const { boards, files, remedy } of boardFiles) {
    const missing = files.filter((path) => !has(path));
    if (missing.length === 0) continue;
    const found = byRemedy.get(remedy) ?? { boards: [], missing: new Set() };
    found.boards.push(boards);
    for (const path of missing) found.missing.add(path);
    byRemedy.set(remedy, found);
  }
  return [...byRemedy].map(([remedy, { boards, missing }]) => ({ boards, missing: [...missing], remedy }));
}
