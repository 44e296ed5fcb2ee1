// What is tested of the RPCs by which an image is made of a node's disk: the agent's, and the controller's.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { status } from "@grpc/grpc-js";
import { execa } from "execa";
import { ReadDiskRequest, type ReadDiskResponse } from "../../../proto/gen/pallet/v1/agent.ts";
import type { Operation } from "../../../proto/gen/pallet/v1/operation.ts";
import { makeTinyImage } from "../../tiny-image.ts";
import { aLoopDevice, type LoopDevice } from "../../unit/agent/disk/a-loop-device.ts";
import { until } from "../../until.ts";
import { answer, collect, endOf, firstOf } from "../calls.ts";
import type { AgentInWorld } from "./agent-in-world.ts";
import type { Check, ServiceChecks } from "./checks.ts";
import { unknownNode, whilePending, whileReimaged } from "./controller-nodes.ts";
import { endStateOf, headOf, makeExt4, mebibyte, start, wipe } from "./operations.ts";
import { aNode, deadPort, type World } from "./world.ts";

type Part = readonly [offsetBytes: number, lengthBytes: number];

const toOpen = (device: string, sizeBytes: number): ReadDiskRequest =>
  ReadDiskRequest.fromPartial({ part: { $case: "disk", value: { device, sizeBytes: BigInt(sizeBytes) } } });
const toRead = (...parts: readonly Part[]): ReadDiskRequest =>
  ReadDiskRequest.fromPartial({
    part: {
      $case: "read",
      value: { parts: parts.map(([at, length]) => ({ offsetBytes: BigInt(at), lengthBytes: BigInt(length) })) },
    },
  });

/** Sends these and nothing else; resolves with every answer. */
function send({ client }: AgentInWorld, ...messages: readonly ReadDiskRequest[]): Promise<ReadDiskResponse[]> {
  const call = client.readDisk();
  for (const message of messages) call.write(message);
  call.end();
  return collect(call);
}

/** A ReadDisk that holds a disk until it is cancelled. */
async function holding({ client }: AgentInWorld, { path, sizeBytes }: LoopDevice) {
  const call = client.readDisk();
  const end = endOf(call);
  call.write(toOpen(path, sizeBytes));
  await firstOf(call, ({ part }) => part?.$case === "held");
  return { call, end };
}

/** Once its reader has gone, in whichever way, the disk is there for others. */
const letsGo =
  (leave: (call: { cancel(): void; end(): void }) => void, code: status): Check =>
  async ({ agent }, test) => {
    const disk = await aLoopDevice(test, 8);
    const { call, end } = await holding(agent, disk);
    leave(call);
    assert.equal(await end, code);
    let operation: Operation | undefined;
    await until(async () => {
      operation = await start(agent, makeExt4(disk.path)).catch(() => undefined);
      return operation !== undefined;
    }, "the disk is still held");
    if (operation !== undefined) await endStateOf(agent, operation);
  };

