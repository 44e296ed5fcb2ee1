import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { type ServiceError, status } from "@grpc/grpc-js";
import { alreadyExists } from "../../../../../controller/refusal/refusal.ts";
import type { ImageCatalogue } from "../../../../../controller/rpc/doors/parts.ts";
import { Failure } from "../../../../../proto/failure.ts";
import { AddImageRequest, type AddImageResponse } from "../../../../../proto/gen/pallet/v1/controller.ts";
import { image } from "../../reimage/fakes/fake-rack.ts";
import { failureOf, type ServedController, serveController } from "../served-controller.ts";

const header = (name: string, fileBytes = 0): AddImageRequest =>
  AddImageRequest.fromPartial({ part: { $case: "header", value: { name, fileBytes } } });
const chunk = (bytes: number): AddImageRequest => ({ part: { $case: "chunk", value: new Uint8Array(bytes) } });

describe("AddImage", () => {
  let served: ServedController;
  beforeEach(async () => {
    served = await serveController();
  });
  afterEach(() => served.close());

  const importBy = (add: ImageCatalogue["add"]): void => {
    served.parts.images.add = add;
  };
  /** Takes in all bytes, as a real import would. */
  const swallow: ImageCatalogue["add"] = async ({ source, onProgress }) => {
    let receivedBytes = 0;
    for await (const bytes of source) {
      receivedBytes += bytes.length;
      onProgress({ step: "receiving", receivedBytes });
    }
    return image;
  };

  /** Sends messages, ends, and collects the answers; rejects with the ServiceError. */
  const send = async (...messages: AddImageRequest[]): Promise<AddImageResponse[]> => {
    const call = served.client.addImage();
    const answers: AddImageResponse[] = [];
    for (const message of messages) call.write(message);
    call.end();
    for await (const answer of call) answers.push(answer as AddImageResponse);
    return answers;
  };
  const refuses = (call: Promise<unknown>, code: status, message: RegExp): Promise<void> =>
    assert.rejects(call, (error: ServiceError) => {
      assert.equal(status[error.code], status[code], error.details);
      assert.match(error.details, message);
      assert.equal(failureOf(error).message, error.details);
      return true;
    });

  it("imports what comes and answers with the image last", async () => {
    let received = 0;
    importBy(async ({ name, fileBytes, source }) => {
      for await (const bytes of source) received += bytes.length;
      return { ...image, name: `${name}-${fileBytes}` as never };
    });
    const answers = await send(header("debian", 3000), chunk(1000), chunk(0), chunk(2000));
    assert.equal(received, 3000);
    assert.deepEqual(answers.at(-1)?.part?.$case, "image");
    const last = answers.at(-1)?.part;
    assert.equal(last?.$case === "image" && last.value.name, "debian-3000");
    assert.equal([...served.events.list()].at(-1)?.type, "image-added");
  });

  it("hands the block map on that the header brings", async () => {
    const got: (string | undefined)[] = [];
    importBy((request) => {
      got.push(request.blockMap && `${Buffer.from(request.blockMap)}`);
      return swallow(request);
    });
    const value = { name: "debian", blockMap: Buffer.from("<bmap>") };
    await send(AddImageRequest.fromPartial({ part: { $case: "header", value } }), chunk(512));
    await send(header("debian"), chunk(512));
    assert.deepEqual(got, ["<bmap>", undefined]);
  });

  it("hands the digest on that the image must have", async () => {
    const got: (string | undefined)[] = [];
    importBy((request) => {
      got.push(request.expectedDigest);
      return swallow(request);
    });
    const imageDigest = "ab".repeat(32);
    const value = { name: "debian", imageDigest };
    await send(AddImageRequest.fromPartial({ part: { $case: "header", value } }), chunk(512));
    await send(header("debian"), chunk(512));
    assert.deepEqual(got, [imageDigest, undefined]);
  });

  it("tells progress meanwhile", async () => {
    importBy(async (request) => {
      const added = await swallow(request);
      await new Promise((resolve) => setTimeout(resolve, 300));
      return added;
    });
    const [first] = await send(header("debian", 3000), chunk(3000));
    assert.deepEqual(first?.part, {
      $case: "progress",
      value: { step: "receiving", received: { done: 3000n, total: 3000n } },
    });
  });

  it("takes no more from the network than the import reads", async () => {
    const go = Promise.withResolvers<void>();
    let received = 0;
    importBy(async ({ source }) => {
      await go.promise;
      for await (const bytes of source) received += bytes.length;
      return image;
    });
    const call = served.client.addImage();
    const done = (async () => {
      for await (const _ of call);
    })();
    call.write(header("debian"));
    const mebibyte = chunk(1024 * 1024);
    let written = 0;
    const writing = (async () => {
      for (; written < 64; written++) await new Promise((resolve) => call.write(mebibyte, resolve));
      call.end();
    })();
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.ok(written < 32, `${written} MiB went out although nobody read them`);
    go.resolve();
    await Promise.all([writing, done]);
    assert.equal(received, 64 * 1024 * 1024);
  });

  for (const [name, messages, message] of [
    ["no header", [chunk(1)], /first message.*header/],
    ["nothing at all", [], /first message.*header/],
    ["two headers", [header("a"), header("b")], /must be a chunk/],
    ["an empty message", [header("a"), AddImageRequest.fromPartial({})], /must be a chunk/],
    ["a chunk that is too large", [header("a"), chunk(1024 * 1024 + 1)], /at most 1048576/],
    ["fewer bytes than announced", [header("a", 10), chunk(9)], /announced with 10 bytes, but 9 arrived/],
    [
      "more than any image has",
      [AddImageRequest.fromPartial({ part: { $case: "header", value: { name: "a", fileBytes: 2n ** 64n - 1n } } })],
      /announced with 18446744073709551615 bytes; a file has at most 2199023255552/,
    ],
    [
      "a digest that is none",
      [AddImageRequest.fromPartial({ part: { $case: "header", value: { name: "a", imageDigest: "ab" } } })],
      /image_digest of an image must be a lower-case hexadecimal SHA-256/,
    ],
    ["more bytes than announced", [header("a", 10), chunk(11)], /announced with 10 bytes, and more arrives/],
  ] as const) {
    it(`refuses ${name}`, async () => {
      importBy(swallow);
      await refuses(send(...messages), status.INVALID_ARGUMENT, message);
    });
  }

  for (const [name, error, code] of [
    ["an unusable image", new Failure("image-damaged", "it has no partition table"), status.INVALID_ARGUMENT],
    ["a name that is taken", alreadyExists("there is an image of that name"), status.ALREADY_EXISTS],
    ["a full disk", Object.assign(new Error("no space left on device"), { code: "ENOSPC" }), status.RESOURCE_EXHAUSTED],
  ] as const) {
    it(`tells of ${name} although more was to come`, async () => {
      importBy(async ({ source }) => {
        for await (const _ of source) throw error;
        return image;
      });
      await refuses(send(header("a"), chunk(1), chunk(1), chunk(1)), code, new RegExp(error.message));
    });
  }

  for (const [name, fileBytes] of [
    ["announced", 1000],
    ["unknown", 0],
  ] as const) {
    it(`ends the import when the caller cancels, also where the length is ${name}`, async () => {
      const ended = Promise.withResolvers<string>();
      importBy(async ({ source, signal }) => {
        try {
          for await (const _ of source) call.cancel();
          ended.resolve("took what was cut off for complete");
        } catch (error) {
          ended.resolve(signal.aborted ? "was cancelled" : String(error));
          throw error;
        }
        return image;
      });
      const call = served.client.addImage();
      call.on("error", () => undefined);
      call.write(header("debian", fileBytes));
      call.write(chunk(10));
      assert.equal(await ended.promise, "was cancelled");
      assert.deepEqual(served.errors, []);
    });
  }
});
