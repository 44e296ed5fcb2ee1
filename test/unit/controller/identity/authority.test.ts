import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { openAuthority } from "../../../../controller/identity/authority.ts";
import { openAuthorityFiles } from "../../../../controller/identity/authority-files.ts";
import { neverEnds } from "../../../../controller/identity/render-certificate.ts";
import { fingerprintOf, serverNameOf } from "../../../../proto/identity/authority-name.ts";
import { createKey, createRequest, publicKeyOf } from "../../../../proto/identity/certificate-request.ts";
import { type Identity, identityOf } from "../../../../proto/identity/identity.ts";
import { judgePeer } from "../../../../proto/identity/judge-peer.ts";
import { derToPem, pemToDer } from "../../../../proto/identity/pem.ts";
import { parseMacAddress } from "../../../../proto/names/node-id.ts";

const nodeId = parseMacAddress("b8:27:eb:00:00:01");
assert.ok(nodeId);
const dayMs = 86_400_000;
const now = Date.UTC(2026, 10, 29, 12);
const netboot = { kind: "netboot", nodeId, bootId: "boot-1" } as const;

describe("authority", () => {
  let folder: string;
  let nowMs = now;
  const clock = { now: () => nowMs, setTimeout: () => () => undefined };
  const open = async () => openAuthority(await openAuthorityFiles(folder), { clock });

  beforeEach(async () => {
    folder = join(await mkdtemp(join(tmpdir(), "pallet-authority-")), "identity");
    nowMs = now;
  });
  afterEach(() => rm(join(folder, ".."), { recursive: true, force: true }));

  it("is made at the first start, and is the same at the next", async () => {
    const first = await open();
    assert.equal((await open()).current().fingerprint, first.current().fingerprint);
    assert.equal(fingerprintOf(first.certificates()[0] ?? new Uint8Array()), first.current().fingerprint);
    assert.equal((await stat(folder)).mode & 0o777, 0o700);
    assert.equal((await stat(join(folder, "authority.pem"))).mode & 0o777, 0o600);
  });

  it("takes back rights that somebody gave away", async () => {
    await open();
    await chmod(folder, 0o755);
    await chmod(join(folder, "authority.pem"), 0o644);
    await open();
    assert.equal((await stat(folder)).mode & 0o777, 0o700);
    assert.equal((await stat(join(folder, "authority.pem"))).mode & 0o777, 0o600);
  });

  const damages: readonly (readonly [string, (text: string) => string])[] = [
    ["is empty", () => ""],
    ["was cut off", (text) => text.slice(0, 300)],
    [
      "has another key",
      (text) => text.replace(/-----BEGIN PRIVATE.*PRIVATE KEY-----\n/s, derToPem(pkcs8(), "PRIVATE KEY")),
    ],
  ];
  for (const [title, damage] of damages) {
    it(`refuses to start from a file that ${title}, and says nothing of what is in it`, async () => {
      await open();
      const file = join(folder, "authority.pem");
      const text = damage(await readFile(file, "utf8"));
      await writeFile(file, text);
      await assert.rejects(open(), (error: Error) => {
        assert.match(error.message, /authority\.pem is damaged: put it back from a backup/);
        assert.equal(error.cause, undefined);
        assert.doesNotMatch(JSON.stringify(error), /MIG|PRIVATE/);
        return true;
      });
      assert.equal(await readFile(file, "utf8"), text, "it is not replaced");
    });
  }

  const issued: readonly (readonly [Exclude<Identity, { kind: "controller" }>, number, readonly string[]])[] = [
    [netboot, dayMs, ["client", "server"]],
    [{ kind: "resident", nodeId }, 90 * dayMs, ["client", "server"]],
    [{ kind: "operator", name: "ada" }, 365 * dayMs, ["client"]],
  ];
  for (const [identity, validMs, uses] of issued) {
    it(`issues a certificate to ${identity.kind}, which counts as ${uses.join(" and ")} for its time`, async () => {
      const authority = await open();
      const key = createKey();
      const made = authority.issue(createRequest(key), identity);
      const certificate = new X509Certificate(made.certificate);
      assert.deepEqual(identityOf(certificate), identity);
      assert.equal(certificate.validFromDate.getTime(), 0);
      assert.equal(certificate.validToDate.getTime(), now + validMs);
      assert.equal(made.expiresAt, now + validMs);
      assert.deepEqual(certificate.publicKey.export({ type: "spki", format: "der" }), publicKeyOf(key));
      for (const use of ["client", "server"] as const) {
        const { kind } = judgePeer(certificate, authority.trusted(), now, use);
        assert.equal(kind, uses.includes(use) ? "known" : "stranger", use);
      }
      assert.equal(judgePeer(certificate, authority.trusted(), now + validMs + 1, "client").kind, "expired");
      assert.equal(judgePeer(certificate, authority.trusted(), 0, "client").kind, "known");
    });
  }

  it("has certificates that openssl verifies, strictly", async () => {
    const authority = await open();
    const made = authority.issue(createRequest(createKey()), netboot);
    const [leaf = new Uint8Array(), own = new Uint8Array()] = pemToDer(
      authority.leafFor(undefined).cert,
      "CERTIFICATE",
    );
    const files = { ca: join(folder, "ca.pem"), node: join(folder, "node.pem"), leaf: join(folder, "leaf.pem") };
    assert.deepEqual(Buffer.from(own), authority.current().certificate.raw);
    await writeFile(files.ca, derToPem(own, "CERTIFICATE"));
    await writeFile(files.node, derToPem(made.certificate, "CERTIFICATE"));
    await writeFile(files.leaf, derToPem(leaf, "CERTIFICATE"));
    const verify = (file: string, ...more: readonly string[]) =>
      execFileSync(
        "openssl",
        // At the time of this test's clock, not at that of whoever runs it.
        ["verify", "-x509_strict", "-attime", String(now / 1000), "-CAfile", files.ca, ...more, file],
        { stdio: "pipe" },
      );
    assert.doesNotThrow(() => verify(files.node, "-purpose", "sslclient"));
    const serverName = serverNameOf(authority.current().fingerprint);
    assert.doesNotThrow(() => verify(files.leaf, "-purpose", "sslserver", "-verify_hostname", serverName));
    assert.equal(new X509Certificate(leaf).validToDate.getTime(), neverEnds);
  });

  it("signs with a new authority after a rotation, while former certificates count until it retires", async () => {
    const authority = await open();
    const former = authority.current();
    const before = new X509Certificate(authority.issue(createRequest(createKey()), netboot).certificate);
    const current = await authority.rotate();
    const after = new X509Certificate(authority.issue(createRequest(createKey()), netboot).certificate);
    assert.notEqual(current.fingerprint, former.fingerprint);
    assert.deepEqual(
      authority.all().map(({ id }) => id),
      [current.id, former.id],
    );
    const verdictOn = (certificate: X509Certificate, { trusted } = authority) => {
      const verdict = judgePeer(certificate, trusted(), now, "client");
      return verdict.kind === "known" ? verdict.authority : verdict.kind;
    };
    assert.equal(verdictOn(before), former.fingerprint);
    assert.equal(verdictOn(after), current.fingerprint);

    const restarted = await open();
    assert.deepEqual(restarted.certificates(), authority.certificates());
    await assert.rejects(restarted.retire(current.id), /is the one that signs; rotate first/);
    await restarted.retire(former.id.slice(0, 8));
    assert.equal(verdictOn(before, restarted), "stranger");
    assert.equal(verdictOn(after, restarted), current.fingerprint);
    assert.deepEqual(await readdir(join(folder, "former")), []);
    assert.equal((await open()).all().length, 1);
  });

  it("loses nothing when a rotation is interrupted between its two files", async () => {
    const authority = await open();
    const files = await openAuthorityFiles(folder);
    const { current } = await files.read();
    assert.ok(current);
    await files.saveFormer(current);
    const restarted = await open();
    assert.deepEqual(restarted.certificates(), authority.certificates());
    await restarted.rotate();
    assert.equal(restarted.all().length, 2);
  });

  it("presents the certificate that the caller can judge, and the current one to whoever asks for another", async () => {
    const authority = await open();
    const former = authority.current();
    const current = await authority.rotate();
    const signerOf = (serverName: string | undefined) => {
      const [leaf = new Uint8Array()] = pemToDer(authority.leafFor(serverName).cert, "CERTIFICATE");
      const verdict = judgePeer(new X509Certificate(leaf), authority.trusted(), now, "server");
      assert.ok(verdict.kind === "known" && verdict.identity.kind === "controller");
      return verdict.authority;
    };
    assert.equal(signerOf(serverNameOf(former.fingerprint)), former.fingerprint);
    assert.equal(signerOf(serverNameOf(current.fingerprint)), current.fingerprint);
    for (const other of [undefined, "", "localhost", "0".repeat(32), `${"0".repeat(32)}.pallet.internal`]) {
      assert.equal(signerOf(other), current.fingerprint, other ?? "no name");
    }
  });

  const clocks: readonly (readonly [string, number, number])[] = [
    ["starts in 1970", 0, Date.UTC(2026, 0, 2)],
    ["is right", now, now + dayMs],
    ["is decades ahead", Date.UTC(2099, 0, 1), Date.UTC(2099, 0, 2)],
    ["is past the end of time", neverEnds + dayMs, neverEnds],
  ];
  for (const [title, atMs, endsAt] of clocks) {
    it(`issues what counts at once when the controller's clock ${title}`, async () => {
      nowMs = atMs;
      const authority = await open();
      const made = authority.issue(createRequest(createKey()), netboot);
      assert.equal(made.expiresAt, endsAt);
      const certificate = new X509Certificate(made.certificate);
      for (const judgedAt of [0, Math.min(atMs, endsAt)]) {
        assert.equal(judgePeer(certificate, authority.trusted(), judgedAt, "client").kind, "known");
      }
      // Its own counts whatever the clock of whoever looks at it says.
      const [leaf = new Uint8Array()] = pemToDer(authority.leafFor(undefined).cert, "CERTIFICATE");
      for (const judgedAt of [0, now, Date.UTC(2106, 1, 7)]) {
        assert.equal(judgePeer(new X509Certificate(leaf), authority.trusted(), judgedAt, "server").kind, "known");
      }
    });
  }
});

function pkcs8(): Uint8Array {
  return createKey().export({ type: "pkcs8", format: "der" });
}
