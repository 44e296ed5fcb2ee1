import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { checkout } from "../../../test/programs/checkout.ts";
import { createNetwork, type Network } from "../../../test/rack/network.ts";
import type { NetworkNamespace } from "../../../test/rack/network-namespace.ts";
import type { ImageForms } from "../image/provide-forms.ts";
import { type ControlGroup, createControlGroup } from "../measure/control-group.ts";
import { type BenchCard, createBenchCard } from "./bench-card.ts";
import { type BenchController, startBenchController } from "./bench-controller.ts";
import { type Place, startProgram } from "./started-program.ts";

/** What every contender runs on: one network with a sender and a receiver, and the receiver's card. */
export interface BenchStage {
  readonly sizeBytes: number;
  readonly network: Network;
  readonly controller: BenchController;
  /** The agent's binary. */
  readonly agentProgram: string;
  readonly controllerGroup: ControlGroup;
  /** Where the plain HTTP server has the forms of the image. */
  readonly filesBase: string;
  readonly filesGroup: ControlGroup;
  /** File name of the raw image; its forms have an extension more. */
  readonly formName: string;
  readonly receiver: NetworkNamespace;
  readonly address: string;
  readonly mac: string;
  readonly card: BenchCard;
  /** Where the stand-in for the controller's own call runs; not counted. */
  readonly driver: Place;
  readonly cache: string;
  /** For files of this run; removed with the stage. */
  readonly folder: string;
  /** Prints a line for the person watching. */
  note(line: string): void;
}

/** Everything after an image on a card. */
const cardSlackBytes = 64 * 1024 * 1024;

/** Sets the stage; the returned function clears it. */
export async function setStage(
  cache: string,
  {
    forms,
    sizeBytes,
    agentProgram,
    note,
  }: Pick<BenchStage, "sizeBytes" | "agentProgram" | "note"> & { readonly forms: ImageForms },
): Promise<{ readonly stage: BenchStage; readonly clear: () => Promise<void> }> {
  const undo: (() => Promise<unknown>)[] = [];
  const clear = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const group = async (name: string): Promise<ControlGroup> => {
      const made = await createControlGroup(name);
      undo.push(made.remove);
      return made;
    };
    const network = await createNetwork();
    undo.push(network.close);
    const mac = "02:be:9c:00:00:01";
    const port = network.plug(1, mac);
    const receiver = await port.powerOn();
    undo.push(port.powerOff);

    const folder = path.join(cache, `run-${process.pid}`);
    await mkdir(folder, { recursive: true });
    undo.push(() => rm(folder, { recursive: true, force: true }));
    const card = await createBenchCard(path.join(folder, "card"), sizeBytes + cardSlackBytes);
    undo.push(card.close);

    const controllerGroup = await group("controller");
    const controllerPlace = { group: controllerGroup, namespace: network.namespace };
    const controller = await startBenchController(controllerPlace, network.address, path.join(folder, "controller"));
    undo.push(controller.close);
    const filesGroup = await group("files");
    const filesPort = 8080;
    const server = path.join(checkout, "scripts/bench/serve-files.ts");
    const files = await startProgram(
      "file server",
      { group: filesGroup, namespace: network.namespace },
      [process.execPath, server, forms.folder, network.address, String(filesPort)],
      /^serving$/m,
    );
    undo.push(files.stop);
    const driver = { group: await group("driver"), namespace: network.namespace };
    const stage: BenchStage = {
      sizeBytes,
      network,
      folder,
      controller,
      agentProgram,
      controllerGroup,
      filesBase: `http://${network.address}:${filesPort}`,
      filesGroup,
      formName: path.basename(forms.raw),
      receiver,
      address: port.address,
      mac,
      card,
      driver,
      cache,
      note,
    };
    return { stage, clear };
  } catch (error) {
    await clear();
    throw error;
  }
}
