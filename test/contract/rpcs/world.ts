import { randomBytes, randomUUID } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, readlink, rm } from "node:fs/promises";
import { createServer } from "node:http2";
import type { Socket } from "node:net";
import os, { networkInterfaces } from "node:os";
import path from "node:path";
import type { TestContext } from "node:test";
import { credentials } from "@grpc/grpc-js";
import { execa } from "execa";
import { AgentServiceClient } from "../../../proto/gen/pallet/v1/agent.ts";
import {
  type AcceptNodesRequest,
  type AddImageResponse,
  ControllerServiceClient,
  type Node,
  type RolloutRequest,
} from "../../../proto/gen/pallet/v1/controller.ts";
import { EnrollmentServiceClient, RegisterRequest } from "../../../proto/gen/pallet/v1/enrollment.ts";
import type { Image } from "../../../proto/gen/pallet/v1/image.ts";
import { AgentRole } from "../../../proto/gen/pallet/v1/node.ts";
import type { Rollout } from "../../../proto/gen/pallet/v1/rollout.ts";
import { makeTinyImage, type TinyImage } from "../../tiny-image.ts";
import { until } from "../../until.ts";
import { answer, collect } from "../calls.ts";
import { type ControllerProgram, type Program, startAgent, startController } from "../processes.ts";
import type { AgentInWorld } from "./agent-in-world.ts";
import { aStalledWrite, type StalledWrite } from "./operations.ts";
import { createTools, type Tools } from "./tools.ts";

/** A node that a test made up and registered. */
export interface MadeUpNode {
  readonly mac: string;
  readonly name: string;
  readonly instanceId: string;
}

/**
 * The running programs that all tests of RPCs share. Each test makes nodes, disks, operations and rollouts of its own.
 */
export interface World {
  readonly folder: string;
  readonly controllerProgram: ControllerProgram;
  /** The store of root filesystems that its nfs.rootfs names; empty at first. */
  readonly rootsFolder: string;
  /** Over the unix socket. */
  readonly controller: ControllerServiceClient;
  /** Over TCP. */
  readonly enrollment: EnrollmentServiceClient;
  /** In the netboot role, registered with the controller by itself; its tools obey `tools`. */
  readonly agent: AgentInWorld;
  /** Its node, as the controller knows it. */
  readonly agentNode: Node;
  readonly tools: Tools;
  /** A write that continues on the agent all the time. */
  readonly stalledWrite: StalledWrite;
  /** In the resident role. */
  readonly resident: AgentInWorld;
  /** A file that exists once the resident agent has "rebooted" its node. */
  readonly rebootMark: string;
  /** Root of the system whose tasks the resident agent reports; see failed-tasks.ts. */
  readonly tasksRoot: string;
  /** An agent without any program that could reboot its node. */
  readonly stuck: AgentInWorld;
  /** An image file, and the image "tiny" in the catalogue that it became. */
  readonly imageFile: TinyImage;
  readonly image: Image;
  /** The image "other" in the catalogue, nearly the same. */
  readonly otherImage: Image;
  close(): Promise<void>;
}

/** Room for images in the controller's folder. */
export const imageRoomBytes: number = 12 * 1024 * 1024;

