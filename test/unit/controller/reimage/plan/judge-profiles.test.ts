import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { judgeConfirmedConfig } from "../../../../../controller/reimage/plan/judge-profiles.ts";

describe("profiles that have changed since they were confirmed", () => {
  it("are no reason where they say the same", () => {
    assert.equal(judgeConfirmedConfig("pi-1", "one", "one"), undefined);
    assert.equal(judgeConfirmedConfig("pi-1", undefined, undefined), undefined);
  });

  it("keep the card from being erased, and say so only where no write may have touched it", () => {
    assert.match(judgeConfirmedConfig("pi-1", "one", "other")?.message ?? "", /so nothing was erased/);
    const again = judgeConfirmedConfig("pi-1", "one", "other", true)?.message ?? "";
    assert.match(again, /so it is not written again/);
    assert.doesNotMatch(again, /erased/);
  });
});
