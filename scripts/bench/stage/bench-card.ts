import { readFile, rm } from "node:fs/promises";
import { basename } from "node:path";
import { execa } from "../../../proto/linux/leashed-execa.ts";
import { attachLoop } from "../../../proto/linux/loop-device.ts";
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
  // A file without a name under a device that goes at its last close: the kernel tidies up after us.
  const { path: device, close } = await attachLoop({ file, directIo: true }).finally(() => rm(file));
  return {
    device,
    sizeBytes,
    traffic: async () => parseDeviceStat(await readFile(`/sys/block/${basename(device)}/stat`, "utf8")),
    close,
  };
}
