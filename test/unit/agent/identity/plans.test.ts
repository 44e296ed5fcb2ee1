import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { chooseCiphers } from "../../../../agent/identity/choose-ciphers.ts";
import { explainRefusal } from "../../../../agent/identity/foreign-controller-error.ts";
import { judgeAnswer, judgeReboot, type Refusals } from "../../../../agent/identity/judge-refusals.ts";
import { planRenewal } from "../../../../agent/identity/plan-renewal.ts";
import { isUnset, renderTimeval } from "../../../../agent/identity/set-clock.ts";

describe("chooseCiphers", () => {
  const pi4 = "processor\t: 0\nFeatures\t: fp asimd evtstrm crc32 cpuid\nCPU implementer\t: 0x41\n";
  const pi5 = "processor\t: 0\nFeatures\t: fp asimd evtstrm aes pmull sha1 sha2 crc32\n";
  for (const [title, text, first] of [
    ["a Pi 4", pi4, "TLS_CHACHA20_POLY1305_SHA256"],
    ["a Pi 5", pi5, "TLS_AES_128_GCM_SHA256"],
    ["a PC", "flags\t\t: fpu vme sse4_2 aes xsave avx\n", "TLS_AES_128_GCM_SHA256"],
    ["a processor that nothing is known of", "", "TLS_CHACHA20_POLY1305_SHA256"],
    ["a word that only begins so", "Features : aesthetic\n", "TLS_CHACHA20_POLY1305_SHA256"],
  ] as const)
    it(`offers ${title} ${first} first, and the others after it`, () => {
      const offered = chooseCiphers(text).split(":");
      assert.equal(offered[0], first);
      assert.equal(new Set(offered).size, 3);
    });
});

describe("planRenewal", () => {
  const hour = 3_600_000;
  const day = 24 * hour;
  for (const [title, role, leftMs, nowLeftMs, plan] of [
    ["a netbooted agent's at half of its life", "netboot", 2 * hour, 2 * hour, { waitMs: hour, renew: true }],
    ["a long one's after looks at the clock", "netboot", day, day, { waitMs: hour, renew: false }],
    ["a resident agent's at 30 days left", "resident", 90 * day, 30 * day + hour, { waitMs: hour, renew: true }],
    ["a resident agent's of a day at half of it", "resident", day, day / 2 + 60_000, { waitMs: 60_000, renew: true }],
    ["one that expired while nobody answered within a minute", "resident", day, -day, { waitMs: 60_000, renew: true }],
    [
      "one that is over as soon as it comes, by a wrong clock, in an hour",
      "resident",
      0,
      -day,
      { waitMs: hour, renew: true },
    ],
    ["one whose clock was set back later", "resident", 90 * day, 20_000 * day, { waitMs: hour, renew: false }],
  ] as const)
    it(`renews ${title}`, () => assert.deepEqual(planRenewal(role, leftMs, nowLeftMs), plan));
});

describe("a netbooted node that is refused", () => {
  const minute = 60_000;
  /** What is known after these answers, each at its minute. */
  const after = (...answers: readonly (readonly [minute: number, "accepted" | "refused"])[]): Refusals | undefined => {
    let refusals: Refusals | undefined;
    for (const [at, answer] of answers) refusals = judgeAnswer(refusals, answer, at * minute);
    return refusals;
  };
  const refusedFor = (minutes: number) =>
    after(...Array.from({ length: minutes + 1 }, (_, at) => [at, "refused"] as const));
  for (const [title, refusals, now, spread, reboots] of [
    ["for less than five minutes stays", refusedFor(4), 4.9, 0, false],
    ["for five minutes reboots", refusedFor(5), 5, 0, true],
    ["waits for its own moment", refusedFor(5), 5, 0.5, false],
    ["reboots within ten", refusedFor(10), 10, 1, true],
    ["stays when the controller has been away since", refusedFor(5), 8, 0, false],
    [
      "stays when it was taken in between",
      after(...[0, 1, 2].map((at) => [at, "refused"] as const), [3, "accepted"], [4, "refused"], [5, "refused"]),
      5,
      0,
      false,
    ],
    ["stays when a long time was between two refusals", after([0, "refused"], [5, "refused"]), 5, 0, false],
    ["stays when it never was refused", undefined, 100, 0, false],
  ] as const)
    it(title, () => assert.equal(judgeReboot(refusals, now * minute, spread), reboots));
});

describe("explainRefusal", () => {
  for (const [words, expected] of [
    ["No connection established. Last error: Error: it shows no certificate", "shows no certificate"],
    [
      "14 UNAVAILABLE: Last error: self-signed certificate in certificate chain",
      /authority that this node does not believe/,
    ],
    ["unable to verify the first certificate", /authority that this node does not believe/],
    ["certificate has expired", /whose time is not now/],
    [
      "write EPROTO 00:error:0A00010B:SSL routines:tls_validate_record_header:wrong version number",
      /does not speak TLS/,
    ],
    ["connect ECONNREFUSED 10.77.0.1:7700", undefined],
    ["Deadline exceeded", undefined],
  ] as const)
    it(`${JSON.stringify(words)} is ${expected}`, () => {
      const explained = explainRefusal(words);
      if (expected instanceof RegExp) assert.match(explained ?? "", expected);
      else assert.equal(explained, expected);
    });
});

describe("a clock", () => {
  it("of a board without a battery is unset, and every clock of today is set", () => {
    assert.ok(isUnset(0));
    assert.ok(isUnset(Date.UTC(2025, 11, 31)));
    assert.ok(!isUnset(Date.now()));
  });

  it("is set by seconds and microseconds", () => {
    const { buffer } = renderTimeval(1_795_957_483_120.5);
    assert.deepEqual([...new BigInt64Array(buffer as ArrayBuffer)], [1_795_957_483n, 120_500n]);
  });
});
