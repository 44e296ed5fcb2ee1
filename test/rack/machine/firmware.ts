import type { NetworkAsker } from "./boot-rom.ts";
import type { MachineSpec } from "./machine-spec.ts";
import { piModels } from "./pi-model.ts";
import { print } from "./serial-console.ts";
import { TftpError, TftpTimeout, tftpGet } from "./tftp-client.ts";

/** Interval of DHCP requests, and their number, of a boot ROM ("Known problems" of boot-net.adoc). */
const requestIntervalMs = 5_000;
const romRequests = 5;

/**
 * Boot ROM and firmware: asks for what a Pi of this model asks for, in its order, and returns what it got by path.
 * Files that are missing are tolerated, because a simulated board carries U-Boot itself; a server that falls silent
 * ends the stage, and U-Boot keeps asking. One that is silent from the start sends a boot ROM to sleep, for good;
 * bootcode.bin from the card asks on. (DHCP has no part here: the server's silence stands for that of DHCP, too.)
 */
export async function runFirmware(
  spec: Pick<MachineSpec, "model" | "serial" | "mac" | "address" | "tftp">,
  asker: NetworkAsker = "board",
): Promise<ReadonlyMap<string, Buffer>> {
  const { model, cardFirst, firmwareRequests } = piModels[spec.model];
  const files = new Map<string, Buffer>();
  print(`${model}, serial ${spec.serial}, mac ${spec.mac}, ip ${spec.address}`);
  const ofTheRom = ["bootcode.bin", "bootsig.bin"];
  const paths = firmwareRequests(spec.serial).filter((path) => asker === "board" || !ofTheRom.includes(path));
  // Boot ROMs send no options but blksize; a Pi 3 does not even know windows.
  const common = { ...spec.tftp, windowsize: 1, blksize: 1024 };
  const patience = { timeoutMs: 1000, maxTimeouts: 1 };
  const firstPatience = cardFirst ? { timeoutMs: requestIntervalMs, maxTimeouts: romRequests } : patience;
  for (const path of paths) {
    try {
      const bytes = await tftpGet({ ...common, ...(path === paths[0] ? firstPatience : patience), path });
      files.set(path, bytes);
      print(`firmware: ${path} ${bytes.length} bytes`);
    } catch (error) {
      print(`firmware: ${error instanceof Error ? error.message : String(error)}`);
      if (error instanceof TftpError) continue;
      if (!(error instanceof TftpTimeout) || !cardFirst || path !== paths[0]) return files;
      if (asker === "bootcode.bin") {
        print("bootcode.bin: nobody answers, asking again");
        return runFirmware(spec, asker);
      }
      print("boot ROM: nobody has answered in 25 s: asleep until the power is cut");
      setInterval(() => undefined, requestIntervalMs);
      await new Promise(() => undefined);
    }
  }
  return files;
}
