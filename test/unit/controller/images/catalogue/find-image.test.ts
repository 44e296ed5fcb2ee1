// An image that does not exist is missed in one way by everyone who is given its name.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import type { ServiceError } from "@grpc/grpc-js";
import { requireImage } from "../../../../../controller/images/catalogue/find-image.ts";
import { createImageDeriver } from "../../../../../controller/images/derive/image-deriver.ts";
import { createImageStore } from "../../../../../controller/images/image-store.ts";
import { chooseBootTarget } from "../../../../../controller/nodes/choose-boot-target.ts";
import type { Node } from "../../../../../controller/nodes/node.ts";
import { createFakeRack, image } from "../../reimage/fakes/fake-rack.ts";
import { ask, serveController } from "../../rpc/served-controller.ts";

const expected = 'there is no image "beos"; "controller images" lists those that exist';
const images = { list: async () => [], get: async () => undefined, getByDigest: async () => undefined };

describe("an image that is not there", () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(path.join(tmpdir(), "pallet-find-image-"));
  });
  after(() => rm(directory, { recursive: true }));

  const users: Record<string, () => Promise<unknown>> = {
    "who looks it up": () => requireImage(images, "beos"),
    "a boot target": () => chooseBootTarget({ name: "pi-1" } as Node, { kind: "local", imageName: "beos" }, images),
    "a rollout": () =>
      createFakeRack(1)
        .rollouts()
        .start({ nodes: ["pi-1"], all: false, imageName: "beos" }),
    "its removal from the store": async () =>
      (await createImageStore({ directory, log: { warn: () => undefined } })).remove("beos"),
    "what is derived from it": () =>
      createImageDeriver({ images: { ...images, add: () => assert.fail() }, directory } as never).derive({
        name: "haiku",
        from: "beos",
      } as never),
    "the door that shows it": async () => {
      const served = await serveController();
      try {
        return await ask(served.client, served.client.getImage, { name: "beos" });
      } finally {
        await served.close();
      }
    },
  };
  for (const [user, take] of Object.entries(users))
    it(`is missed by ${user}`, () =>
      assert.rejects(take(), (error: Error & Partial<ServiceError>) => {
        assert.equal(error.details ?? error.message, expected);
        return true;
      }));

  it("has to be named", () => assert.rejects(requireImage(images, ""), /no image is named/));
  it("is not one that is there", async () =>
    assert.equal(await requireImage({ get: async () => image }, "debian-12"), image));
});
