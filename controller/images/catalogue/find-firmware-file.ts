import type { FirmwareBoot, ImageFirmware } from "./image.ts";
import { piBoardOf } from "./pi-board.ts";

/** The file of this path, whatever the case of either: FAT has none, and config.txt may spell a name as it likes. */
export function findFirmwareFile({ files }: Pick<ImageFirmware, "files">, path: string): string | undefined {
  const wanted = path.toLowerCase();
  return files.find((file) => file === path) ?? files.find((file) => file.toLowerCase() === wanted);
}

/** What the firmware of a board of this model loads; undefined where there is nothing for it, or it is not known. */
export function findFirmwareBoot({ boots }: Pick<ImageFirmware, "boots">, model: string): FirmwareBoot | undefined {
  const board = piBoardOf(model);
  return board === undefined ? undefined : boots.find(({ boards }) => boards.includes(board));
}