/** Tests of ReadDisk. */
export const readDiskChecks: ServiceChecks = {
  ReadDisk: {
    success: {
      "sends what is on a disk, its zeros as their number, and keeps others off it meanwhile": async (
        { agent },
        test,
      ) => {
        const disk = await aLoopDevice(test, 8);
        const content = randomBytes(mebibyte + 4096);
        await execa("dd", [`of=${disk.path}`, "bs=1M", "conv=fsync", "status=none"], { input: content });
        const { call, end } = await holding(agent, disk);
        const pieces: ReadDiskResponse[] = [];
        const done = new Promise<void>((resolve) =>
          call.on("data", (message: ReadDiskResponse) => {
            if (message.part?.$case === "read") resolve();
            else pieces.push(message);
          }),
        );
        call.write(toRead([512, 1024], [4096, mebibyte], [2 * mebibyte, mebibyte]));
        await done;
        const found = Buffer.alloc(disk.sizeBytes);
        let zeros = 0;
        for (const { part } of pieces) {
          assert.equal(part?.$case, "piece");
          const { content, offsetBytes } = part.value;
          if (content?.$case === "zeroBytes") zeros += Number(content.value);
          else found.set(content?.value ?? [], Number(offsetBytes));
        }
        assert.equal(zeros, mebibyte);
        assert.ok(found.subarray(512, 1536).equals(content.subarray(512, 1536)));
        assert.ok(found.subarray(4096, 4096 + mebibyte).equals(content.subarray(4096)));
        await assert.rejects(start(agent, wipe(disk.path)), { code: status.RESOURCE_EXHAUSTED, message: /being read/ });
        // The kernel keeps others off it, too.
        await assert.rejects(
          execa("mkfs.ext4", ["-q", disk.path]),
          /apparently in use|Device or resource busy|is mounted/,
        );
        call.cancel();
        await end;
        assert.ok((await headOf(disk, content.length)).equals(content), "it was changed");
      },
      "reads a disk that is protected from writing": async ({ agent }, test) => {
        const disk = await aLoopDevice(test, 8);
        await execa("mkfs.ext4", ["-q", "-L", "PALLET-KEEP", disk.path]);
        const answers = await send(agent, toOpen(disk.path, disk.sizeBytes), toRead([1024, 1024]));
        assert.deepEqual(
          answers.map(({ part }) => part?.$case),
          ["held", "piece", "read"],
        );
      },
    },
    errors: {
      INVALID_ARGUMENT: [
        ...(
          [
            ["nothing comes", /first message of ReadDisk/, () => []],
            ["no disk comes first", /first message of ReadDisk/, () => [toRead([0, 512])]],
            ["no disk is named", /disk\.device/, () => [toOpen("", 1)]],
            [
              "a second disk comes",
              /must be parts/,
              (disk) => [toOpen(disk.path, disk.sizeBytes), toOpen(disk.path, 1)],
            ],
            ["no parts are named", /0 given/, (disk) => [toOpen(disk.path, disk.sizeBytes), toRead()]],
            [
              "a part is no whole sectors",
              /not whole sectors/,
              (disk) => [toOpen(disk.path, disk.sizeBytes), toRead([1, 512])],
            ],
            [
              "parts overlap",
              /before the end/,
              (disk) => [toOpen(disk.path, disk.sizeBytes), toRead([0, 1024], [512, 512])],
            ],
            [
              "a part is past the end",
              /ends at byte/,
              (disk) => [toOpen(disk.path, disk.sizeBytes), toRead([disk.sizeBytes, 512])],
            ],
          ] as const satisfies readonly (readonly [string, RegExp, (disk: LoopDevice) => ReadDiskRequest[]])[]
        ).map(([when, says, messages]) => ({
          when,
          reason: "FAILURE_REASON_INVALID" as const,
          says,
          call: async ({ agent }: World, test: Parameters<Check>[1]) =>
            send(agent, ...messages(await aLoopDevice(test, 8))),
        })),
      ],
      FAILED_PRECONDITION: [
        {
          when: "there is no such device",
          reason: "FAILURE_REASON_NOT_A_DISK",
          says: /\/dev\/pallet-none/,
          call: ({ agent }) => send(agent, toOpen("/dev/pallet-none", mebibyte)),
        },
        {
          when: "another disk is there than the one that is meant",
          reason: "FAILURE_REASON_NO_DISK_CHOSEN",
          says: /no longer the disk that was meant/,
          call: async ({ agent }, test) => send(agent, toOpen((await aLoopDevice(test, 8)).path, mebibyte)),
        },
        {
          when: "it is mounted",
          reason: "FAILURE_REASON_MOUNTED",
          says: /is mounted/,
          async call({ agent }, test) {
            const disk = await aLoopDevice(test, 8);
            await execa("mkfs.ext4", ["-q", disk.path]);
            const at = `${disk.folder}/at`;
            await execa("mkdir", [at]);
            await execa("mount", [disk.path, at]);
            return send(agent, toOpen(disk.path, disk.sizeBytes));
          },
        },
        {
          when: "the agent is in an installed system",
          reason: "FAILURE_REASON_UNSUPPORTED",
          says: /does not perform read-disk/,
          call: async ({ resident }, test) => send(resident, toOpen((await aLoopDevice(test, 8)).path, 8 * mebibyte)),
        },
      ],
      RESOURCE_EXHAUSTED: [
        {
          when: "an operation has the disk",
          reason: "FAILURE_REASON_DEVICE_BUSY",
          says: /in use by operation stalled-/,
          call: ({ agent, stalledWrite: { disk } }) => send(agent, toOpen(disk.path, disk.sizeBytes)),
        },
        {
          when: "another reader has it",
          reason: "FAILURE_REASON_DEVICE_BUSY",
          says: /is being read/,
          async call({ agent }, test) {
            const disk = await aLoopDevice(test, 8);
            const { call, end } = await holding(agent, disk);
            return send(agent, toOpen(disk.path, disk.sizeBytes)).finally(async () => {
              call.cancel();
              await end;
            });
          },
        },
      ],
      INTERNAL: [
        {
          when: "lsblk fails",
          reason: "FAILURE_REASON_TOOL_FAILED",
          says: /lsblk: broken on purpose/,
          async call({ agent, tools }, test) {
            const disk = await aLoopDevice(test, 8);
            const mend = await tools.breakDown("lsblk");
            return send(agent, toOpen(disk.path, disk.sizeBytes)).finally(mend);
          },
        },
      ],
    },
    abandoned: {
      "cancelled by the caller, it lets go of the disk": letsGo((call) => call.cancel(), status.CANCELLED),
      "ended by the caller, it lets go of the disk": letsGo((call) => call.end(), status.OK),
    },
  },
};

