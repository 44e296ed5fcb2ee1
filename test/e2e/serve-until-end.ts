import { writeFile } from "node:fs/promises";
import path from "node:path";
import { stringify } from "yaml";
import { bundledPrograms } from "../programs/bundled-programs.ts";
import { createControllerProcess } from "../rack/controller-process.ts";
import { createNetwork, type Network } from "../rack/network.ts";
import { serveInNetwork } from "../rack/rack.ts";
import { createScratchFolder } from "../rack/scratch-folder.ts";

/**
 * Runs `controller serve` on a network of its own until it ends by itself, and returns what it logged.
 *
 * @param settings keys of its config file
 * @param prepare puts something in its way; returns what takes it away again
 */
export async function serveUntilEnd(
  settings: object,
  prepare: (network: Network) => Promise<() => void> = async () => () => undefined,
): Promise<string> {
  const scratch = await createScratchFolder("pallet-serve-");
  const network = await createNetwork();
  const clear = await prepare(network);
  try {
    const configFile = path.join(scratch.path, "controller.yaml");
    await writeFile(
      configFile,
      stringify({ listen: network.address, stateDirectory: "state", socket: "c.sock", ...settings }),
    );
    const controller = createControllerProcess(
      serveInNetwork(network, configFile, (await bundledPrograms()).controller),
    );
    controller.start();
    await controller.gone();
    return controller.log.text();
  } finally {
    clear();
    await network.close();
    await scratch.remove();
  }
}
