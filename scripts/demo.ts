// `npm run demo`: the main job on one machine, from a fresh checkout to a finished rollout, without a question.
import { readFile, rmdir } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { parseArgs, styleText } from "node:util";
import { checkoutCache } from "../controller/artefacts/checkout-cache.ts";
import { assertRequirements } from "../controller/requirements/assert-requirements.ts";
import type { Rollout } from "../proto/gen/pallet/v1/rollout.ts";
import { execa } from "../proto/linux/leashed-execa.ts";
import { checkout } from "../test/programs/checkout.ts";
import { createRack, type Rack } from "../test/rack/rack.ts";
import { provideVirtualArtefacts } from "../test/rack/virtual/artefacts.ts";
import { createVirtualRack, type VirtualRack } from "../test/rack/virtual/virtual-rack.ts";
import { defaultSocket, isServed } from "./demo/controller-socket.ts";
import { describeAccess } from "./demo/describe-access.ts";
import { narrateBoot } from "./demo/narrate-boot.ts";
import { type ConsoleNarration, narrateConsoles } from "./demo/narrate-consoles.ts";
import { renderEventSummary } from "./demo/render-event-summary.ts";
import { renderProofs } from "./demo/render-proofs.ts";
import { demoRequirements } from "./demo/requirements.ts";
import { runCommand } from "./demo/run-command.ts";
import { buildDemoImage, type DemoImage } from "./demo-image/build-demo-image.ts";
import { Interrupted, listenForInterruption } from "./interruption.ts";

const MiB = 1024 * 1024;
const imageName = "debian-demo";

/** An error that is shown to the user as a sentence, without a stack. */
class DemoError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const step = (text: string): void => say(`\n${styleText("bold", `== ${text}`)}`);

interface DemoOptions {
  readonly nodes: number;
  readonly keep: boolean;
  readonly virtual: boolean;
}

