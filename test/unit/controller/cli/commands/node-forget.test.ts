import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { status } from "@grpc/grpc-js";
import { Failure } from "../../../../../proto/failure.ts";
import type { ControllerServiceServer } from "../../../../../proto/gen/pallet/v1/controller.ts";
import { knownNode } from "../a-catalogue.ts";
import { run } from "../a-console.ts";
import { type AController, answer, refusal, startController } from "../a-controller.ts";

const terminal = { columns: 100, rows: 30 };
const follows = "rack-1 is online. Forgotten, it loses its name; to forget it all the same, give --yes";

describe("node forget, of a node that is online", () => {
  let controller: AController;
  let forced: boolean[];
  let rolloutId: string;
  const forgetNode: ControllerServiceServer["forgetNode"] = ({ request }, callback) => {
    forced.push(request.force);
    if (request.force && rolloutId === "") callback(null, {});
    else callback(refusal(status.FAILED_PRECONDITION, new Failure("invalid", follows)));
  };
  before(async () => {
    controller = await startController({
      forgetNode,
      getNode: answer(() => ({ node: { ...knownNode, rolloutId } })),
    });
  });
  after(() => controller.close());
  beforeEach(() => {
    forced = [];
    rolloutId = "";
  });
  const forget = (options: object, ...args: string[]) =>
    run(["node", "forget", "rack-1", ...args], { socket: controller.socket, ...options });

  it("says what follows and asks", async () => {
    const { code, stdout, stderr } = await forget({ terminal, input: ["yes"] });
    assert.equal(code, 0);
    assert.match(stderr, /is online\. Forgotten, it loses its name.*Forget rack-1\? Type yes: /s);
    assert.match(stdout, /forgot rack-1/);
    assert.deepEqual(forced, [false, true]);
  });

  it("forgets nothing without a full yes", async () => {
    const { code, stderr } = await forget({ terminal, input: ["y"] });
    assert.equal(code, 1);
    assert.match(stderr, /Not confirmed; nothing was changed/);
    assert.deepEqual(forced, [false]);
  });

  it("is refused where there is nobody to ask", async () => {
    const { code, stderr } = await forget({});
    assert.equal(code, 1);
    assert.match(stderr, /^error: rack-1 is online.*give --yes/);
    assert.deepEqual(forced, [false]);
  });

  it("does not ask with --yes", async () => {
    assert.equal((await forget({ terminal }, "--yes")).code, 0);
    assert.deepEqual(forced, [true]);
  });

  it("asks no question that a rollout has answered", async () => {
    rolloutId = "r-1";
    assert.equal((await forget({ terminal, input: ["yes"] })).code, 1);
    assert.deepEqual(forced, [false]);
  });
});
