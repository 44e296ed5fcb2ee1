// What is tested of ControllerService's RPCs about images.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { type CallOptions, Metadata, status } from "@grpc/grpc-js";
import { openUploadConnection } from "../../../controller/uploads/upload-connection.ts";
import { uploadSocketOf } from "../../../controller/uploads/upload-socket.ts";
import type {
  AddImageRequest,
  AddImageResponse,
  ControllerServiceClient,
  DeriveImageRequest,
  DeriveImageResponse,
} from "../../../proto/gen/pallet/v1/controller.ts";
import { BootTarget } from "../../../proto/gen/pallet/v1/controller.ts";
import { renderBlockMap } from "../../unit/controller/images/block-map/a-block-map.ts";
import { until } from "../../until.ts";
import { answer, collect, endOf, firstOf } from "../calls.ts";
import { withinDeadline } from "../within-deadline.ts";
import type { Refusal, ServiceChecks } from "./checks.ts";
import { addImage, aNode, aRollout, imageMessages, imageRoomBytes, sendImage, type World } from "./world.ts";

const mebibyte = 1024 * 1024;

const get = ({ controller }: World, name: string) => answer(controller, controller.getImage, { name });
const remove = ({ controller }: World, name: string) => answer(controller, controller.removeImage, { name });
const freshName = () => `image-${randomBytes(6).toString("hex")}`;

/** Folders of imports that are under way or were not cleared away. */
async function unfinished({ controllerProgram }: World): Promise<string[]> {
  return (await readdir(controllerProgram.imageDirectory)).filter((name) => name.startsWith("."));
}

/** Sends these messages and nothing else. */
function send(controller: ControllerServiceClient, ...messages: readonly AddImageRequest[]) {
  const call = controller.addImage();
  for (const message of messages) call.write(message);
  call.end();
  return collect(call);
}

/** An import that waits for bytes that its sender holds back, and whose beginning has arrived. */
async function stalledImport({ controller, imageFile }: World, name: string, options: Partial<CallOptions> = {}) {
  const call = controller.addImage(new Metadata(), options);
  const end = endOf(call);
  const [header, first] = imageMessages(name, await readFile(imageFile.path));
  for (const message of [header, first]) if (message !== undefined) call.write(message);
  await firstOf(call, ({ part }) => part?.$case === "progress" && (part.value.received?.done ?? 0n) > 0n);
  return { call, end };
}

/** Adds an image, some of whose file a connection of the upload socket brings, to its end or until it is cut off. */
async function addByUpload({ controller, controllerProgram }: World, name: string, file: Buffer, isCutOff = false) {
  const connection = await openUploadConnection(uploadSocketOf(controllerProgram.socket));
  assert.ok(connection !== undefined, "the controller has no upload socket");
  const call = controller.addImage();
  const answers = collect<AddImageResponse>(call);
  call.write(header(name, BigInt(file.length), { upload: connection.token }));
  await connection.send({ bytes: Readable.from([isCutOff ? file.subarray(0, mebibyte) : file]) });
  connection.close();
  call.end();
  return answers;
}

/** The messages of a call that derives an image from another with this new content. */
function derivation(name: string, from: string, file: Buffer): DeriveImageRequest[] {
  const value = { name, from, fileBytes: BigInt(file.length) };
  const chunks: DeriveImageRequest[] = [];
  for (let at = 0; at < file.length; at += mebibyte) chunks.push(chunkToDerive(file.subarray(at, at + mebibyte)));
  return [{ part: { $case: "header", value } }, ...chunks];
}
const chunkToDerive = (value: Buffer): DeriveImageRequest => ({ part: { $case: "chunk", value } });

function derive(controller: ControllerServiceClient, messages: readonly DeriveImageRequest[]) {
  const call = controller.deriveImage();
  for (const message of messages) call.write(message);
  call.end();
  return collect<DeriveImageResponse>(call);
}

/** A derivation whose sender holds its bytes back. */
async function stalledDerivation({ controller, imageFile }: World, name: string, options: Partial<CallOptions> = {}) {
  const call = controller.deriveImage(new Metadata(), options);
  const end = endOf(call);
  const [head, first] = derivation(name, "tiny", await readFile(imageFile.path));
  for (const message of [head, first]) if (message !== undefined) call.write(message);
  await firstOf(call, ({ part }) => part?.$case === "progress" && (part.value.received?.done ?? 0n) > 0n);
  return { call, end };
}

