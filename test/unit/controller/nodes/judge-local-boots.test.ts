import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  firstBootsDone,
  installationAfterFailedLoad,
  installationAfterLoad,
  installationAfterSign,
  installationToBoot,
  localBootsBeforeLook,
  wantsLook,
} from "../../../../controller/nodes/judge-local-boots.ts";
import type { BootTarget, FirstBoot, Installation } from "../../../../controller/nodes/node.ts";
import type { ImageDigest } from "../../../../proto/pack/digest.ts";

const imageDigest = "ab".repeat(32) as ImageDigest;
const other = "cd".repeat(32) as ImageDigest;
const local: BootTarget = { kind: "local", imageDigest };
const agent: BootTarget = { kind: "agent" };
const written: Installation = { imageDigest, reimageId: "r", resident: true, firstBoot: "due" };
const at = 7_000_000;
const silent: Installation = { ...written, firstBoot: "done", localBoots: localBootsBeforeLook };

describe("a look at the card", () => {
  const cases: readonly [string, BootTarget, Installation | undefined, boolean][] = [
    ["is wanted after so many silent boots", local, silent, true],
    ["is not wanted after one boot less", local, { ...silent, localBoots: localBootsBeforeLook - 1 }, false],
    ["is not wanted of a node that goes to the agent anyway", agent, silent, false],
    [
      "is not wanted of a system without a resident agent, which is always silent",
      local,
      { ...silent, resident: false },
      false,
    ],
    [
      "is not wanted of a node whose target is another image than the one written",
      { ...local, imageDigest: other },
      silent,
      false,
    ],
    ["is not wanted where nobody knows what is on the card", local, undefined, false],
  ];
  for (const [title, bootTarget, installation, wanted] of cases)
    it(title, () => assert.equal(wantsLook({ bootTarget, ...(installation && { installation }) }), wanted));
});

describe("what is known of a card", () => {
  const loads: readonly [
    string,
    Installation | undefined,
    BootTarget,
    "agent" | "local",
    FirstBoot | undefined,
    Installation | undefined,
  ][] = [
    [
      "a first boot",
      written,
      local,
      "local",
      "done",
      { ...written, firstBoot: "done", localBootsSince: at, localBoots: 1 },
    ],
    [
      "the first of two",
      written,
      local,
      "local",
      "half-done",
      { ...written, firstBoot: "half-done", localBootsSince: at, localBoots: 1 },
    ],
    [
      "a boot without its words",
      written,
      local,
      "local",
      undefined,
      { ...written, localBootsSince: at, localBoots: 1 },
    ],
    ["one boot more", { ...silent, localBoots: 1 }, local, "local", undefined, { ...silent, localBoots: 2 }],
    ["many boots", silent, local, "local", undefined, silent],
    [
      "the detour to the agent",
      silent,
      local,
      "agent",
      undefined,
      { ...silent, localBoots: 0, lookDue: true, looked: true },
    ],
    [
      "a local boot although the detour was due (the agent never came up)",
      { ...silent, localBoots: 0, lookDue: true },
      local,
      "local",
      undefined,
      { ...silent, localBootsSince: at, localBoots: 1 },
    ],
    [
      "the second detour, soon after the first",
      { ...silent, looked: true, localBootsSince: at - 10 * 60_000 },
      local,
      "agent",
      undefined,
      { ...silent, localBoots: 0, lookDue: true, looked: true, loopsAgain: true },
    ],
    [
      "the second detour, long after the first",
      { ...silent, looked: true, localBootsSince: at - 60 * 60_000 },
      local,
      "agent",
      undefined,
      { ...silent, localBoots: 0, lookDue: true, looked: true },
    ],
    ["the agent because that is the target", silent, agent, "agent", undefined, silent],
    ["the agent because nothing else could be served", written, local, "agent", undefined, written],
    ["another image", written, { ...local, imageDigest: other }, "local", undefined, written],
    ["a card of which nothing is known", undefined, local, "local", "done", undefined],
  ];
  for (const [title, before, bootTarget, label, firstBoot, after] of loads)
    it(`after the load of ${title}`, () => {
      const node = { bootTarget, ...(before && { installation: before }) };
      assert.deepEqual(installationAfterLoad(node, { label, ...(firstBoot && { firstBoot }) }, at), after);
    });

  it("when an agent was heard: the silence is over, and a look stays due until it was taken", () => {
    const { localBoots: _, ...heard } = silent;
    assert.deepEqual(installationAfterSign({ ...silent, lookDue: true }, "resident"), heard);
    assert.deepEqual(installationAfterSign({ ...silent, lookDue: true }, "netboot"), { ...heard, lookDue: true });
    assert.deepEqual(installationAfterSign(silent, "netboot"), heard);
    assert.equal(installationAfterSign(undefined, "netboot"), undefined);
  });

  it("says how much of the first boot is done", () => {
    assert.equal(firstBootsDone({ bootTarget: local, installation: written }), 0);
    assert.equal(firstBootsDone({ bootTarget: local, installation: { ...written, firstBoot: "half-done" } }), 1);
    assert.equal(firstBootsDone({ bootTarget: local, installation: silent }), undefined);
    assert.equal(firstBootsDone({ bootTarget: agent, installation: written }), undefined);
    assert.equal(firstBootsDone({ bootTarget: { ...local, imageDigest: other }, installation: written }), undefined);
    assert.equal(firstBootsDone({ bootTarget: local }), undefined);
  });
});

describe("a node is kept in the agent", () => {
  const steps = ["load", "give up", "system heard", "agent heard", "wait"] as const;

  it("only after a look, and three silent starts of its kernel since, within half an hour", () =>
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(...steps, "load", "load"), fc.integer({ min: 1, max: 20 * 60_000 })), {
          maxLength: 60,
        }),
        (story) => {
          let at = 0;
          let known: Installation = written;
          let looked = false;
          let starts: number[] = [];
          for (const [step, passed] of story) {
            at += passed;
            const node = { bootTarget: local, installation: known };
            const isLook = wantsLook(node);
            if (step === "load") {
              known = installationAfterLoad(node, { label: isLook ? "agent" : "local" }, at) ?? known;
              if (isLook) {
                const last = starts.slice(-localBootsBeforeLook);
                const isLoop = looked && last.length === localBootsBeforeLook && at - (last[0] ?? 0) <= 30 * 60_000;
                if (known.loopsAgain === true) assert.ok(isLoop, "kept without a loop");
                looked = true;
                starts = [];
              } else starts.push(at);
            } else if (step === "give up") known = installationAfterFailedLoad(node) ?? known;
            else if (step === "system heard") {
              known = installationAfterSign(known, "resident") ?? known;
              assert.deepEqual([known.looked, known.loopsAgain, known.localBoots], [undefined, undefined, undefined]);
              looked = false;
              starts = [];
            } else if (step === "agent heard") {
              known = installationAfterSign(known, "netboot") ?? known;
              starts = [];
            }
          }
        },
      ),
      { numRuns: 2000 },
    ));

  it("and is counted anew once it was sent to its card again", () => {
    const kept: Installation = { ...silent, looked: true, loopsAgain: true, lookDue: true, erased: true };
    const { localBoots: _, ...fresh } = silent;
    assert.deepEqual(installationToBoot(kept, imageDigest), fresh);
    assert.deepEqual(installationToBoot(kept, other), { ...fresh, erased: true });
  });
});
