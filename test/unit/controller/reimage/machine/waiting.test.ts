import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { PhaseName, ReimageState } from "../../../../../controller/reimage/machine/reimage-state.ts";
import { defaultReimageSettings as settings } from "../../../../../controller/reimage/machine/settings.ts";
import { transition } from "../../../../../controller/reimage/machine/transition.ts";
import { describeWaiting } from "../../../../../controller/reimage/machine/waiting.ts";
import { startedAt, stateIn } from "../fakes/sample-states.ts";

const minute = 60_000;

function sign(state: ReimageState, at: number, type: "boot-file-fetched" | "address-leased" = "boot-file-fetched") {
  const event = type === "boot-file-fetched" ? ({ type, path: "vmlinuz", at } as const) : ({ type, at } as const);
  return transition(state, event, at, settings);
}

function deadlineOf({ phase }: ReimageState): number {
  assert.ok("deadlineAt" in phase);
  return phase.deadlineAt - startedAt;
}

describe("a node that is waited for", () => {
  for (const name of ["netbooting", "rebooting", "proving"] satisfies PhaseName[])
    for (const type of ["boot-file-fetched", "address-leased"] as const)
      it(`has the time of a boot again from each sign of life: ${type} while ${name}`, () => {
        // A boot file ends the phase rebooting.
        if (name === "rebooting" && type === "boot-file-fetched") return;
        const once = sign(stateIn(name), startedAt + 9 * minute, type);
        assert.equal(deadlineOf(once.state), 19 * minute);
        assert.ok(once.effects.some((effect) => effect.type === "arm-timer" && effect.delayMs === 10 * minute));
        const again = sign(once.state, startedAt + 18 * minute, type);
        assert.equal(deadlineOf(again.state), 28 * minute);
        assert.equal(
          transition(again.state, { type: "deadline-passed", step: 4 }, startedAt + 20 * minute, settings).state.phase
            .name,
          name,
        );
      });

  it("is waited for no longer than the operator allows, however much it shows", () => {
    let state = stateIn("proving");
    for (let at = 1; at < 30; at += 1) state = sign(state, startedAt + at * minute).state;
    assert.equal(deadlineOf(state), settings.longestBootMs);
    const { phase } = transition(state, { type: "deadline-passed", step: 4 }, startedAt + 30 * minute, settings).state;
    assert.ok(phase.name === "failed");
    assert.match(
      phase.failure.message,
      /within 30 min, which its signs of life had extended \(reimage\.longestBootMs is the limit\)/,
    );
  });

  it("never has less time because of a sign", () => {
    const patient = { ...settings, longestBootMs: minute };
    const event = { type: "address-leased", at: startedAt + 2 * minute } as const;
    const { state } = transition(stateIn("proving"), event, startedAt + 2 * minute, patient);
    assert.equal(deadlineOf(state), 10 * minute);
  });
});

describe("what is told of the wait", () => {
  const told = (state: ReimageState) => describeWaiting(state);
  it("is silence, a boot, or the image's own first boot", () => {
    const proving = stateIn("proving");
    assert.equal(
      told(proving),
      "nothing was heard of pi-1 since 1970-01-01T00:16:40Z; waiting until 1970-01-01T00:26:40Z",
    );
    assert.match(
      told(sign(proving, startedAt + minute, "address-leased").state) ?? "",
      /^pi-1 is booting: it got an address at 1970-01-01T00:17:40Z; waiting until 1970-01-01T00:27:40Z$/,
    );
    assert.match(
      told(sign(proving, startedAt + minute).state) ?? "",
      /^pi-1 is booting: it fetched "vmlinuz" at 1970-01-01T00:17:40Z; waiting until/,
    );
    const event = {
      type: "boot-file-fetched",
      path: "initrd",
      at: startedAt + minute,
      firstBoot: "half-done",
    } as const;
    assert.match(
      told(transition(proving, event, startedAt + minute, settings).state) ?? "",
      /it fetched "initrd" at .*, and the image's own first boot is at work, which reboots by itself; waiting until/,
    );
    assert.equal(told(stateIn("writing")), undefined);
  });

  it("does not count what was seen before the phase began", () => {
    const { state } = sign(stateIn("proving"), startedAt - 1);
    assert.match(told(state) ?? "", /^nothing was heard/);
  });
});