/** An RPC that takes in the bytes of an image. */
interface Upload {
  /** Sends all of these bytes for an image of this name. */
  readonly sendAll: (world: World, name: string, file: Buffer) => Promise<unknown>;
  /** Sends some, so that the work is under way, and holds the rest back. */
  readonly stall: (
    world: World,
    name: string,
    options?: Partial<CallOptions>,
  ) => Promise<{ readonly call: { cancel(): void }; readonly end: Promise<status> }>;
}

const adding: Upload = {
  sendAll: ({ controller }, name, file) => sendImage(controller, name, file),
  stall: stalledImport,
};
const deriving: Upload = {
  sendAll: ({ controller }, name, file) => derive(controller, derivation(name, "tiny", file)),
  stall: stalledDerivation,
};

const untilClearedAway = (world: World): Promise<void> =>
  until(async () => (await unfinished(world)).length === 0, "the call left something behind");

/** Abandons an upload as told; nothing of it may stay. */
async function abandon(world: World, { sendAll, stall }: Upload, how: "cancel" | "deadline"): Promise<void> {
  const name = freshName();
  const { call, end } =
    how === "cancel"
      ? await stall(world, name)
      : await withinDeadline(async (deadlineMs) => {
          await untilClearedAway(world);
          return await stall(world, name, { deadline: Date.now() + deadlineMs });
        });
  if (how === "cancel") assert.equal((await unfinished(world)).length, 1);
  if (how === "cancel") call.cancel();
  assert.equal(await end, how === "cancel" ? status.CANCELLED : status.DEADLINE_EXCEEDED);
  await untilClearedAway(world);
  assert.ok(!(await readdir(world.controllerProgram.imageDirectory)).includes(name));
  await assert.rejects(get(world, name), { code: status.NOT_FOUND });
  // The name is free again: what is refused now is the content.
  await assert.rejects(sendAll(world, name, Buffer.alloc(512)), { code: status.INVALID_ARGUMENT });
}

/** While an upload is under way, its name is taken. */
const refusedMeanwhile = ({ sendAll, stall }: Upload, when: string, says: RegExp): Refusal => ({
  when,
  reason: "FAILURE_REASON_INVALID",
  says,
  async call(world) {
    const name = freshName();
    const { call, end } = await stall(world, name);
    return sendAll(world, name, Buffer.alloc(512)).finally(async () => {
      call.cancel();
      await end;
      await untilClearedAway(world);
    });
  },
});

/** More bytes than the disk has room for are refused, and nothing of them stays. */
const refusedOnFullDisk = ({ sendAll }: Upload): Refusal => ({
  when: "the disk is full",
  reason: "FAILURE_REASON_DEVICE_ERROR",
  says: /no space left/,
  async call(world) {
    const head = (await readFile(world.imageFile.path)).subarray(0, mebibyte);
    const file = Buffer.concat([head, randomBytes(imageRoomBytes)]);
    return sendAll(world, freshName(), file).finally(() => untilClearedAway(world));
  },
});

const header = (
  name: string,
  fileBytes = 0n,
  {
    blockMap = Buffer.alloc(0),
    imageDigest = "",
    upload,
  }: { readonly blockMap?: Buffer; readonly imageDigest?: string; readonly upload?: string } = {},
): AddImageRequest => ({
  part: { $case: "header", value: { name, fileBytes, blockMap, everything: false, imageDigest, upload } },
});
const chunk = (bytes: Buffer): AddImageRequest => ({ part: { $case: "chunk", value: bytes } });

