import type { MachineSpec } from "./machine-spec.ts";
import { piModels } from "./pi-model.ts";
import { print } from "./serial-console.ts";
import { TftpError, tftpGet } from "./tftp-client.ts";

/**
 * Boot ROM and firmware: asks for what a Pi of this model asks for, in its order, and returns what it got by path.
 * Files that are missing are tolerated, because a simulated board carries U-Boot itself; a silent server ends the
 * stage, and U-Boot keeps asking.
 */
export async function runFirmware(
  spec: Pick<MachineSpec, "model" | "serial" | "mac" | "address" | "tftp">,
): Promise<ReadonlyMap<string, Buffer>> {
  const files = new Map<string, Buffer>();
  print(`${piModels[spec.model].model}, serial ${spec.serial}, mac ${spec.mac}, ip ${spec.address}`);
  for (const path of piModels[spec.model].firmwareRequests(spec.serial)) {
    try {
      // Boot ROMs send no options but blksize; a Pi 3 does not even know windows.
      const bytes = await tftpGet({
        ...spec.tftp,
        path,
        windowsize: 1,
        blksize: 1024,
        timeoutMs: 1000,
        maxTimeouts: 1,
      });
      files.set(path, bytes);
      print(`firmware: ${path} ${bytes.length} bytes`);
    } catch (error) {
      print(`firmware: ${error instanceof Error ? error.message : String(error)}`);
      if (!(error instanceof TftpError)) return files;
    }
  }
  return files;
}