function readOptions(): DemoOptions | "help" {
  const { values } = parseArgs({
    options: {
      nodes: { type: "string" },
      keep: { type: "boolean", default: false },
      virtual: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return "help";
  const { virtual, keep } = values;
  const nodes = Number(values.nodes ?? (virtual ? 2 : 4));
  const most = virtual ? 16 : 50;
  if (!Number.isInteger(nodes) || nodes < 1 || nodes > most)
    throw new DemoError(`--nodes must be a number from 1 to ${most}`, 2);
  if (process.getuid?.() !== 0) {
    throw new DemoError("the demo needs root, for network namespaces and loop devices: sudo npm run demo");
  }
  return { nodes, keep, virtual };
}

async function main(): Promise<number> {
  const options = readOptions();
  if (options === "help") {
    process.stdout.write(await readFile(path.join(import.meta.dirname, "demo.help"), "utf8"));
    return 0;
  }
  await assertRequirements(demoRequirements);
  const { signal, interrupted, unlessInterrupted } = listenForInterruption();

  step("A Debian arm64 image to install");
  const image = await unlessInterrupted(() =>
    buildDemoImage({
      cacheDirectory: checkoutCache("demo-image"),
      name: imageName,
      log: say,
      signal,
    }),
  );
  say(
    `${image.prettyName}, ${Math.round(image.sizeBytes / MiB)} MiB: ${path.relative(process.cwd(), image.imagePath)}`,
  );

  const artefacts = options.virtual ? await unlessInterrupted(() => buildArtefacts(signal)) : undefined;

  step(
    `A controller and ${options.nodes} Raspberry Pi${options.nodes === 1 ? "" : "s"} with blank cards, on a separate network`,
  );
  const useDefaultSocket = !(await isServed(defaultSocket));
  const rackOptions = { nodes: options.nodes, cardBytes: 512 * MiB };
  const rack: Rack & Partial<VirtualRack> =
    artefacts === undefined
      ? await createRack({
          ...rackOptions,
          ...(useDefaultSocket && { socket: defaultSocket }),
          agentBoot: { kernel: await readFile(image.kernelPath), initrd: await readFile(image.initrdPath) },
        })
      : await createVirtualRack({
          ...rackOptions,
          ...(useDefaultSocket && { runDirectory: path.dirname(defaultSocket) }),
          artefacts,
        });
  const narration = options.virtual ? narrateConsoles(rack.boards, say) : undefined;
  try {
    const rollout = await unlessInterrupted(() => reimageRack(rack, image, signal, narration));
    for (const board of rack.virtualBoards ?? []) {
      say(`${board.mac} has ${Math.round((await board.memoryInUse()) / MiB)} MiB of this machine's memory`);
    }
    const proved = rollout.reimages.filter(({ proof }) => proof?.imageDigest === image.digest).length;
    step(`${proved} of ${options.nodes} nodes proved`);
    if (options.keep) {
      say(describeAccess(rack));
      await interrupted.catch(() => say("\nending the rack"));
    }
    return proved === options.nodes ? 0 : 1;
  } catch (error) {
    if (error instanceof Interrupted) say("\nending the rack");
    else if (!(error instanceof DemoError)) say(rack.lastWords());
    throw error;
  } finally {
    narration?.end();
    await rack.controller.stop();
    await rack.close();
    // Created by the controller; not ours to remove if something else is in it.
    if (useDefaultSocket) await rmdir(path.dirname(defaultSocket)).catch(() => undefined);
  }
}

/** What virtual Pis boot: the same as real ones get. */
async function buildArtefacts(signal: AbortSignal) {
  step("Boot files of a virtual Pi: U-Boot, a kernel with an NFS root, the agent for arm64");
  // The plain demo needs neither QEMU nor compilers, so `npm run demo` has not installed them.
  await execa("sh", ["scripts/setup", "test"], {
    cwd: checkout,
    stdio: ["ignore", "inherit", "inherit"],
    detached: false,
    cancelSignal: signal,
  });
  const artefacts = await provideVirtualArtefacts({ log: say, signal });
  return artefacts;
}

/** From power-on to the summary of the rollout. */
async function reimageRack(
  rack: Rack,
  image: DemoImage,
  signal: AbortSignal,
  narration?: ConsoleNarration,
): Promise<Rollout> {
  say(`the controller listens on ${rack.network.address} and ${rack.socket}`);

  step("Power on: every Pi asks for firmware and its boot config, gets boot target agent, and its agent registers");
  const poweredOnAt = performance.now();
  await Promise.all([...rack.boards.map((board) => board.powerOn()), narrateBoot(rack, say)]);
  say(`${((performance.now() - poweredOnAt) / 1000).toFixed(1)} s from power-on to the last agent`);
  const run = (...args: string[]) => runCommand(rack.socket, args, say, signal);
  await run("node", "accept", "--all");

  step("Import the image");
  await run("images", "add", path.relative(process.cwd(), image.imagePath), "--name", imageName);
  await run("nodes");

  step("Reimage: erase, write, verify, flip to local boot, reboot, prove");
  // The command redraws its table in place.
  if (process.stdout.isTTY) narration?.hold();
  const failed = await run("reimage", "--all", "--image", imageName, "--yes");
  narration?.resume();

  const [rollout] = await rack.client.rollouts();
  if (rollout === undefined) throw new DemoError("the rollout did not start; see above");
  step("The proof: a new boot, from the node's own card, of the image with this digest");
  say(renderProofs(rollout, image.digest));
  step("The event log in brief");
  say(renderEventSummary(await rack.client.events()));
  if (failed !== 0) say(rack.lastWords());
  return rollout;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof DemoError || error instanceof Interrupted) && !isUsageError(error)) throw error;
  process.stderr.write(`demo: ${error.message}\n`);
  process.exitCode = error instanceof DemoError || error instanceof Interrupted ? error.exitCode : 2;
  // Work that was in progress when the user stopped it may still have something open.
  if (error instanceof Interrupted) process.exit();
}

function isUsageError(error: unknown): error is Error {
  return error instanceof Error && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");
}
