import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { freshNode, knownNode } from "../a-catalogue.ts";
import { run } from "../a-console.ts";
import { type AController, type Answers, answer, startController } from "../a-controller.ts";

const started: AController[] = [];
after(() => Promise.all(started.map((controller) => controller.close())));
async function start(answers: Answers): Promise<string> {
  const controller = await startController(answers);
  started.push(controller);
  return controller.socket;
}

describe("what a shell offers", () => {
  it("is a value on each line, with what is known of it behind a tab", async () => {
    const socket = await start({ listNodes: answer(() => ({ nodes: [freshNode, { ...knownNode, accepted: true }] })) });
    const { code, stdout, stderr } = await run(["complete-values", "node"], { socket });
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, new RegExp(`^${freshNode.name}\tpending\n${knownNode.name}\t(online|offline)`));
  });

  it("keeps what was typed before a comma", async () => {
    const socket = await start({
      listNodes: answer(() => ({ nodes: [{ ...freshNode, labels: [{ key: "rack", value: "a" }] }] })),
    });
    const { stdout } = await run(["complete-values", "label", "--", "spare,ra"], { socket });
    assert.equal(stdout, "spare,rack=a\t1 node\n");
  });

  it("is nothing when the controller does not answer soon", async () => {
    const socket = await start({ listNodes: () => undefined });
    const { code, stdout } = await run(["complete-values", "node"], { socket });
    assert.deepEqual([code, stdout], [1, ""]);
  });

  it("is no command that help shows", async () => {
    assert.doesNotMatch((await run(["--help"])).stdout, /complete-values/);
  });
});