/** Starts everything. */
export async function createWorld(): Promise<World> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "pallet-rpcs-"));
  const rootsFolder = path.join(folder, "rootfs");
  const undo: (() => unknown)[] = [() => rm(folder, { recursive: true, force: true })];
  const close = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const tools = await createTools(path.join(folder, "tools"), ["lsblk", "mkfs.ext4"]);
    const rebootMark = path.join(folder, "rebooted");
    const tasksRoot = path.join(folder, "system");
    const agentOf = (starting: Promise<Program>): Promise<AgentInWorld> =>
      starting.then((program) => {
        const client = new AgentServiceClient(program.address, credentials.createInsecure());
        undo.push(program.kill, () => client.close());
        return { program, client, port: Number(program.address.split(":")[1]) };
      });
    const controllerStarted = startController({
      imageBytes: imageRoomBytes,
      // These tests are about what is answered. Who is answered: doors.test.ts, and the tests of TLS.
      settings: { nfs: { rootfs: rootsFolder }, insecure: true },
    }).then((program) => {
      undo.push(program.kill);
      return program;
    });
    const registered = controllerStarted.then(({ address }) =>
      agentOf(
        // A reboot that fails lets the agent continue, so that the other tests are not disturbed.
        startAgent(["--controller", address, ...["--insecure", "--node", ownMac(), "--reboot-command", "false"]], {
          path: tools.path,
        }),
      ),
    );
    const starting = [
      controllerStarted,
      registered,
      agentOf(
        startAgent([
          ...["--insecure", "--role", "resident", "--reboot-command", `touch ${rebootMark}`],
          ...["--tasks-root", tasksRoot],
        ]),
      ),
      agentOf(startAgent(["--insecure"], { path: "/nonexistent", withoutSbin: true })),
      makeTinyImage({ folder, name: "tiny" }),
    ] as const;
    // All of them have to be known before what fails may be cleaned up.
    await Promise.allSettled(starting);
    const [controllerProgram, agent, resident, stuck, imageFile] = await Promise.all(starting);
    const controller = new ControllerServiceClient(`unix:${controllerProgram.socket}`, credentials.createInsecure());
    const enrollment = new EnrollmentServiceClient(controllerProgram.address, credentials.createInsecure());
    undo.push(
      () => controller.close(),
      () => enrollment.close(),
    );
    const agentNode = await nodeOnline(controller, ownMac());
    await answer(controller, controller.acceptNodes, acceptanceOf([agentNode.name]));
    const file = await readFile(imageFile.path);
    const image = await addImage(controller, "tiny", file);
    // The last sectors belong to no partition.
    const otherImage = await addImage(controller, "other", file.fill("other", file.length - 512));
    // Of a test's context, what the write needs is to be told when all is over.
    const hooks = { after: (hook: () => unknown) => atEnd.push(hook) };
    const atEnd: (() => unknown)[] = [];
    undo.push(async () => {
      for (const hook of atEnd) await hook();
    });
    const stalledWrite = await aStalledWrite(agent, hooks as unknown as TestContext);
    return {
      ...{
        folder,
        rootsFolder,
        controllerProgram,
        controller,
        enrollment,
        agent,
        agentNode,
        tools,
        resident,
        rebootMark,
        tasksRoot,
        stuck,
      },
      ...{ stalledWrite, imageFile, image, otherImage, close },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** MAC address of an interface of this machine: the agent that registers by itself reports its real ones. */
function ownMac(): string {
  const own = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ internal, mac }) => !internal && mac !== "00:00:00:00:00:00");
  if (own === undefined) throw new Error("this machine has no network interface with a MAC address");
  return own.mac;
}

async function nodeOnline(controller: ControllerServiceClient, mac: string): Promise<Node> {
  let found: Node | undefined;
  await until(async () => {
    const { nodes } = await answer(controller, controller.listNodes, {});
    found = nodes.find((node) => node.nodeId === mac && node.online);
    return found !== undefined;
  }, `no agent registered as ${mac}`);
  if (found === undefined) throw new Error(`no agent registered as ${mac}`);
  return found;
}

/** Messages of AddImage for a file. */
export function* imageMessages(name: string, file: Uint8Array, fileBytes = file.length) {
  yield {
    part: {
      $case: "header" as const,
      value: { name, fileBytes: BigInt(fileBytes), blockMap: Buffer.alloc(0), everything: false, imageDigest: "" },
    },
  };
  for (let at = 0; at < file.length; at += 1024 * 1024) {
    yield { part: { $case: "chunk" as const, value: Buffer.from(file.subarray(at, at + 1024 * 1024)) } };
  }
}

/** Sends a file by AddImage; resolves with every answer. */
export async function sendImage(
  controller: ControllerServiceClient,
  name: string,
  file: Uint8Array,
  fileBytes?: number,
): Promise<AddImageResponse[]> {
  const call = controller.addImage();
  for (const message of imageMessages(name, file, fileBytes)) call.write(message);
  call.end();
  return await collect(call);
}

/** Adds an image; resolves with it. */
export async function addImage(controller: ControllerServiceClient, name: string, file: Uint8Array): Promise<Image> {
  const last = (await sendImage(controller, name, file)).at(-1)?.part;
  if (last?.$case !== "image") throw new Error("AddImage did not end with the image");
  return last.value;
}

/**
 * A registration as an agent would send it, for a MAC address that no card has (IEEE 802: locally administered). It
 * runs in this machine's boot, as the real agents do: the controller talks to no agent in another boot than registered.
 */
export function madeUpRegistration(agentPort: number): RegisterRequest & { bootMac: string } {
  const mac = `02:${randomBytes(5).toString("hex").match(/../g)?.join(":")}`;
  return RegisterRequest.fromPartial({
    bootMac: mac,
    facts: { bootId: bootIdOfThisMachine, interfaces: [{ name: "eth0", mac, addresses: ["127.0.0.1"] }] },
    agent: { version: "0.0.0", role: AgentRole.AGENT_ROLE_NETBOOT, instanceId: randomUUID(), port: agentPort },
  });
}

const bootIdOfThisMachine = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();

/** Nobody listens there: port 1 is tcpmux's. */
export const deadPort = 1;

