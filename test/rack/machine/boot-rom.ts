import type { StartedKernel } from "./kernel.ts";
import type { MachineSpec } from "./machine-spec.ts";
import { piModels } from "./pi-model.ts";
import { runTool } from "./run-tool.ts";
import { print } from "./serial-console.ts";

/** Partition types that the boot ROM takes for FAT; 0xef (EFI) is not among them (raspberrypi/firmware#1711). */
const fatTypes = ["1", "4", "6", "b", "c", "e"];

/** What bootcode.bin takes for a system on the card that it was loaded from. */
const bootable = /^::\/(config\.txt|start(_x|_cd|_db)?\.elf|recovery\.elf)$/im;

/** What asks the network where the card is not booted: bootcode.bin from the card, or what is in the board. */
export type NetworkAsker = "bootcode.bin" | "board";

/** What a look at the card leads to: a kernel as its cmdline.txt and config.txt say, or the network. */
export type CardBoot = StartedKernel | { readonly asker: NetworkAsker };

/**
 * What a boot ROM that looks at the card first does there: the first FAT partition with a bootcode.bin is booted, and
 * nobody on the network is asked; unless that partition holds bootcode.bin alone, which then asks. Boards that ask the
 * network first do not look.
 */
export async function bootFromCard(spec: Pick<MachineSpec, "model" | "cardDevice">): Promise<CardBoot> {
  if (!piModels[spec.model].cardFirst) return { asker: "board" };
  for (const { number, offsetBytes } of await fatPartitions(spec.cardDevice)) {
    const drive = ["-i", `${spec.cardDevice}@@${offsetBytes}`];
    const names = await runTool("mdir", ...drive, "-b", "-a", "::/").catch(() => "");
    if (!/^::\/bootcode\.bin$/im.test(names)) continue;
    if (!bootable.test(names)) {
      print(`boot ROM: bootcode.bin alone on partition ${number} of the card: it asks the network`);
      return { asker: "bootcode.bin" };
    }
    print(`boot ROM: booting bootcode.bin on partition ${number} of the card`);
    const read = (name: string) => runTool("mtype", ...drive, `::/${name}`);
    const hasInitrd = /^(initramfs\s|auto_initramfs=1)/m.test(await read("config.txt").catch(() => ""));
    return { commandLine: (await read("cmdline.txt")).trim(), hasInitrd };
  }
  print("boot ROM: no bootcode.bin on the card");
  return { asker: "board" };
}

async function fatPartitions(device: string): Promise<readonly { number: number; offsetBytes: number }[]> {
  // sfdisk fails where there is no table at all.
  const json = await runTool("sfdisk", "--json", device).catch(() => "{}");
  const { partitiontable } = JSON.parse(json) as {
    partitiontable?: { partitions?: readonly { start: number; type: string }[] };
  };
  return (partitiontable?.partitions ?? [])
    .map(({ start, type }, index) => ({ number: index + 1, offsetBytes: start * 512, type }))
    .filter(({ type }) => fatTypes.includes(type.toLowerCase()));
}
