import { type FileHandle, open, readFile, rm } from "node:fs/promises";
import { basename } from "node:path";
import { execa } from "../../../proto/linux/leashed-execa.ts";
import { type DeviceTraffic, parseDeviceStat } from "../measure/parse-counters.ts";

/** A card: a loop device past the page cache over a file whose blocks are all allocated. */
export interface BenchCard {
  readonly device: string;
  readonly sizeBytes: number;
  traffic(): Promise<DeviceTraffic>;
  close(): Promise<void>;
}

/** Makes a card in `file`, which loses its name at once: nothing of the card is left when this process ends. */
export async function createBenchCard(file: string, sizeBytes: number): Promise<BenchCard> {
  await rm(file, { force: true });
  await execa("fallocate", ["--length", String(sizeBytes), file]);
  let held: FileHandle | undefined;
  let device = "";
  try {
    device = (await execa("losetup", ["--find", "--show", "--direct-io=on", file])).stdout.trim();
    held = await open(device, "r");
  } finally {
    await rm(file);
    // A device that is in use is only marked: it is detached at the last close (loop(4), LO_FLAGS_AUTOCLEAR).
    if (device !== "") await execa("losetup", ["--detach", device]);
  }
  const card = held;
  return {
    device,
    sizeBytes,
    traffic: async () => parseDeviceStat(await readFile(`/sys/block/${basename(device)}/stat`, "utf8")),
    close: () => card.close(),
  };
}