const capture = ({ controller }: World, name: string, node: string, disk = "", generalise = false) =>
  collect(controller.captureImage({ name, node, disk, generalise }));
const freshName = () => `captured-${randomBytes(6).toString("hex")}`;

/** A card with the world's tiny image on it, or with another. */
async function aCard(world: World, test: Parameters<Check>[1], bulkBytes = 0): Promise<LoopDevice> {
  const disk = await aLoopDevice(test, 64);
  const { path } =
    bulkBytes === 0 ? world.imageFile : await makeTinyImage({ folder: disk.folder, name: "bulky", bulkBytes });
  await execa("dd", [`of=${disk.path}`, "bs=1M", "conv=fsync", "status=none"], { input: await readFile(path) });
  return disk;
}

/** Tests of CaptureImage. */
export const captureImageChecks: ServiceChecks = {
  CaptureImage: {
    success: {
      "makes an image of what is in use on a card": async (world, test) => {
        const { controller, agent } = world;
        const [name, { name: node }, disk] = [freshName(), await aNode(world, { agent }), await aCard(world, test)];
        const answers = await capture(world, name, node, disk.path, true);
        assert.ok(answers.slice(0, -1).every(({ part }) => part?.$case === "progress"));
        const last = answers.at(-1)?.part;
        assert.equal(last?.$case, "captured");
        const { image, readBytes, skippedBytes } = last.value;
        assert.equal(image?.operatingSystem, "Tiny tiny");
        assert.equal(image.capture?.node, node);
        assert.equal(image.capture.disk, disk.path);
        assert.ok(image.capture.generalised);
        assert.deepEqual(image.capture.removed, ["/etc/hostname"]);
        assert.ok(
          readBytes + skippedBytes >= image.sizeBytes && skippedBytes > image.sizeBytes / 4n,
          `${skippedBytes}`,
        );
        const { removeImage } = controller;
        await answer(controller, removeImage, { name });
      },
    },
    errors: {
      INVALID_ARGUMENT: [
        {
          when: "the name is malformed",
          reason: "FAILURE_REASON_INVALID",
          says: /not a valid image name/,
          call: (world) => capture(world, "../up", "nobody"),
        },
        {
          when: "the card has no system on it",
          reason: "FAILURE_REASON_UNSUPPORTED",
          says: /root filesystem/,
          async call(world, test) {
            const disk = await aLoopDevice(test, 8);
            await execa("sfdisk", ["--quiet", "--no-tell-kernel", disk.path], { input: "start=2048, type=83\n" });
            const { name } = await aNode(world, { agent: world.agent });
            return capture(world, freshName(), name, disk.path);
          },
        },
      ],
      NOT_FOUND: [unknownNode((world, node) => capture(world, freshName(), node))],
      ALREADY_EXISTS: [
        {
          when: "the name is taken",
          reason: "FAILURE_REASON_INVALID",
          says: /image other already exists/,
          async call(world, test) {
            const { name } = await aNode(world, { agent: world.agent });
            return capture(world, "other", name, (await aCard(world, test)).path);
          },
        },
      ],
      FAILED_PRECONDITION: [
        whilePending((world, node) => capture(world, freshName(), node)),
        whileReimaged((world, node) => capture(world, freshName(), node)),
        {
          when: "the disk is not there",
          reason: "FAILURE_REASON_INVALID",
          says: /no block device \/dev\/pallet-none/,
          async call(world) {
            const { name } = await aNode(world, { agent: world.agent });
            return capture(world, freshName(), name, "/dev/pallet-none");
          },
        },
        {
          when: "an operation has the disk",
          reason: "FAILURE_REASON_DEVICE_BUSY",
          says: /in use by operation stalled-/,
          async call(world) {
            const { name } = await aNode(world, { agent: world.agent });
            return capture(world, freshName(), name, world.stalledWrite.disk.path);
          },
        },
        {
          when: "the disk has no partition table",
          reason: "FAILURE_REASON_INVALID",
          says: /has no partition table/,
          async call(world, test) {
            const { name } = await aNode(world, { agent: world.agent });
            return capture(world, freshName(), name, (await aLoopDevice(test, 8)).path);
          },
        },
      ],
      UNAVAILABLE: [
        {
          when: "no agent answers",
          reason: "FAILURE_REASON_NODE_SILENT",
          says: /did not get through/,
          call: async (world) => capture(world, freshName(), (await aNode(world, { agentPort: deadPort })).name),
        },
      ],
      RESOURCE_EXHAUSTED: [
        {
          when: "the disk is too full for what is in use on the card, before it is read",
          reason: "FAILURE_REASON_DEVICE_ERROR",
          says: /no room for the copy in .*imageDirectory/,
          async call(world, test) {
            const { name } = await aNode(world, { agent: world.agent });
            return capture(world, freshName(), name, (await aCard(world, test, 16 * mebibyte)).path);
          },
        },
      ],
    },
  },
};
