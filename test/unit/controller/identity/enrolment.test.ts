import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { inspect } from "node:util";
import type { NewEvent } from "../../../../controller/events/event.ts";
import type { AgentIdentity } from "../../../../controller/identity/enrolment.ts";
import { type ControllerIdentity, openIdentity } from "../../../../controller/identity/open-identity.ts";
import { unavailable } from "../../../../controller/refusal/refusal.ts";
import { openStore, type Store } from "../../../../controller/store/open-store.ts";
import { createKey, createRequest } from "../../../../proto/identity/certificate-request.ts";
import { identityOf } from "../../../../proto/identity/identity.ts";
import { judgePeer, type PeerVerdict } from "../../../../proto/identity/judge-peer.ts";
import { tokenValidityMs } from "../../../../proto/identity/token.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";

const nodeId = "b8:27:eb:00:00:01" as NodeId;
const otherId = "b8:27:eb:00:00:02" as NodeId;
const netboot: AgentIdentity = { kind: "netboot", nodeId, bootId: "boot-1" };
const resident: AgentIdentity = { kind: "resident", nodeId };
const nobody: PeerVerdict = { kind: "nobody" };
const start = Date.UTC(2026, 10, 29, 12);
const dayMs = 86_400_000;

describe("identity of the controller", () => {
  let folder: string;
  let nowMs: number;
  let events: NewEvent[];
  let store: Store;
  let identity: ControllerIdentity;
  const roles = new Map<NodeId, "netboot" | "resident">();
  const open = (rows: Parameters<typeof openIdentity>[0]["rows"] = store.identity) =>
    openIdentity({
      folder: join(folder, "identity"),
      rows,
      events: { append: (event) => void events.push(event) as undefined },
      clock: { now: () => nowMs, setTimeout: () => () => undefined },
      nodeOf: (id) => {
        const role = roles.get(id);
        return id === nodeId || role !== undefined ? { name: `pi-${id.at(-1)}`, ...(role && { role }) } : undefined;
      },
    });
  const restart = async (): Promise<void> => {
    store.close();
    store = openStore(join(folder, "pallet.sqlite"));
    identity = await open();
  };

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "pallet-identity-"));
    [nowMs, events] = [start, []];
    roles.clear();
    store = openStore(join(folder, "pallet.sqlite"));
    identity = await open();
    events.length = 0;
  });
  afterEach(() => {
    store.close();
    rmSync(folder, { recursive: true });
  });

  const enroll = (
    who: AgentIdentity,
    {
      token,
      key = createKey(),
      peer = nobody,
    }: { token?: string; key?: ReturnType<typeof createKey>; peer?: PeerVerdict },
  ) => {
    const request = { identity: who, csr: createRequest(key), serial: "10000000abcdef01", address: "10.0.0.7" };
    const { certificate } = identity.enrolment.enroll({ ...request, ...(token !== undefined && { token }) }, peer);
    return new X509Certificate(certificate);
  };
  const judge = (certificate: X509Certificate): PeerVerdict =>
    judgePeer(certificate, identity.authority.trusted(), nowMs, "client");

  describe("with a token", () => {
    it("is given while the disk of the state is full: a rack has to boot then, too", async () => {
      const full = (): never => {
        throw unavailable("the disk is full");
      };
      identity = await open({ ...store.identity, saveUsedToken: full, saveNodeCertificate: full });
      const token = identity.tokens.mint(nodeId);
      assert.deepEqual(identityOf(enroll(netboot, { token })), netboot);
    });

    it("gives the certificate that names this boot of this node", () => {
      const certificate = enroll(netboot, { token: identity.tokens.mint(nodeId) });
      assert.deepEqual(identityOf(certificate), netboot);
      assert.equal(judge(certificate).kind, "known");
      assert.deepEqual(events, []);
    });

    it("answers the same key again, after a restart too, and no other key", async () => {
      const [token, key] = [identity.tokens.mint(nodeId), createKey()];
      enroll(netboot, { token, key });
      assert.doesNotThrow(() => enroll(netboot, { token, key }));
      await restart();
      assert.doesNotThrow(() => enroll(netboot, { token, key }));
      assert.throws(() => enroll(netboot, { token }), /was used already, for another key/);
    });

    it("takes tokens from before a restart, and any of those that were made for the node", async () => {
      const tokens = [1, 2, 3].map(() => identity.tokens.mint(nodeId));
      for (let made = 0; made < 5000; made += 1) identity.tokens.mint(otherId);
      await restart();
      for (const token of tokens) assert.doesNotThrow(() => enroll(netboot, { token }));
    });

    it("does not use the token up for a request that is malformed", () => {
      const token = identity.tokens.mint(nodeId);
      const csr = new Uint8Array(100);
      assert.throws(() => identity.enrolment.enroll({ identity: netboot, csr, token, serial: "" }, nobody), {
        reason: "invalid",
      });
      assert.doesNotThrow(() => enroll(netboot, { token }));
    });

    const late = /too old: it was good for 30 minutes/;
    const foreign = /was not made by this controller for this node/;
    const refused: readonly (readonly [string, () => string, number, RegExp])[] = [
      ["of another node", () => identity.tokens.mint(otherId), 0, foreign],
      ["that somebody made up", () => Buffer.alloc(32, 7).toString("base64url"), 0, foreign],
      ["with a later time written into it", () => withTime(identity.tokens.mint(nodeId), start + dayMs), 0, foreign],
      ["that is too old", () => identity.tokens.mint(nodeId), tokenValidityMs + 1, late],
      ["from before the clock was set back by a day", () => identity.tokens.mint(nodeId), -dayMs, /clock was set back/],
      ["that is no token", () => "x", 0, /is malformed/],
      ["that is much too long", () => "x".repeat(100_000), 0, /is malformed/],
    ];
    for (const [title, tokenOf, laterMs, why] of refused) {
      it(`refuses a token ${title}, and tells of it once`, () => {
        const token = tokenOf();
        nowMs += laterMs;
        assert.throws(() => enroll(netboot, { token }), { reason: "token-refused", kind: "denied", message: why });
        const [event, ...more] = events;
        assert.equal(more.length, 0);
        assert.equal(event?.type, "enrollment-refused");
        assert.equal(event?.nodeId, nodeId);
        assert.match(event?.message ?? "", why);
        assert.match(event?.message ?? "", /^pi-1: enrolment from 10\.0\.0\.7 as the agent of node .*serial 1000/);
        if (token.length > 1) assert.ok(!event?.message.includes(token), "the token is in the event");
      });
    }

    for (const laterMs of [tokenValidityMs, -tokenValidityMs]) {
      it(`takes a token when the clock has moved by ${laterMs / 60_000} minutes`, () => {
        const token = identity.tokens.mint(nodeId);
        nowMs += laterMs;
        assert.doesNotThrow(() => enroll(netboot, { token }));
      });
    }

    it("refuses a forged token without harm to the node that has a certificate, or the right token", () => {
      const token = identity.tokens.mint(nodeId);
      const certificate = enroll(netboot, { token: identity.tokens.mint(nodeId) });
      assert.throws(() => enroll(netboot, { token: withTime(token, 1) }));
      assert.equal(judge(certificate).kind, "known");
      assert.doesNotThrow(() => enroll(netboot, { token }));
    });
  });

  describe("without a token", () => {
    const cases: readonly (readonly [string, AgentIdentity, number, AgentIdentity, boolean])[] = [
      ["the same boot", netboot, 0, netboot, true],
      ["the same boot, whose certificate has expired", netboot, 30 * dayMs, netboot, true],
      ["the same installed system", resident, 0, resident, true],
      ["the same installed system, after a year in a drawer", resident, 365 * dayMs, resident, true],
      ["another boot of the node", netboot, 0, { ...netboot, bootId: "boot-2" }, false],
      ["the installed system of the node", netboot, 0, resident, false],
      ["a boot of the node", resident, 0, netboot, false],
      ["another node", netboot, 0, { ...netboot, nodeId: otherId }, false],
    ];
    for (const [title, had, laterMs, wanted, isRenewed] of cases) {
      it(`${isRenewed ? "renews" : "does not give"} the certificate of ${title} to a ${had.kind} agent`, () => {
        const peer = judge(enroll(had, { token: identity.tokens.mint(had.nodeId) }));
        nowMs += laterMs;
        const verdict = laterMs > 0 && peer.kind === "known" ? { ...peer, kind: "expired" as const } : peer;
        if (isRenewed) assert.deepEqual(identityOf(enroll(wanted, { peer: verdict })), wanted);
        else {
          assert.throws(() => enroll(wanted, { peer: verdict }), { kind: "unproved", reason: "not-permitted" });
          assert.equal(events[0]?.type, "enrollment-refused");
        }
      });
    }

    it("gives nothing to an operator, to a stranger and to nobody", () => {
      const { certificate } = identity.operators.add({ name: "ada", role: "admin", csr: createRequest(createKey()) });
      const operator = judge(new X509Certificate(certificate));
      assert.equal(operator.kind, "known");
      const stranger: PeerVerdict = { kind: "stranger", why: "names nobody" };
      for (const peer of [operator, stranger, nobody]) {
        assert.throws(() => enroll(netboot, { peer }), { kind: "unproved" });
        assert.throws(() => identity.enrolment.enrollResident(createRequest(createKey()), peer), { kind: "denied" });
      }
    });
  });

  it("gives a netboot agent the certificate of the resident one that it installs, of its own node", () => {
    const peer = judge(enroll(netboot, { token: identity.tokens.mint(nodeId) }));
    const { certificate } = identity.enrolment.enrollResident(createRequest(createKey()), peer);
    assert.deepEqual(identityOf(new X509Certificate(certificate)), resident);
    const its = judge(new X509Certificate(certificate));
    assert.throws(() => identity.enrolment.enrollResident(createRequest(createKey()), its), { kind: "denied" });
    assert.ok(peer.kind === "known");
    const expired = { ...peer, kind: "expired" } as const;
    assert.throws(() => identity.enrolment.enrollResident(createRequest(createKey()), expired), { kind: "denied" });
  });

  describe("of operators", () => {
    const add = (name: string, role: "viewer" | "operator" | "admin" = "viewer", validForMs?: number) =>
      identity.operators.add({
        ...{ name, role, csr: createRequest(createKey()) },
        ...(validForMs !== undefined && { validForMs }),
      });

    it("knows the role of whoever holds the certificate, over a restart, until he is revoked", async () => {
      const { operator } = add("ada", "operator");
      await restart();
      assert.equal(identity.operators.roleOf("ada", operator.fingerprint), "operator");
      assert.equal(identity.operators.roleOf("ada", "other"), undefined);
      assert.equal(identity.operators.roleOf("eve", operator.fingerprint), undefined);
      const shutOut: string[] = [];
      identity.operators.onShutOut((name) => shutOut.push(name));
      identity.operators.revoke("ada");
      assert.deepEqual(shutOut, ["ada"]);
      assert.equal(identity.operators.roleOf("ada", operator.fingerprint), undefined);
      await restart();
      assert.equal(identity.operators.roleOf("ada", operator.fingerprint), undefined);
      assert.throws(() => identity.operators.revoke("ada"), { kind: "precondition" });
      assert.throws(() => identity.operators.revoke("eve"), { kind: "not-found" });
    });

    it("lets a name be used again once it was revoked or has expired, and then only the new certificate counts", () => {
      const first = add("ada", "admin").operator;
      assert.throws(() => add("ada"), { kind: "already-exists" });
      identity.operators.revoke("ada");
      const second = add("ada", "viewer", dayMs).operator;
      assert.equal(identity.operators.roleOf("ada", first.fingerprint), undefined);
      assert.equal(identity.operators.roleOf("ada", second.fingerprint), "viewer");
      nowMs += 2 * dayMs;
      assert.doesNotThrow(() => add("ada"));
      assert.equal(identity.operators.roleOf("ada", second.fingerprint), undefined);
    });

    for (const name of ["", "Ada", "a b", "../x", "a/b", "a".repeat(64), "\u001b[31m"]) {
      it(`refuses the name ${JSON.stringify(name)}`, () => assert.throws(() => add(name), { reason: "invalid" }));
    }
    for (const ms of [0, -dayMs, dayMs - 1, 3651 * dayMs, Number.NaN, Number.POSITIVE_INFINITY]) {
      it(`refuses a validity of ${ms} ms`, () => assert.throws(() => add("ada", "viewer", ms), { reason: "invalid" }));
    }
  });

  describe("in a rotation", () => {
    it("keeps a former authority until nobody goes by it, and says who does", async () => {
      roles.set(nodeId, "netboot");
      const former = identity.authority.current();
      const had = enroll(netboot, { token: identity.tokens.mint(nodeId) });
      identity.operators.add({ name: "ada", role: "viewer", csr: createRequest(createKey()) });
      await identity.rotate();
      await restart();
      assert.deepEqual(identity.usersOf(former), { nodes: ["pi-1"], operators: ["ada"] });
      await assert.rejects(identity.retire(former.id, { force: false }), {
        kind: "precondition",
        message: /node pi-1, operator ada.*--force/s,
      });
      // The node renews with the certificate of the former one, and gets one of the current one.
      const renewed = judge(enroll(netboot, { peer: judge(had) }));
      assert.equal(renewed.kind === "known" && renewed.authority, identity.authority.current().fingerprint);
      identity.operators.revoke("ada");
      await identity.retire(former.id, { force: false });
      assert.equal(judge(had).kind, "stranger");
      assert.deepEqual(
        events.map(({ type }) => type),
        ["operator-added", "authority-rotated", "operator-revoked", "authority-retired"],
      );
    });

    it("drops it by force, and shuts out the operators who went by it", async () => {
      const former = identity.authority.current();
      identity.operators.add({ name: "ada", role: "viewer", csr: createRequest(createKey()) });
      await identity.rotate();
      const shutOut: string[] = [];
      identity.operators.onShutOut((name) => shutOut.push(name));
      await identity.retire(former.id, { force: true });
      assert.deepEqual(shutOut, ["ada"]);
    });

    const users: readonly (readonly [
      string,
      "netboot" | "resident",
      "netboot" | "resident" | undefined,
      number,
      boolean,
    ])[] = [
      ["a netboot agent that runs", "netboot", "netboot", 0, true],
      ["a netboot agent whose boot is over", "netboot", "resident", 0, false],
      ["a netboot agent of a node that was forgotten", "netboot", undefined, 0, false],
      ["a netboot agent whose certificate has expired", "netboot", "netboot", 2 * dayMs, false],
      ["a resident agent", "resident", "resident", 0, true],
      ["a resident agent of a node that runs the other now", "resident", "netboot", 0, true],
      ["a resident agent whose certificate has expired", "resident", "resident", 91 * dayMs, false],
    ];
    for (const [title, kind, role, laterMs, isUser] of users) {
      it(`${isUser ? "waits" : "does not wait"} for ${title}`, async () => {
        if (role !== undefined) roles.set(otherId, role);
        const who: AgentIdentity =
          kind === "netboot" ? { kind, nodeId: otherId, bootId: "b" } : { kind, nodeId: otherId };
        enroll(who, { token: identity.tokens.mint(otherId) });
        const former = identity.authority.current();
        await identity.rotate();
        nowMs += laterMs;
        assert.deepEqual(identity.usersOf(former).nodes, isUser ? ["pi-2"] : []);
      });
    }

    it("does two at once one after the other", async () => {
      const [one, other] = await Promise.all([identity.rotate(), identity.rotate()]);
      await restart();
      assert.equal(identity.authority.current().id, other.id);
      assert.equal(identity.authority.all().length, 3);
      assert.ok(identity.authority.all().some(({ id }) => id === one.id));
    });
  });

  it("says nothing of keys and tokens in events, errors and what it shows of itself", async () => {
    const token = identity.tokens.mint(nodeId);
    enroll(netboot, { token });
    const errors: unknown[] = [];
    for (const attempt of [
      () => enroll(netboot, { token }),
      () => enroll(netboot, { token: identity.tokens.mint(otherId) }),
      () => enroll(netboot, {}),
      () => identity.operators.add({ name: "ada", role: "viewer", csr: new Uint8Array(3) }),
    ]) {
      assert.throws(attempt, (error) => errors.push(error) > 0);
    }
    await identity.rotate();
    const files = readdirSync(join(folder, "identity"), { recursive: true, withFileTypes: true });
    const secrets = files
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"))
      .map((text) => /PRIVATE KEY-----\s*(\S{40})/.exec(text)?.[1] ?? text.trim());
    assert.equal(secrets.length, 3);
    const shown = inspect([events, errors, identity, identity.authority.all().map(({ certificate }) => certificate)], {
      depth: 20,
      showHidden: true,
    });
    for (const secret of [...secrets, token]) assert.ok(!shown.includes(secret), "a secret is shown");
    assert.ok(!JSON.stringify([events, identity.authority.all()]).includes("PRIVATE"), "a key is shown");
  });
});

/** The same token with another time in it. */
function withTime(token: string, ms: number): string {
  const octets = Buffer.from(token, "base64url");
  octets.writeUIntBE(ms, 0, 6);
  return octets.toString("base64url");
}
