import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { PhaseName, ReimageState } from "../../../../../controller/reimage/machine/reimage-state.ts";
import { defaultReimageSettings } from "../../../../../controller/reimage/machine/settings.ts";
import { transition } from "../../../../../controller/reimage/machine/transition.ts";
import { netbooted, phases, proof, startedAt, stateIn } from "../fakes/sample-states.ts";

const [ours, other] = ["10000000aaaaaaaa", "10000000bbbbbbbb"];
const before = { bootTarget: { kind: "agent" }, serial: ours } as const;
const sight = (state: ReimageState, sighting: typeof netbooted) =>
  transition(state, { type: "agent-sighted", ...sighting }, startedAt + 10, defaultReimageSettings);

describe("another board that shows itself in the middle of a reimage", () => {
  for (const name of Object.keys(phases) as PhaseName[])
    it(`neither goes on with it nor proves it: ${name}`, () => {
      const state: ReimageState = { ...stateIn(name), before };
      for (const sighting of [netbooted, proof]) {
        const { state: after, effects } = sight(state, { ...sighting, serial: other });
        if (["queued", "proved", "failed", "cancelled"].includes(name)) {
          assert.deepEqual([after, effects], [state, []]);
          continue;
        }
        assert.equal(after.phase.name, "failed");
        if (after.phase.name !== "failed") return;
        assert.equal(after.phase.failure.reason, "wrong-system");
        assert.match(after.phase.failure.message, /serial number 10000000bbbbbbbb has the MAC address of .*10000000aaaaaaaa/); // biome-ignore format: one line
        const forbidden = effects.filter(({ type }) => ["start-write", "reboot-node", "record-proof"].includes(type));
        assert.deepEqual(forbidden, []);
        assert.equal(effects.some(({ type }) => type === "cancel-write"), name === "writing"); // biome-ignore format: one line
      }
    });

  it("is the board that the reimage is about where none was known", () => {
    const { serial: _, ...unknown } = before;
    const { state } = sight({ ...stateIn("netbooting"), before: unknown }, { ...netbooted, serial: other });
    assert.equal(state.phase.name, "checking");
    assert.equal(state.before?.serial, other);
  });

  it("cannot be told where its kernel does not read the serial number", () => {
    for (const serial of ["", undefined]) {
      const sighting = { ...netbooted, ...(serial !== undefined && { serial }) };
      assert.equal(sight({ ...stateIn("netbooting"), before }, sighting).state.phase.name, "checking");
    }
  });
});
