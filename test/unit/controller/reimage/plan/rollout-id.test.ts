import assert from "node:assert/strict";
import { it } from "node:test";
import { newRolloutId } from "../../../../../controller/reimage/plan/rollout-id.ts";

it("ids of rollouts sort by time and satisfy the contract", () => {
  const id = newRolloutId(Date.parse("2026-11-23T00:17:05.123Z"), () => 0.999_999);
  assert.equal(id, "20261123-001705-9999");
  assert.match(id, /^[A-Za-z0-9._-]{1,64}$/);
});

it("ids of rollouts of one second differ", () =>
  assert.notEqual(
    newRolloutId(0, () => 0),
    newRolloutId(0, () => 0.5),
  ));
