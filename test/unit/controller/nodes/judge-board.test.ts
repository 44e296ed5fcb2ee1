import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  acceptBoard,
  areDifferentBoards,
  describeReplacement,
  judgeBoard,
} from "../../../../controller/nodes/judge-board.ts";
import type { Node } from "../../../../controller/nodes/node.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";
import type { ImageDigest } from "../../../../proto/pack/digest.ts";

const digest = "d".repeat(64) as ImageDigest;
const known: Node = {
  id: "b8:27:eb:00:00:01" as NodeId,
  name: "pi-1",
  accepted: true,
  bootTarget: { kind: "local", imageDigest: digest },
  labels: { rack: "a" },
  proved: { imageName: "debian", imageDigest: digest, kind: "resident" },
  installation: { imageDigest: digest, reimageId: "r", resident: true },
  lastSeenAt: 1,
  discoveredAt: 1,
  board: { serial: "10000000aaaaaaaa" },
};
const fresh: Node = { id: known.id, name: "node-000001", accepted: false, bootTarget: { kind: "agent" }, lastSeenAt: 1, discoveredAt: 1 }; // biome-ignore format: one line
const [ours, other, third] = ["10000000aaaaaaaa", "10000000bbbbbbbb", "10000000cccccccc"] as const;
const register = (node: Node, serial: string) => judgeBoard(node, serial, { at: 7, newName: () => "node-000001" });

describe("whether two serial numbers are of different boards", () => {
  for (const [one, two, verdict] of [
    [ours, ours, false],
    [ours, ours.toUpperCase(), false],
    ["00000000aaaaaaaa", "aaaaaaaa", false],
    [ours, other, true],
    // The same last eight digits, which is all that firmware says, are not the same board.
    [ours, "20000000aaaaaaaa", true],
    [ours, "", false],
    ["", other, false],
    ["", "", false],
  ] as const)
    it(`"${one}" and "${two}": ${verdict}`, () => assert.equal(areDifferentBoards(one, two), verdict));
});

describe("the board behind a MAC address", () => {
  it("is the same by its serial number, and when its kernel cannot tell it", () => {
    for (const serial of [ours, ""]) assert.deepEqual(register(known, serial), { verdict: "same", node: known });
  });

  it("gets its serial number into a record that had none", () => {
    const { board: _, ...older } = known;
    assert.deepEqual(register(older, ours), { verdict: "same", node: known });
    assert.equal(register(older, "").node.board, undefined);
  });

  it("is another by another serial number: nothing of the first carries over, and nothing of it is lost", () => {
    const { verdict, node } = register(known, other);
    assert.equal(verdict, "another");
    const { name, accepted, labels, bootTarget, proved, installation } = known;
    const setAside = { serial: ours, name, accepted, labels, bootTarget, proved, installation, since: 7 };
    assert.deepEqual(node, { ...fresh, board: { serial: other, replaced: setAside } });
    assert.match(
      describeReplacement(node) ?? "",
      /^node-000001 is another board \(serial number 10000000bbbbbbbb\) than pi-1 \(10000000aaaaaaaa\).*"controller node accept node-000001"/,
    );
  });

  it("takes over name and labels when the operator accepts it, and no proof", () => {
    const accepted = acceptBoard(register(known, other).node);
    assert.deepEqual(accepted, {
      ...fresh,
      name: "pi-1",
      accepted: true,
      labels: { rack: "a" },
      board: { serial: other },
    });
    assert.equal(describeReplacement(accepted), undefined);
    assert.equal(register(accepted, ours).verdict, "another");
  });

  it("becomes another without ado where nothing was said of the first", () => {
    const { verdict, node } = register({ ...fresh, board: { serial: ours } }, other);
    assert.deepEqual([verdict, node], ["another", { ...fresh, board: { serial: other } }]);
  });

  it("keeps a name that was given, also to a board that was not accepted", () => {
    const named = { ...fresh, name: "desk", board: { serial: ours } };
    const { node } = register(named, other);
    assert.equal(node.name, "node-000001");
    assert.equal(register(node, ours).node.name, "desk");
  });

  it("is itself again, whoever was there meanwhile, until another was accepted", () => {
    const serial = fc.constantFrom(ours, other, third, "");
    fc.assert(
      fc.property(fc.array(serial), (serials) => {
        let node = known;
        // Who is there: a registration without a serial number says nothing else than before.
        let present: string = ours;
        for (const each of serials) {
          const before = node;
          const { verdict, node: after } = register(before, each);
          node = after;
          if (each !== "") present = each;
          assert.equal(node.board?.serial, present);
          if (present === ours) assert.deepEqual(node, known);
          else {
            assert.deepEqual([node.accepted, node.proved, node.installation], [false, undefined, undefined]);
            assert.deepEqual(node.bootTarget, { kind: "agent" });
            assert.notEqual(node.name, known.name);
            assert.equal(node.board?.replaced?.serial, ours);
          }
          assert.equal(verdict === "same", before.board?.serial === present);
        }
      }),
    );
  });
});
