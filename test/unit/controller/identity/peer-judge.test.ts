import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { before, describe, it } from "node:test";
import { createGraceClock } from "../../../../controller/clock/grace-clock.ts";
import type { Authority } from "../../../../controller/identity/authority.ts";
import { createPeerJudge } from "../../../../controller/identity/peer-judge.ts";
import type { Identity } from "../../../../proto/identity/identity.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";
import { anAuthority, credentialOf } from "./an-authority.ts";

const nodeId = "b8:27:eb:00:00:01" as NodeId;
const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
type Owner = Exclude<Identity, { kind: "controller" }>;
const netboot: Owner = { kind: "netboot", nodeId, bootId: "boot-1" };
const resident: Owner = { kind: "resident", nodeId };
const operator: Owner = { kind: "operator", name: "ann" };

describe("certificates after the clock was set ahead", () => {
  let own: Authority;
  let strange: Authority;
  before(async () => {
    [own, strange] = [await anAuthority(), await anAuthority()];
  });

  /** How one is judged that was given now, once so much time has passed and the clock was then set. */
  const judged = (
    identity: Owner,
    { ageMs = 0, setByMs = 0, sinceMs = 0, use = "client", by = own }: Partial<Judged>,
  ): string => {
    const [issuedAt, at] = [Date.now(), { passedMs: 0, setByMs: 0 }];
    const clock = { now: () => issuedAt + at.passedMs + at.setByMs };
    const grace = createGraceClock(clock, () => ({ bootId: "boot", ms: at.passedMs }));
    const judge = createPeerJudge({ authority: own, clock, grace });
    const certificate = new X509Certificate(credentialOf(by, identity).cert);
    at.passedMs = ageMs;
    judge(certificate, use);
    grace.now();
    at.setByMs = setByMs;
    grace.now();
    at.passedMs += sinceMs;
    const verdict = judge(certificate, use);
    return verdict.kind === "stranger" ? verdict.why : verdict.kind;
  };
  interface Judged {
    readonly ageMs: number;
    readonly setByMs: number;
    readonly sinceMs: number;
    readonly use: "client" | "server";
    readonly by: Authority;
  }
  const jump = { setByMs: 1200 * dayMs };

  for (const [what, identity, how, verdict] of [
    ["an agent's counts for the time that it had left", netboot, jump, "known"],
    ["an agent's counts as a server's, too", netboot, { ...jump, use: "server" }, "known"],
    ["a resident agent's counts", resident, jump, "known"],
    ["it counts for an hour", netboot, { ...jump, sinceMs: 59 * minuteMs }, "known"],
    ["and no longer", netboot, { ...jump, sinceMs: 61 * minuteMs }, "expired"],
    ["not if it was over before", netboot, { ...jump, ageMs: 2 * dayMs }, "expired"],
    ["not once it would be over", netboot, { ...jump, ageMs: dayMs - minuteMs, sinceMs: 3 * minuteMs }, "expired"],
    ["an operator's ends when it says", operator, jump, "expired"],
    ["an operator's counts before that", operator, { setByMs: 30 * dayMs }, "known"],
    ["set back, all count", operator, { setByMs: -1200 * dayMs }, "known"],
    ["no time makes one of ours of another's", netboot, { ...jump, by: "strange" }, "is signed by no authority"],
    ["nor of one for another use", operator, { ...jump, use: "server" }, "is not meant for a server"],
  ] as const)
    it(what, () => {
      const { by, ...rest } = { by: undefined, ...how };
      const found = judged(identity, { ...rest, ...(by === "strange" && { by: strange }) });
      assert.ok(found.startsWith(verdict), found);
    });
});
