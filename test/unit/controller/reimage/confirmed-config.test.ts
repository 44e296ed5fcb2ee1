// What profiles said when the operator confirmed is what a node is made; it is refused, untouched, when they say something else.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Image } from "../../../../controller/images/catalogue/image.ts";
import type { NodeSystem } from "../../../../controller/profiles/node-system.ts";
import type { RolloutId, RolloutRequest } from "../../../../controller/reimage/plan/rollout.ts";
import { Failure } from "../../../../proto/failure.ts";
import type { SystemAbilities } from "../../../../proto/system/config/abilities.ts";
import { createFakeRack, type FakeRack, image } from "./fakes/fake-rack.ts";

const id = "r1" as RolloutId;
const digests = { one: "1".repeat(64), two: "2".repeat(64) };
const abilities: SystemAbilities = {
  ...{ init: "systemd", distribution: "debian", users: [], groups: [], shells: [], sudo: false, timezones: true },
  ...{ locales: [], network: {}, cloudInit: false, units: {}, radios: [], has: [] },
};
const profiled: Image = { ...image, abilities };

function aSystem(digest: string, hostname = "pi"): NodeSystem {
  return { config: { hostname }, summary: { digest, profiles: ["a"], hostname } };
}

async function aRack(system: NodeSystem | undefined, images = [profiled]): Promise<FakeRack> {
  const rack = createFakeRack(1);
  rack.images = images;
  rack.systemOf = () => system;
  rack.machine().powerOn();
  await rack.clock.advanceSettling(25_000);
  return rack;
}

async function confirm(rack: FakeRack, more: Partial<RolloutRequest> = {}): Promise<RolloutRequest> {
  const { image: planned, plans } = await rack.rollouts().plan({ nodes: [], all: true, ...more });
  const nodes = plans.map(({ nodeId }) => nodeId);
  const seen = plans.map((plan) => plan.seen);
  return { nodes, all: false, imageName: planned.name, imageDigest: planned.digest, seen, ...more };
}

const planOf = async (rack: FakeRack, more: Partial<RolloutRequest> = {}) =>
  (await rack.rollouts().plan({ nodes: [], all: true, ...more })).plans[0];
const lastOf = (rack: FakeRack) => rack.rollouts().list()[0]?.reimages[0];

