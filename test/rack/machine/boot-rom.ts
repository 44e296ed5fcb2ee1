import type { MachineSpec } from "./machine-spec.ts";
import { piModels } from "./pi-model.ts";
import { runTool } from "./run-tool.ts";
import { print } from "./serial-console.ts";

/** Partition types that the boot ROM takes for FAT; 0xef (EFI) is not among them (raspberrypi/firmware#1711). */
const fatTypes = ["1", "4", "6", "b", "c", "e"];

/**
 * What a boot ROM that looks at the card first does there: the first FAT partition with a bootcode.bin is booted, and
 * nobody on the network is asked. Returns the kernel's command line, from that partition's cmdline.txt; undefined when
 * there is nothing for it on the card, and for boards that ask the network first.
 */
export async function bootFromCard(spec: Pick<MachineSpec, "model" | "cardDevice">): Promise<string | undefined> {
  if (!piModels[spec.model].cardFirst) return undefined;
  for (const { number, offsetBytes } of await fatPartitions(spec.cardDevice)) {
    const drive = ["-i", `${spec.cardDevice}@@${offsetBytes}`];
    const names = await runTool("mdir", ...drive, "-b", "-a", "::/").catch(() => "");
    if (!/^::\/bootcode\.bin$/im.test(names)) continue;
    print(`boot ROM: booting bootcode.bin on partition ${number} of the card`);
    return (await runTool("mtype", ...drive, "::/cmdline.txt")).trim();
  }
  print("boot ROM: no bootcode.bin on the card");
  return undefined;
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
