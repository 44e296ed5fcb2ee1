import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { stringify } from "yaml";
import type { Image } from "../../../proto/gen/pallet/v1/image.ts";
import { ask } from "../../../proto/grpc/call.ts";
import { execa } from "../../../proto/linux/leashed-execa.ts";
import { checkout } from "../../../test/programs/checkout.ts";
import { withoutPallet } from "../../../test/programs/without-pallet.ts";
import { createRackClient } from "../../../test/rack/rack-client.ts";
import { type Place, startProgram } from "./started-program.ts";

/** A controller on the network of the benchmark, started as users start it. */
export interface BenchController {
  /** Where agents fetch images: "https://ADDRESS:PORT", or "http://…" of an insecure one. */
  readonly imagesBase: string;
  /** "HOST:PORT" where agents register. */
  readonly grpcAddress: string;
  /** "HOST:PORT" where boards ask for their boot configs. */
  readonly tftpAddress: string;
  /** Where its certificate authority lies; absent for an insecure one, which has none. */
  readonly authorityFolder?: string;
  /** Runs `controller ARGS` of this checkout. */
  run(...args: readonly string[]): Promise<string>;
  /** The same behind words that decide in whose account it runs, as those of a control group. */
  runIn(enter: readonly string[], ...args: readonly string[]): Promise<string>;
  /** Where it keeps its images. */
  readonly imagesFolder: string;
  /** An image of the catalogue. */
  image(name: string): Promise<Image>;
  close(): Promise<void>;
}

/** The default ports, and those of a controller that is there besides. */
const ports = {
  secure: { tftpPort: 69, grpcPort: 7700, httpPort: 7701, httpsPort: 7702 },
  insecure: { tftpPort: 1069, grpcPort: 7800, httpPort: 7801, httpsPort: 7802 },
} as const;

/** Starts `controller serve` with its state in a folder: as it is by default, or with `--insecure`. */
export async function startBenchController(
  place: Place,
  address: string,
  folder: string,
  kind: keyof typeof ports = "secure",
): Promise<BenchController> {
  await mkdir(folder, { recursive: true });
  const socket = path.join(folder, "controller.sock");
  const configFile = path.join(folder, "controller.yaml");
  const state = { stateDirectory: path.join(folder, "state"), bootTree: path.join(folder, "boot") };
  const { tftpPort, grpcPort, httpPort, httpsPort } = ports[kind];
  const insecure = kind === "insecure";
  const settings = { ...state, ...ports[kind], socket, listen: address, heartbeatIntervalMs: 10_000, insecure };
  await writeFile(configFile, stringify(settings));
  const main = [process.execPath, path.join(checkout, "controller/main.ts")];
  const program = await startProgram(
    `${kind} controller`,
    place,
    [...main, "serve", "--config", configFile],
    /"msg":"serving"/,
  );
  const client = createRackClient(socket);
  async function runIn(enter: readonly string[], ...args: readonly string[]): Promise<string> {
    const [command = "", ...words] = [...enter, ...main, "--socket", socket, ...args];
    const options = { env: withoutPallet(process.env), extendEnv: false, stdin: "ignore" } as const;
    return (await execa(command, words, options)).stdout;
  }
  return {
    imagesBase: insecure ? `http://${address}:${httpPort}` : `https://${address}:${httpsPort}`,
    grpcAddress: `${address}:${grpcPort}`,
    tftpAddress: `${address}:${tftpPort}`,
    ...(!insecure && { authorityFolder: path.join(state.stateDirectory, "identity") }),
    run: (...args) => runIn([], ...args),
    runIn,
    imagesFolder: path.join(state.stateDirectory, "images"),
    async image(name) {
      await client.ready();
      const { images } = await ask(client.service, client.service.listImages, {}, { timeoutMs: 60_000 });
      const found = images.find((image) => image.name === name);
      if (found === undefined) throw new Error(`the controller has no image ${name}`);
      return found;
    },
    async close() {
      client.close();
      await program.stop();
    },
  };
}