/** Tests of ListImages, GetImage, AddImage, DeriveImage and RemoveImage. */
export const controllerImageChecks: ServiceChecks = {
  ListImages: {
    success: {
      "gives every image by name": async ({ controller, image, otherImage }) => {
        const { images } = await answer(controller, controller.listImages, {});
        assert.deepEqual(images, [otherImage, image]);
      },
    },
  },

  GetImage: {
    success: {
      "gives the image": async (world) => {
        assert.deepEqual((await get(world, "tiny")).image, world.image);
      },
    },
    errors: {
      INVALID_ARGUMENT: [
        { when: "none is named", reason: "FAILURE_REASON_INVALID", says: /no image/, call: (world) => get(world, "") },
      ],
      NOT_FOUND: [
        {
          when: "there is no such image",
          reason: "FAILURE_REASON_INVALID",
          says: /"no-such-image".*controller images/,
          call: (world) => get(world, "no-such-image"),
        },
      ],
    },
  },

  AddImage: {
    success: {
      "takes in an image, told by its progress and last by the image": async (world) => {
        const { controller, image } = world;
        const name = freshName();
        const file = gzipSync(await readFile(world.imageFile.path), { level: 1 });
        const responses = await sendImage(controller, name, file);
        const last = responses.at(-1)?.part;
        assert.equal(last?.$case, "image");
        assert.equal(last.value.digest, image.digest);
        assert.equal(last.value.sizeBytes, BigInt(world.imageFile.sizeBytes));
        assert.equal(last.value.operatingSystem, "Tiny tiny");
        assert.equal(last.value.boot?.kernel, "vmlinuz-6.1.0-tiny");
        assert.ok(responses.slice(0, -1).every(({ part }) => part?.$case === "progress"));
        assert.deepEqual((await get(world, name)).image, last.value);
        await remove(world, name);
        assert.deepEqual(await unfinished(world), []);
      },
      "takes a block map with it, and leaves unused what that leaves out": async (world) => {
        const { controller, image } = world;
        const name = freshName();
        const file = await readFile(world.imageFile.path);
        const ranges = [
          { first: 0, last: 0, checksum: createHash("sha256").update(file.subarray(0, mebibyte)).digest("hex") },
        ];
        const blockMap = renderBlockMap({ imageBytes: file.length, blockBytes: mebibyte, ranges });
        const [, ...chunks] = imageMessages(name, file);
        const last = (await send(controller, header(name, BigInt(file.length), { blockMap }), ...chunks)).at(-1)?.part;
        assert.equal(last?.$case, "image");
        const { pack } = last.value;
        assert.ok(pack && image.pack);
        // What holds something is sent all the same: a wrong map must not lose it.
        assert.equal(pack.dataBytes, image.pack.dataBytes);
        assert.ok(pack.unusedBytes >= image.pack.unusedBytes);
        await remove(world, name);
      },
      "takes an image that has the digest that is expected": async (world) => {
        const { controller, image } = world;
        const name = freshName();
        const [, ...chunks] = imageMessages(name, await readFile(world.imageFile.path));
        const last = (await send(controller, header(name, 0n, { imageDigest: image.digest }), ...chunks)).at(-1)?.part;
        assert.equal(last?.$case === "image" && last.value.digest, image.digest);
        await remove(world, name);
      },
      "takes the file that a connection to the upload socket brings": async (world) => {
        const name = freshName();
        const last = (await addByUpload(world, name, await readFile(world.imageFile.path))).at(-1)?.part;
        assert.equal(last?.$case === "image" && last.value.digest, world.image.digest);
        await remove(world, name);
      },
      "with the same image again, it changes nothing": async (world) => {
        const again = await addImage(world.controller, "tiny", await readFile(world.imageFile.path));
        assert.deepEqual(again, world.image);
      },
    },
    errors: {
      INVALID_ARGUMENT: [
        ...(
          [
            ["the call brings nothing", /header/, () => []],
            ["no header comes first", /header/, () => [chunk(Buffer.alloc(512))]],
            ["a second header comes", /must be a chunk/, () => [header(freshName()), header(freshName())]],
            ["the name is empty", /name/, () => [header("")]],
            ["the name leads out of the folder", /name/, () => [header("../up")]],
            [
              "the expected digest is none",
              /image_digest of an image must be a lower-case/,
              () => [header(freshName(), 0n, { imageDigest: "A".repeat(64) })],
            ],
            ["the upload has a token that is none", /32 lower-case/, () => [header(freshName(), 0n, { upload: "" })]],
            ["a chunk is too large", /too large/, () => [header(freshName()), chunk(Buffer.alloc(mebibyte + 1))]],
            [
              "fewer bytes come than were announced",
              /announced/,
              () => [header(freshName(), 9n), chunk(randomBytes(8))],
            ],
          ] as const
        ).map(
          ([when, says, messages]): Refusal => ({
            when,
            reason: "FAILURE_REASON_INVALID",
            says,
            call: ({ controller }) => send(controller, ...messages()),
          }),
        ),
        {
          when: "the file is no image of a disk",
          reason: "FAILURE_REASON_UNSUPPORTED",
          says: /partition table/,
          call: ({ controller }) => sendImage(controller, freshName(), Buffer.alloc(mebibyte)),
        },
        {
          when: "the image has not the digest that is expected",
          reason: "FAILURE_REASON_IMAGE_DAMAGED",
          says: /was not added: .*not the image that the given digest/,
          async call(world) {
            const name = freshName();
            const [, ...chunks] = imageMessages(name, await readFile(world.imageFile.path));
            const sent = send(world.controller, header(name, 0n, { imageDigest: "ab".repeat(32) }), ...chunks);
            return sent.finally(async () => {
              await untilClearedAway(world);
              await assert.rejects(get(world, name), { code: status.NOT_FOUND });
            });
          },
        },
        {
          when: "the connection that brings the file is cut off",
          reason: "FAILURE_REASON_INVALID",
          says: /announced/,
          async call(world) {
            const file = await readFile(world.imageFile.path);
            return addByUpload(world, freshName(), file, true).finally(() => untilClearedAway(world));
          },
        },
        {
          when: "its block map is none",
          reason: "FAILURE_REASON_IMAGE_DAMAGED",
          says: /block map cannot be used: it is not XML/,
          call: ({ controller }) => send(controller, header(freshName(), 0n, { blockMap: Buffer.from("not a map") })),
        },
        {
          when: "its block map is of another image",
          reason: "FAILURE_REASON_IMAGE_DAMAGED",
          says: /block map belongs to another image/,
          async call({ controller, imageFile }) {
            const blockMap = renderBlockMap({ imageBytes: mebibyte, blockBytes: 4096, ranges: [] });
            const [, ...chunks] = imageMessages("", await readFile(imageFile.path));
            return send(controller, header(freshName(), 0n, { blockMap }), ...chunks);
          },
        },
        {
          when: "the compressed file ends too early",
          reason: "FAILURE_REASON_IMAGE_DAMAGED",
          says: /gzip/,
          async call({ controller, imageFile }) {
            const file = gzipSync((await readFile(imageFile.path)).subarray(0, 2 * mebibyte), { level: 1 });
            return sendImage(controller, freshName(), file.subarray(0, file.length - 100));
          },
        },
      ],
      ALREADY_EXISTS: [
        {
          when: "the name is taken by another image",
          reason: "FAILURE_REASON_INVALID",
          says: /image tiny with different content already exists/,
          async call({ controller, imageFile }) {
            const file = await readFile(imageFile.path);
            file.fill("another", file.length - 512);
            return sendImage(controller, "tiny", file);
          },
        },
      ],
      FAILED_PRECONDITION: [refusedMeanwhile(adding, "an image of this name is being added", /being added/)],
      RESOURCE_EXHAUSTED: [refusedOnFullDisk(adding)],
    },
    abandoned: {
      "cancelled by the caller, it leaves nothing behind": (world) => abandon(world, adding, "cancel"),
      "past its deadline, it leaves nothing behind": (world) => abandon(world, adding, "deadline"),
    },
  },

  DeriveImage: {
    success: {
      "makes an image with the new files in the old layout, and tells what that saves": async (world) => {
        const { controller, otherImage } = world;
        const name = freshName();
        const responses = await derive(controller, derivation(name, "other", await readFile(world.imageFile.path)));
        const last = responses.at(-1)?.part;
        assert.equal(last?.$case, "derived");
        const { image, writeBytes, fetchBytes, plainWriteBytes, notes } = last.value;
        assert.ok(image);
        assert.equal(image.name, name);
        assert.equal(image.sizeBytes, otherImage.sizeBytes);
        const ids = (of: typeof image) => of.partitions.map(({ partitionUuid, uuid }) => [partitionUuid, uuid]);
        assert.deepEqual(ids(image), ids(world.image));
        assert.ok(writeBytes > 0n && writeBytes <= BigInt(image.sizeBytes), `${writeBytes} bytes to write`);
        assert.ok(fetchBytes > 0n && fetchBytes < writeBytes, `${fetchBytes} bytes to fetch`);
        assert.notEqual(plainWriteBytes, undefined);
        assert.deepEqual(notes, []);
        assert.ok(responses.slice(0, -1).every(({ part }) => part?.$case === "progress"));
        assert.deepEqual((await get(world, name)).image, image);
        await remove(world, name);
        assert.deepEqual(await unfinished(world), []);
      },
    },
    errors: {
      INVALID_ARGUMENT: [
        ...(
          [
            ["the call brings nothing", /header/, () => []],
            ["no header comes first", /header/, () => [chunkToDerive(Buffer.alloc(512))]],
            ["the name is empty", /name/, () => derivation("", "tiny", Buffer.alloc(512))],
            ["the name leads out of the folder", /name/, () => derivation("../up", "tiny", Buffer.alloc(512))],
            [
              "fewer bytes come than were announced",
              /announced with 9 bytes/,
              () => [...derivation(freshName(), "tiny", Buffer.alloc(9)).slice(0, 1), chunkToDerive(randomBytes(8))],
            ],
          ] as const
        ).map(
          ([when, says, messages]): Refusal => ({
            when,
            reason: "FAILURE_REASON_INVALID",
            says,
            call: ({ controller }) => derive(controller, messages()),
          }),
        ),
        {
          when: "the new content is neither an image of a disk nor an archive",
          reason: "FAILURE_REASON_UNSUPPORTED",
          says: /partition table/,
          call: ({ controller }) => derive(controller, derivation(freshName(), "tiny", Buffer.alloc(mebibyte))),
        },
        {
          when: "the new image has other partitions",
          reason: "FAILURE_REASON_UNSUPPORTED",
          says: /cannot be laid out like the old one: .*\. Add it without deriving: controller images add/,
          async call({ controller, imageFile }) {
            const file = await readFile(imageFile.path);
            // The first partition's type.
            file.writeUInt8(0x0e, 446 + 4);
            return derive(controller, derivation(freshName(), "tiny", file));
          },
        },
      ],
      NOT_FOUND: [
        {
          when: "there is no such image to derive from",
          reason: "FAILURE_REASON_INVALID",
          says: /no image "no-such-image".*controller images/,
          call: ({ controller }) => derive(controller, derivation(freshName(), "no-such-image", Buffer.alloc(512))),
        },
      ],
      ALREADY_EXISTS: [
        {
          when: "the name is taken",
          reason: "FAILURE_REASON_INVALID",
          says: /image other already/,
          call: ({ controller }) => derive(controller, derivation("other", "tiny", Buffer.alloc(512))),
        },
      ],
      FAILED_PRECONDITION: [refusedMeanwhile(deriving, "an image of this name is being derived", /being derived/)],
      RESOURCE_EXHAUSTED: [refusedOnFullDisk(deriving)],
    },
    abandoned: {
      "cancelled by the caller, it leaves nothing behind": (world) => abandon(world, deriving, "cancel"),
      "past its deadline, it leaves nothing behind": (world) => abandon(world, deriving, "deadline"),
    },
  },

  RemoveImage: {
    success: {
      "removes the image and its files": async (world) => {
        const name = freshName();
        await addImage(world.controller, name, await readFile(world.imageFile.path));
        await remove(world, name);
        await assert.rejects(get(world, name), { code: status.NOT_FOUND });
        assert.ok(!(await readdir(world.controllerProgram.imageDirectory)).includes(name));
      },
    },
    errors: {
      INVALID_ARGUMENT: [
        {
          when: "none is named",
          reason: "FAILURE_REASON_INVALID",
          says: /no image/,
          call: (world) => remove(world, ""),
        },
      ],
      NOT_FOUND: [
        {
          when: "there is no such image",
          reason: "FAILURE_REASON_INVALID",
          says: /"no-such-image"/,
          call: (world) => remove(world, "no-such-image"),
        },
      ],
      FAILED_PRECONDITION: [
        {
          when: "a rollout of it runs",
          reason: "FAILURE_REASON_INVALID",
          says: /is being installed by rollout/,
          async call(world, test) {
            await aRollout(world, test);
            return remove(world, "tiny");
          },
        },
        {
          when: "a node's boot target needs it",
          reason: "FAILURE_REASON_INVALID",
          says: /is needed: 1 node boots its own system.*: node-.*reimage NODE.*erases their cards.*boot NODE agent/,
          async call(world) {
            const { controller } = world;
            const { name: node } = await aNode(world);
            const local = { node, bootTarget: BootTarget.BOOT_TARGET_LOCAL, imageName: "tiny", force: false };
            await answer(controller, controller.setBootTarget, local);
            return remove(world, "tiny").finally(() =>
              answer(controller, controller.forgetNode, { node, force: true }),
            );
          },
        },
      ],
    },
  },
};
