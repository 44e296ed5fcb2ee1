import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { pino } from "pino";
import { type Enrol, type EnrolmentRequest, RefusedEnrolmentError } from "../../../../agent/identity/enroller.ts";
import { ForeignControllerError } from "../../../../agent/identity/foreign-controller-error.ts";
import { createIdentityHolder } from "../../../../agent/identity/held-identity.ts";
import { type EnrolmentParts, stayEnrolled } from "../../../../agent/identity/stay-enrolled.ts";
import { createControllerList } from "../../../../agent/registration/controller-list.ts";
import { fingerprintOf } from "../../../../proto/identity/authority-name.ts";
import { parseRequest } from "../../../../proto/identity/certificate-request.ts";
import type { AgentIdentity } from "../../../../proto/system/agent-identity.ts";
import { createManualClock } from "../../proto/time/manual-clock.ts";
import { anAuthority } from "./an-authority.ts";

const authority = anAuthority();
const another = anAuthority("Another");
const bootMac = "b8:27:eb:00:00:01";
const residentUri = "pallet://node/b8-27-eb-00-00-01/resident";
const [first, second] = [
  { host: "10.77.0.1", port: 7700 },
  { host: "10.88.0.1", port: 7700 },
];

/** A node that enrols with a controller that answers as it is told. */
function aNode(
  test: TestContext,
  { answer, ...parts }: Partial<EnrolmentParts> & { answer?: (request: EnrolmentRequest) => void } = {},
) {
  const clock = createManualClock(Date.now());
  const requests: EnrolmentRequest[] = [];
  const kept: AgentIdentity[] = [];
  const told: number[] = [];
  const heard: string[] = [];
  const pinnedAt: string[] = [];
  const role = parts.role ?? "netboot";
  const uri = role === "resident" ? residentUri : "pallet://node/b8-27-eb-00-00-01/netboot/boot";
  const enrol: Enrol = async (_, request) => {
    requests.push(request);
    answer?.(request);
    return {
      certificate: authority.sign(request.request, uri, { days: role === "resident" ? 90 : 1 }).raw,
      authorities: [authority.certificate.raw],
      controllerTimeMs: Date.UTC(2026, 5, 1),
    };
  };
  const stopped = new AbortController();
  test.after(() => stopped.abort());
  const holder = createIdentityHolder("TLS_AES_128_GCM_SHA256", () => undefined);
  const policy = { firstMs: 1_000, capMs: 1_000, random: () => 0 };
  const staying = stayEnrolled(
    {
      ...{ role, holder, enrol, clock, kept: undefined },
      words: { authority: fingerprintOf(authority.certificate.raw), token: "t0ken" },
      ciphers: "TLS_AES_128_GCM_SHA256",
      controllers: createControllerList([first]),
      async pin(at) {
        pinnedAt.push(at.host);
        return authority.certificate;
      },
      describeNode: async () => ({ bootMac, serial: "10000000abcdef01", bootId: "boot" }),
      keep: async (identity) => void kept.push(identity),
      tellTime: (nowMs) => void told.push(nowMs),
      heard: (verdict) => void heard.push(verdict),
      backoff: policy,
      refusedBackoff: { firstMs: 60_000, capMs: 60_000, random: () => 0 },
      now: () => clock.now(),
      log: pino({ level: "silent" }),
      ...parts,
    },
    stopped.signal,
  );
  return { staying, clock, requests, kept, told, heard, pinnedAt, holder, stopped };
}

const refused = (): never => {
  throw new RefusedEnrolmentError("this token was used");
};