/**
 * Registers a node of the test's own, and accepts it: with an agent that runs, or one that is said to listen at a port of this machine.
 */
export async function aNode(
  world: World,
  {
    agent,
    agentPort = agent?.port ?? deadPort,
    serial = "",
    pending = false,
    hasTasks = false,
  }: {
    readonly agent?: AgentInWorld;
    readonly agentPort?: number;
    readonly serial?: string;
    /** Whether nobody accepts it. */
    readonly pending?: boolean;
    /** Whether its agent is a resident one, of a system with tasks. */
    readonly hasTasks?: boolean;
  } = {},
): Promise<MadeUpNode> {
  const request = madeUpRegistration(agentPort);
  if (agent !== undefined) {
    const node = await answer(agent.client, agent.client.getNode, {});
    // The controller gives orders only to the run of an agent that has registered.
    if (request.agent !== undefined) request.agent.instanceId = node.agent?.instanceId ?? "";
  }
  if (request.facts !== undefined) request.facts.serial = serial;
  if (request.agent !== undefined && hasTasks) {
    request.agent.role = AgentRole.AGENT_ROLE_RESIDENT;
    request.agent.capabilities = ["tasks"];
    request.agent.tasks = { configDigest: "", tasks: [], problem: "" };
  }
  const { controller, enrollment } = world;
  const { name } = await answer(enrollment, enrollment.register, request);
  if (!pending) await answer(controller, controller.acceptNodes, acceptanceOf([name]));
  return { mac: request.bootMac, name, instanceId: request.agent?.instanceId ?? "" };
}

/** What AcceptNodes is asked by, without any rule. */
export function acceptanceOf(nodes: readonly string[], given: Partial<AcceptNodesRequest> = {}): AcceptNodesRequest {
  return { nodes: [...nodes], all: false, expect: [], noLongerExpect: [], rulesOnly: false, next: undefined, ...given };
}

/**
 * What a rollout of the image "tiny" to nodes is asked by. The disk does not exist, so that nothing of this machine is
 * written to, whatever goes wrong.
 */
export function rolloutOf(nodes: readonly string[], given: Partial<RolloutRequest> = {}): RolloutRequest {
  const disk = "/dev/pallet-none";
  return {
    nodes: [...nodes],
    all: false,
    imageName: "tiny",
    disk,
    noResident: false,
    full: false,
    noProfiles: false,
    noGrow: false,
    growToBytes: 0n,
    ...{ imageDigest: "", seen: [], onlyChanged: false, retryOf: "" },
    ...given,
  };
}

/**
 * A rollout to a node that exists nowhere, so that it continues until it is cancelled after the test and nothing is
 * ever written.
 */
export async function aRollout(world: World, test: TestContext): Promise<{ rollout: Rollout; node: MadeUpNode }> {
  const node = await aNode(world);
  const { controller } = world;
  const request = { rolloutId: "", rollout: rolloutOf([node.name]) };
  const { rollout } = await answer(controller, controller.startRollout, request);
  if (rollout === undefined) throw new Error("StartRollout answered without a rollout");
  test.after(() => cancelRollout(world, rollout.rolloutId));
  return { rollout, node };
}

/** Cancels a rollout and waits for its end. */
export async function cancelRollout({ controller }: World, rolloutId: string): Promise<void> {
  await answer(controller, controller.cancelRollout, { rolloutId });
  await collect(controller.watchRollout({ rolloutId }));
}

/** Something that speaks HTTP/2 at a TCP port and never answers a call. */
export async function aMuteServer(test: TestContext): Promise<{ port: number; connections: ReadonlySet<Socket> }> {
  const connections = new Set<Socket>();
  const server = createServer();
  server.on("stream", (stream) => stream.on("error", () => {}));
  server.on("connection", (socket: Socket) => {
    connections.add(socket);
    socket.on("close", () => connections.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  test.after(async () => {
    for (const socket of connections) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { port: address.port, connections };
}

/** Number of sockets that a process holds. */
export async function socketsOf({ pid }: Program): Promise<number> {
  const folder = `/proc/${pid}/fd`;
  const links = await Promise.all((await readdir(folder)).map((fd) => readlink(`${folder}/${fd}`).catch(() => "")));
  return links.filter((link) => link.startsWith("socket:")).length;
}

/** Whether a process is there. */
export function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}

/** Runs something with other mounts in the agent's own mount namespace. */
export async function hiding<T>({ pid }: Program, folder: string, run: () => Promise<T>): Promise<T> {
  const inside = ["--mount", "--target", String(pid), "--"];
  await execa("nsenter", [...inside, "mount", "-t", "tmpfs", "tmpfs", folder]);
  try {
    return await run();
  } finally {
    await execa("nsenter", [...inside, "umount", folder]);
  }
}
