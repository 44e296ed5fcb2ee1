import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { createNetwork, type Network } from "../../../test/rack/network.ts";
import type { NetworkNamespace } from "../../../test/rack/network-namespace.ts";
import type { ImageForms } from "../image/provide-forms.ts";
import { type ControlGroup, createControlGroup } from "../measure/control-group.ts";
import { type BenchCard, createBenchCard } from "./bench-card.ts";
import { type BenchController, startBenchController } from "./bench-controller.ts";
import { type FileServer, serveFiles, serveFilesSecurely } from "./file-server.ts";
import { type ReceiverProcessors, readReceiverProcessors } from "./receiver-processor.ts";
import type { Place } from "./started-program.ts";

/** What every contender runs on: one network with a sender and a receiver, and the receiver's card. */
export interface BenchStage {
  readonly sizeBytes: number;
  readonly network: Network;
  /** As users have it: everything by TLS. */
  readonly controller: BenchController;
  /** One with `--insecure`, to see what TLS costs. */
  readonly insecureController: BenchController;
  /** The agent's binary. */
  readonly agentProgram: string;
  /** Of both controllers, of which one is idle. */
  readonly controllerGroup: ControlGroup;
  /** Where the forms of the image are, by plain HTTP and by TLS. */
  readonly files: FileServer;
  readonly secureFiles: FileServer;
  readonly filesGroup: ControlGroup;
  /** How receivers see this machine's processor. */
  readonly processors: ReceiverProcessors;
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
    const start = async (kind: "secure" | "insecure"): Promise<BenchController> => {
      const controllerFolder = path.join(folder, `${kind}-controller`);
      const started = await startBenchController(controllerPlace, network.address, controllerFolder, kind);
      undo.push(started.close);
      return started;
    };
    const controller = await start("secure");
    const insecureController = await start("insecure");
    const filesGroup = await group("files");
    const filesPlace = { group: filesGroup, namespace: network.namespace };
    const files = await serveFiles(filesPlace, forms.folder, network.address);
    undo.push(files.stop);
    const secureFiles = await serveFilesSecurely(filesPlace, forms.folder, network.address, folder);
    undo.push(secureFiles.stop);
    const driver = { group: await group("driver"), namespace: network.namespace };
    const stage: BenchStage = {
      sizeBytes,
      network,
      folder,
      controller,
      insecureController,
      agentProgram,
      controllerGroup,
      files,
      secureFiles,
      filesGroup,
      processors: await readReceiverProcessors(folder),
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