describe("the config of a node", () => {
  it("is in the plan, the write, the stamp, the proof and the node's record, and makes it changed", async () => {
    const rack = await aRack(aSystem(digests.one));
    const request = await confirm(rack);
    assert.ok((await planOf(rack))?.steps.includes("Configure the new system by the profile a."));
    await rack.rollouts().start({ ...request, id });
    await rack.untilEnded(id);
    const proof = lastOf(rack)?.proof;
    assert.equal(proof?.kind === "resident" && proof.config, digests.one);
    const [spec] = rack.machine().specs;
    const customisation = spec?.kind === "write-image" ? spec.customisation : undefined;
    assert.equal(customisation?.stamp?.config, digests.one);
    assert.equal(rack.nodes.list()[0]?.installation?.config?.digest, digests.one);
    assert.doesNotMatch(JSON.stringify(rack.journal.list()), /"system"/);
    assert.notEqual((await planOf(rack, { onlyChanged: true }))?.unchanged, undefined);
    rack.systemOf = () => aSystem(digests.two);
    assert.equal((await planOf(rack, { onlyChanged: true }))?.unchanged, undefined);
    rack.systemOf = () => undefined;
    assert.equal((await planOf(rack, { onlyChanged: true }))?.unchanged, undefined);
  });

  for (const [title, after] of [
    ["something else", () => aSystem(digests.two)],
    ["nothing any more", () => undefined],
  ] as const)
    it(`is refused at the start when profiles say ${title}`, async () => {
      const rack = await aRack(aSystem(digests.one));
      const request = await confirm(rack);
      rack.systemOf = after;
      await assert.rejects(
        rack.rollouts().start({ ...request, id }),
        /pi-1: its profiles say something else than what/,
      );
      assert.deepEqual([rack.rollouts().list(), rack.machine().specs], [[], []]);
    });

  it("is refused at the start when nobody confirmed one", async () => {
    const rack = await aRack(undefined);
    const request = await confirm(rack);
    rack.systemOf = () => aSystem(digests.one);
    await assert.rejects(rack.rollouts().start({ ...request, id }), /confirmed: no config; found: config 111111111111/);
  });

  for (const [title, after, says] of [
    ["say something else", () => aSystem(digests.two), /its profiles say something else than what was confirmed/],
    ["cannot be rendered", () => new Failure("invalid", "the template failed"), /the template failed/],
  ] as const)
    it(`leaves the node untouched when profiles ${title} before the write`, async () => {
      const rack = await aRack(aSystem(digests.one));
      const request = await confirm(rack);
      rack.machine().powerOff();
      await rack.clock.advanceSettling(60_000);
      await rack.rollouts().start({ ...request, id });
      rack.systemOf = after;
      rack.machine().powerOn();
      await rack.untilEnded(id);
      const reimage = lastOf(rack);
      assert.deepEqual([reimage?.phase, reimage?.verdict], ["failed", "untouched"]);
      assert.match(reimage?.failure?.message ?? "", says);
      assert.deepEqual(rack.machine().specs, []);
    });

  it("is rendered anew by a controller that comes back, and gives the same write", async () => {
    const rack = await aRack(aSystem(digests.one));
    await rack.rollouts().start({ ...(await confirm(rack)), id });
    await rack.clock.advanceUntil(() => rack.machine().specs.length > 0, 600_000, 1000);
    rack.restart();
    await rack.untilEnded(id);
    assert.equal(rack.rollouts().list()[0]?.state, "succeeded");
  });

  it("is left out with --no-profiles", async () => {
    const rack = await aRack(aSystem(digests.one));
    const request = await confirm(rack, { noProfiles: true });
    await rack.rollouts().start({ ...request, id });
    await rack.untilEnded(id);
    assert.equal(rack.rollouts().list()[0]?.state, "succeeded");
    assert.equal(rack.nodes.list()[0]?.installation?.config, undefined);
  });

  for (const [title, images, more, says] of [
    [
      "an image that stays untouched",
      [profiled],
      { noResident: true },
      /--no-resident leaves the image untouched: give --no-profiles/,
    ],
    ["an image of which nobody knows what it can take", [image], {}, /add the image again under another name/],
  ] as const)
    it(`is refused in the plan for ${title}`, async () => {
      const rack = await aRack(aSystem(digests.one), [...images]);
      assert.match((await planOf(rack, more))?.refusal?.message ?? "", says);
    });

  it("is refused in the plan for an agent that is older than configs", async () => {
    const rack = createFakeRack(1);
    rack.images = [profiled];
    rack.systemOf = () => aSystem(digests.one);
    rack.machine().capabilities = (rack.machine().capabilities ?? []).filter((each) => each !== "system-config");
    rack.machine().powerOn();
    await rack.clock.advanceSettling(25_000);
    assert.match((await planOf(rack))?.refusal?.message ?? "", /cannot configure the new system by a profile/);
  });

  it("that cannot be rendered is a refusal in the plan, and refuses the start", async () => {
    const rack = await aRack(undefined);
    rack.systemOf = () => new Failure("invalid", "for pi-1, the profiles have 1 problem");
    assert.match((await planOf(rack, { onlyChanged: true }))?.refusal?.message ?? "", /the profiles have 1 problem/);
    await assert.rejects(rack.rollouts().start({ nodes: [], all: true, id }), /the profiles have 1 problem/);
  });

  it("that two nodes cannot both have is a refusal in the plan, and refuses the start; one of them alone may have it", async () => {
    const rack = createFakeRack(3);
    rack.images = [profiled];
    rack.systemOf = ({ name }) => aSystem(digests.one, name === "pi-3" ? "other" : "pi");
    for (const machine of rack.machines) machine.powerOn();
    await rack.clock.advanceSettling(25_000);
    const says = /by the profiles, several nodes would have the host name pi; .* \(pi-1, pi-2\)/;
    const { plans } = await rack.rollouts().plan({ nodes: [], all: true });
    assert.deepEqual(
      plans.map(({ refusal }) => says.test(refusal?.message ?? "")),
      [true, true, false],
    );
    await assert.rejects(rack.rollouts().start({ nodes: [], all: true, id }), says);
    assert.deepEqual(rack.rollouts().list(), []);
    await rack.rollouts().start({ nodes: ["pi-1", "pi-3"], all: false, id });
    assert.equal(rack.rollouts().list().length, 1);
  });
});