describe("an agent that stays enrolled", () => {
  it("pins its controller, shows its token, and keeps what it got", async (test) => {
    const node = aNode(test);
    await node.staying.enrolled;
    assert.deepEqual(node.pinnedAt, ["10.77.0.1"]);
    assert.equal(node.requests[0]?.token, "t0ken");
    assert.equal(node.requests[0]?.serial, "10000000abcdef01");
    assert.deepEqual(node.told, [Date.UTC(2026, 5, 1)]);
    assert.equal(node.kept.length, 1);
    assert.deepEqual(node.heard, ["accepted"]);
    assert.equal(node.holder.current()?.certificate.raw, node.kept[0]?.certificate.raw);
  });

  it("renews at half of the certificate's life, by the certificate and with another key", async (test) => {
    const node = aNode(test);
    await node.staying.enrolled;
    assert.ok(!(await node.clock.advanceUntil(() => node.requests.length > 1, 11.9 * 3_600_000, 600_000)));
    assert.ok(await node.clock.advanceUntil(() => node.requests.length > 1, 3_600_000, 60_000));
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal(node.requests[1]?.token, undefined);
    assert.ok(!node.holder.current()?.key.equals(node.kept[0]?.key ?? assert.fail()));
  });

  it("asks again with the same key until it is answered, and at each address before it waits", async (test) => {
    let failures = 3;
    const at: string[] = [];
    const controllers = createControllerList([first, second]);
    const node = aNode(test, {
      controllers,
      answer() {
        at.push(controllers.current()?.host ?? "");
        if (failures-- > 0) throw new Error("the network is down");
      },
    });
    assert.ok(await node.clock.advanceUntil(() => node.kept.length === 1, 10_000, 500));
    assert.deepEqual(at, ["10.77.0.1", "10.88.0.1", "10.77.0.1", "10.88.0.1"]);
    const keys = node.requests.map(({ request }) => {
      const parsed = parseRequest(request);
      return "publicKey" in parsed ? Buffer.from(parsed.publicKey).toString("hex") : parsed.problem;
    });
    assert.equal(new Set(keys).size, 1);
  });

  it("takes the next address when somebody else answers at the first", async (test) => {
    const node = aNode(test, {
      controllers: createControllerList([first, second]),
      async pin(at) {
        if (at.host === first.host) throw new ForeignControllerError("not ours");
        return authority.certificate;
      },
    });
    await node.staying.enrolled;
    assert.deepEqual(node.heard, ["refused", "accepted"]);
  });

  it("is in no hurry after a refusal", async (test) => {
    const node = aNode(test, { answer: refused });
    assert.ok(!(await node.clock.advanceUntil(() => node.requests.length > 1, 25_000, 1_000)));
    assert.ok(await node.clock.advanceUntil(() => node.requests.length > 1, 60_000, 1_000));
    assert.ok(node.heard.every((verdict) => verdict === "refused"));
  });

  it("goes by the identity that is kept, and asks for nothing", async (test) => {
    const leaf = authority.issue("pallet://node/b8-27-eb-00-00-01/netboot/boot");
    const node = aNode(test, { kept: { ...leaf, authorities: [authority.certificate] } });
    await node.staying.enrolled;
    assert.equal(node.holder.current()?.certificate.raw, leaf.certificate.raw);
    assert.deepEqual(node.requests, []);
  });

  it("goes by its token when the controller does not renew what is kept", async (test) => {
    const leaf = authority.issue(residentUri, { days: -1 });
    const node = aNode(test, {
      role: "resident",
      kept: { ...leaf, authorities: [authority.certificate] },
      answer: ({ token }) => void (token === undefined && refused()),
    });
    await node.staying.enrolled;
    assert.deepEqual(
      node.requests.map(({ token }) => token),
      [undefined, "t0ken"],
    );
    assert.deepEqual(node.pinnedAt, [], "it knows that authority already");
  });

  it("does not go by another node's identity: a card can be carried to another board", async (test) => {
    const leaf = authority.issue("pallet://node/b8-27-eb-00-00-02/resident");
    const node = aNode(test, { role: "resident", kept: { ...leaf, authorities: [authority.certificate] } });
    await node.staying.enrolled;
    assert.deepEqual(
      node.requests.map(({ token }) => token),
      ["t0ken"],
    );
  });

  it("believes the authorities that the controller names, and gets a certificate of the first", async (test) => {
    const node = aNode(test);
    await node.staying.enrolled;
    await node.staying.learn([authority.certificate.raw]);
    await node.staying.learn([]);
    await node.staying.learn([Buffer.from("noise")]);
    assert.equal(node.kept.length, 1);
    await node.staying.learn([another.certificate.raw, authority.certificate.raw]);
    assert.equal(node.holder.current()?.authorities.length, 2);
    assert.equal(node.kept.length, 2);
    assert.ok(await node.clock.advanceUntil(() => node.requests.length === 2, 1_000, 10));
  });

  it("does not give its identity to the certificate of another key or another node", async (test) => {
    const node = aNode(test, {
      enrol: async (_, { request }) => ({
        certificate: authority.sign(request, "pallet://node/b8-27-eb-00-00-02/netboot/boot").raw,
        authorities: [authority.certificate.raw],
        controllerTimeMs: undefined,
      }),
    });
    assert.ok(!(await node.clock.advanceUntil(() => node.holder.current() !== undefined, 5_000, 500)));
    node.stopped.abort();
    await node.staying.ended;
  });
});
