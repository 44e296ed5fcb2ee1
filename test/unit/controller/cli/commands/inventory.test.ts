// What Ansible gets when it runs the command. With the real Ansible: test/e2e/ansible-inventory.test.ts.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { NodeState } from "../../../../../proto/gen/pallet/v1/controller.ts";
import { assertGolden } from "../../../../golden.ts";
import { installedNode, knownNode } from "../a-catalogue.ts";
import { run } from "../a-console.ts";
import { type AController, answer, startController } from "../a-controller.ts";

const nodes = [{ ...knownNode, labels: [{ key: "rack", value: "a" }] }, installedNode];
const inState: Readonly<Partial<Record<NodeState, readonly string[]>>> = {
  [NodeState.NODE_STATE_ONLINE]: ["rack-1"],
  [NodeState.NODE_STATE_PROVED]: ["rack-1", "rack-2"],
};

describe("controller inventory", () => {
  let controller: AController;
  let empty: AController;
  before(async () => {
    controller = await startController({
      selectNodes: answer(({ selector, acceptedOnly }) => {
        assert.equal(acceptedOnly, true);
        const [state] = selector?.states ?? [];
        const names = state === undefined ? undefined : (inState[state] ?? []);
        return { nodes: nodes.filter(({ name }) => names?.includes(name) ?? true) };
      }),
    });
    empty = await startController({ selectNodes: answer(() => ({ nodes: [] })) });
  });
  after(async () => {
    await controller.close();
    await empty.close();
  });
  const inventory = (...argv: readonly string[]) => run(["inventory", ...argv], { socket: controller.socket });

  it("--list has the accepted nodes, in the states that the controller says", async () => {
    const { code, stdout, stderr } = await inventory("--list");
    assert.deepEqual([code, stderr], [0, ""]);
    assertGolden("cli/inventory.json", stdout);
  });

  it("--list of no nodes is an inventory, too, and says nothing on stderr, which Ansible would show as an error", async () => {
    assert.deepEqual(await run(["inventory", "--list"], { socket: empty.socket }), {
      code: 0,
      stdout: '{\n  "_meta": {\n    "hostvars": {}\n  }\n}\n',
      stderr: "",
    });
  });

  it("--host has the variables of one host", async () => {
    const all = JSON.parse((await inventory("--list")).stdout);
    assert.deepEqual(JSON.parse((await inventory("--host", "rack-2")).stdout), all._meta.hostvars["rack-2"]);
  });

  it("--host refuses what is no host of the inventory", async () => {
    assert.deepEqual(await inventory("--host", "rack-3"), {
      code: 1,
      stdout: "",
      stderr:
        "error: the inventory has no host rack-3; there are rack-1, rack-2; it has accepted nodes alone: " +
        '"controller nodes --accepted" lists them\n',
    });
    assert.equal((await inventory("--host", "constructor")).code, 1);
  });
});
