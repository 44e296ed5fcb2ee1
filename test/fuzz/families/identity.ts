import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey, sign, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import fc from "fast-check";
import { judgeController } from "../../../agent/door/judge-controller.ts";
import { createIdentityHolder } from "../../../agent/identity/held-identity.ts";
import { whyNoPacks } from "../../../controller/boot/judge-fetch.ts";
import { parseBundle } from "../../../controller/cli/connection/parse-bundle.ts";
import { openAuthority } from "../../../controller/identity/authority.ts";
import { createEnrolment } from "../../../controller/identity/enrolment.ts";
import { renderProof } from "../../../controller/identity/judge-token.ts";
import { createOperators } from "../../../controller/identity/operators.ts";
import { createTokens } from "../../../controller/identity/tokens.ts";
import { whyNotMeant } from "../../../controller/rpc/agent/judge-agent.ts";
import { enrolmentFromWire } from "../../../controller/rpc/wire/enrolment-from-wire.ts";
import { durationFromWire } from "../../../proto/duration.ts";
import { Failure } from "../../../proto/failure.ts";
import { AddOperatorRequest } from "../../../proto/gen/pallet/v1/controller.ts";
import { EnrollRequest } from "../../../proto/gen/pallet/v1/enrollment.ts";
import { parseFingerprint, parseServerName, serverNameOf } from "../../../proto/identity/authority-name.ts";
import { createRequest, ecdsaWithSha256, parseRequest } from "../../../proto/identity/certificate-request.ts";
import { der, derBits, derSequence, readDer } from "../../../proto/identity/der.ts";
import { describeIdentity, identityOf, parseIdentity, renderIdentity } from "../../../proto/identity/identity.ts";
import { judgePeer, type PeerVerdict } from "../../../proto/identity/judge-peer.ts";
import { pemToDer } from "../../../proto/identity/pem.ts";
import { parseToken, renderToken, tokenValidityMs } from "../../../proto/identity/token.ts";
import type { NodeId } from "../../../proto/names/node-id.ts";
import { parseAgentIdentity, readAuthorities, renderAgentIdentity } from "../../../proto/system/agent-identity.ts";
import { family, unlessRefused } from "../frame/family.ts";
import { mutatedBytes, mutatedMessage, mutatedText } from "../frame/mutations.ts";
import { goldenTexts } from "./samples.ts";

// Keys and certificates that are the same in every run, so that a seed means the same inputs.
const [authorityPem = "", netbootPem = "", operatorPem = "", residentPem = ""] = goldenTexts("identity", ".pem");
const authority = keyAndCertificate(authorityPem);
const netboot = keyAndCertificate(netbootPem);
const operator = keyAndCertificate(operatorPem);
const resident = keyAndCertificate(residentPem);

function keyAndCertificate(text: string) {
  const [key = new Uint8Array()] = pemToDer(text, "PRIVATE KEY");
  const [certificate = new Uint8Array()] = pemToDer(text, "CERTIFICATE");
  return {
    key: createPrivateKey({ key: Buffer.from(key), type: "pkcs8", format: "der" }),
    certificate: new X509Certificate(certificate),
  };
}

/** The part of a signed structure (certificate or request) that its signature is made over. */
function signedPart(whole: Uint8Array): Uint8Array {
  const [outer] = readDer(whole) ?? [];
  return readDer(outer?.content ?? new Uint8Array())?.[0]?.whole ?? new Uint8Array();
}

/** The same part with a signature that is right: what gets past the check of it. */
function signed(part: Uint8Array, key = authority.key): Uint8Array {
  return derSequence(part, ecdsaWithSha256, derBits(sign("sha256", part, key)));
}

const now = Date.UTC(2026, 11, 1);
const clock = { now: () => now, setTimeout: () => () => undefined };
const nodeId = "dc:a6:32:01:02:03" as NodeId;
const otherId = "dc:a6:32:01:02:04" as NodeId;

const none = async (): Promise<void> => undefined;
const issuer = await openAuthority(
  {
    read: async () => ({ current: authority, former: [] }),
    ...{ saveCurrent: none, saveFormer: none, removeFormer: none, saveTokenKey: none },
  },
  { clock },
);

const tokenKey = Buffer.alloc(32, 7);
function tokenOf(of: NodeId, issuedAt: number, random: number): string {
  const made = { issuedAt, random: Buffer.alloc(10, random) };
  return renderToken({ ...made, proof: renderProof(tokenKey, { nodeId: of, ...made }) });
}
/** Good for the node now. */
const goodTokens: readonly string[] = [now, now - tokenValidityMs + 1, now + tokenValidityMs].map((at, index) =>
  tokenOf(nodeId, at, index),
);
const otherTokens: readonly string[] = [
  tokenOf(otherId, now, 9),
  tokenOf(nodeId, now - tokenValidityMs - 1, 9),
  tokenOf(nodeId, 2 ** 48 - 1, 9),
  tokenOf(nodeId, 0, 9),
];

function newTokens() {
  return createTokens({ key: tokenKey, rows: { usedTokens: () => [], saveUsedToken: () => undefined }, clock });
}

const csr = createRequest(operator.key);
const request = signedPart(csr);
/** A private key that must not be shown to anyone. */
const secrets = [authorityPem, netbootPem, operatorPem, residentPem].map((text) => text.split("\n")[1] ?? "");

/** Sequences in sequences. */
const nested = [2, 40, 1_300].map((depth) => {
  let inner: Uint8Array = new Uint8Array();
  for (let level = 0; level < depth; level += 1) inner = derSequence(inner);
  return Buffer.from(inner);
});

/** What is shown to people is one short line. */
function assertSentence(text: string, most = 1_000): void {
  assert.ok(text.length <= most, `a sentence of ${text.length} characters: ${text.slice(0, 200)}…`);
  assert.doesNotMatch(text, /\p{Cc}/u);
}

const enrolRequest = EnrollRequest.fromPartial({
  token: goodTokens[0] ?? "",
  csrDer: Buffer.from(csr),
  bootMac: nodeId,
  serial: "100000001234abcd",
  bootId: "b1",
  role: 1,
});

const peers: readonly PeerVerdict[] = [
  { kind: "nobody" },
  { kind: "stranger", why: "names nobody" },
  ...[netboot, resident, operator].map(({ certificate }) =>
    judgePeer(certificate, [authority.certificate], now, "client"),
  ),
];

/**
 * Who somebody says that he is: certificates and requests for them, tokens, names, and the files that programs of ours
 * read them from. Left out: TLS and X.509 themselves, which are OpenSSL's; the authority's own files (authority-files.ts),
 * which nobody but root writes; and `readIdentity` and `readBundle`, which read a file and hand it on.
 */
export const identity = [
  family<Buffer>({
    name: "identity: der",
    inputs: fc.oneof(
      mutatedBytes(csr, authority.certificate.raw, Buffer.concat([csr, csr])),
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
      fc.constantFrom(...nested),
    ),
    check(bytes) {
      const values = readDer(bytes);
      if (values === undefined) return;
      assert.ok(values.length <= 16);
      // There is one way to write a value, and nothing lies between two.
      for (const { tag, content, whole } of values) assert.ok(Buffer.from(der(tag, content)).equals(whole));
      assert.ok(Buffer.concat(values.map(({ whole }) => whole)).equals(bytes));
    },
  }),
  family<{ readonly bytes: Buffer; readonly isSigned: boolean }>({
    name: "identity: certificate requests",
    inputs: fc.oneof(
      mutatedBytes(request).map((bytes) => ({ bytes, isSigned: true })),
      mutatedBytes(csr, Buffer.concat([csr, Buffer.alloc(4_096)])).map((bytes) => ({ bytes, isSigned: false })),
    ),
    check({ bytes, isSigned }) {
      const asked = isSigned ? signed(bytes, operator.key) : bytes;
      const parsed = parseRequest(asked);
      if ("problem" in parsed) return assertSentence(parsed.problem, 200);
      // Nothing but the one key whose owner signed can be asked for, and it is one that TLS knows.
      const key = createPublicKey({ key: Buffer.from(parsed.publicKey), type: "spki", format: "der" });
      assert.ok(key.equals(createPublicKey(operator.key)));
      const who = { kind: "netboot", nodeId, bootId: "b1" } as const;
      const certificate = new X509Certificate(issuer.issue(asked, who).certificate);
      assert.deepEqual(identityOf(certificate), who);
      assert.equal(judgePeer(certificate, [authority.certificate], now, "client").kind, "known");
    },
  }),
  family<{ readonly bytes: Buffer; readonly isSigned: boolean }>({
    name: "identity: certificates",
    inputs: fc.oneof(
      {
        weight: 3,
        arbitrary: mutatedBytes(...[netboot, resident, operator].map((each) => signedPart(each.certificate.raw))).map(
          (bytes) => ({ bytes, isSigned: true }),
        ),
      },
      {
        weight: 1,
        arbitrary: mutatedBytes(netboot.certificate.raw, authority.certificate.raw).map((bytes) => ({
          bytes,
          isSigned: false,
        })),
      },
    ),
    check({ bytes, isSigned }) {
      const shown = isSigned ? signed(bytes) : bytes;
      const trust = { authorities: [authority.certificate], nowMs: now };
      for (const use of ["client", "server"] as const) assertSentence(judgeController(shown, trust, use) ?? "");
      // Node refuses what it cannot read with errors of its own.
      const certificate = unlessRefused(() => new X509Certificate(shown), Error);
      if (certificate === undefined) return;
      for (const nowMs of [now, Date.UTC(9999, 1, 1)]) {
        const verdict = judgePeer(certificate, trust.authorities, nowMs, "client");
        assertSentence(whyNoPacks(verdict, () => true) ?? "");
        assertSentence(whyNotMeant(verdict, { nodeId, bootId: "b1" }) ?? "");
        if (verdict.kind !== "known" && verdict.kind !== "expired") continue;
        assert.ok(isSigned || certificate.raw.equals(netboot.certificate.raw), "it believes what nobody signed");
        assert.ok(certificate.subjectAltName?.includes(renderIdentity(verdict.identity)));
        assertSentence(describeIdentity(verdict.identity), 200);
      }
    },
  }),
  family<string>({
    name: "identity: names",
    inputs: mutatedText(
      [
        "pallet://controller",
        "pallet://node/dc-a6-32-01-02-03/netboot/b1",
        "pallet://node/dc-a6-32-01-02-03/resident",
        "pallet://operator/ada",
        `URI:pallet://operator/ada, DNS:${"ab".repeat(16)}.pallet.internal`,
        `URI:"pallet://operator/ada", URI:pallet://controller`,
        serverNameOf("A".repeat(43)),
        "A".repeat(43),
      ],
      {
        words: ["pallet://", "/", "node/", "operator/", "controller", "netboot", "URI:", "DNS:", ", ", '"', "\\x00"],
        maxCharacters: 16_000,
      },
    ),
    check(text) {
      for (const found of [parseIdentity(text), identityOf({ subjectAltName: text })]) {
        if (found === undefined) continue;
        assertSentence(describeIdentity(found), 200);
        assert.ok(text.includes(renderIdentity(found)));
        assert.deepEqual(parseIdentity(renderIdentity(found)), found);
      }
      assert.match(parseServerName(text) ?? "0".repeat(32), /^[0-9a-f]{32}$/);
      assert.ok([undefined, text].includes(parseFingerprint(text)));
    },
  }),
  family<string>({
    name: "identity: tokens",
    inputs: mutatedText([...goodTokens, ...otherTokens], { words: ["A", "_", "-", "=", "+"], maxCharacters: 4_096 }),
    check(text) {
      const token = parseToken(text);
      if (token !== undefined) assert.equal(renderToken(token), text);
      const tokens = newTokens();
      const problem = tokens.use(text, nodeId, Buffer.from("a key"));
      if (problem === undefined) assert.ok(goodTokens.includes(text), "it takes a token that was never made");
      else assertSentence(problem, 200);
      if (problem === undefined) assert.match(tokens.use(text, nodeId, Buffer.from("another")) ?? "", /used already/);
      assert.notEqual(tokens.use(text, otherId, Buffer.from("a key")), goodTokens.includes(text) ? undefined : "");
    },
  }),
  family<{ readonly request: EnrollRequest; readonly peer: number }>({
    name: "identity: enrolment",
    inputs: fc.record({ request: mutatedMessage(enrolRequest), peer: fc.nat(peers.length - 1) }),
    check({ request: asked, peer: index }) {
      const peer = peers[index] ?? { kind: "nobody" };
      const told: string[] = [];
      const enrolment = createEnrolment({
        authority: issuer,
        tokens: newTokens(),
        rows: { nodeCertificates: () => [], saveNodeCertificate: () => undefined },
        events: { append: ({ message }) => void told.push(message) as never },
        clock,
        nameOf: () => "pi1",
      });
      let refusal = "";
      const issued = unlessRefused(() => {
        try {
          return enrolment.enroll(enrolmentFromWire(asked, "10.0.0.2"), peer);
        } catch (error) {
          if (error instanceof Failure) refusal = error.message;
          throw error;
        }
      });
      unlessRefused(() => enrolment.enrollResident(asked.csrDer, peer));
      for (const message of told) assertSentence(message);
      assert.ok(refusal === "" || !goodTokens.some((token) => refusal.includes(token)), "a refusal shows a good token");
      if (issued === undefined) return;
      const named = identityOf(new X509Certificate(issued.certificate));
      const byToken = asked.token !== "" && goodTokens.includes(asked.token);
      const speaker = "identity" in peer ? renderIdentity(peer.identity) : "";
      assert.ok(named?.kind === "netboot" || named?.kind === "resident");
      assert.ok(byToken ? named.nodeId === nodeId : asked.token === "" && speaker === renderIdentity(named));
    },
  }),
  family<{ readonly request: AddOperatorRequest; readonly name: string; readonly id: string }>({
    name: "identity: operators",
    inputs: fc.record({
      request: mutatedMessage(
        AddOperatorRequest.fromPartial({
          name: "ada",
          role: 2,
          csrDer: Buffer.from(csr),
          validFor: { seconds: 86_400n, nanos: 0 },
        }),
      ),
      name: mutatedText(["ada"], { maxCharacters: 64 * 1024 }),
      id: mutatedText([issuer.current().id, issuer.current().id.slice(0, 4)], { maxCharacters: 64 * 1024 }),
    }),
    check({ request: asked, name, id }) {
      const told: string[] = [];
      const operators = createOperators({
        rows: { operators: () => [], saveOperator: () => undefined, removeOperator: () => undefined },
        authority: issuer,
        events: { append: ({ message }) => void told.push(message) as never },
        clock,
      });
      const { validFor } = asked;
      const validForMs = validFor && durationFromWire(validFor);
      const added = unlessRefused(() =>
        operators.add({
          ...{ name: asked.name, role: "viewer", csr: asked.csrDer },
          ...(validForMs !== undefined && { validForMs }),
        }),
      );
      if (added !== undefined) {
        assert.deepEqual(identityOf(new X509Certificate(added.certificate)), { kind: "operator", name: asked.name });
        assert.ok(added.operator.expiresAt > now && added.operator.expiresAt <= now + 3_651 * 86_400_000);
      }
      unlessRefused(() => operators.revoke(name));
      unlessRefused(() => issuer.require(id));
      for (const message of told) assertSentence(message);
    },
  }),
  family<string>({
    name: "identity: files of agents and operators",
    inputs: mutatedText([netbootPem, residentPem, operatorPem, authorityPem, operatorPem + netbootPem], {
      words: [
        "-----BEGIN CERTIFICATE-----\n",
        "-----END CERTIFICATE-----\n",
        "-----BEGIN PRIVATE KEY-----\n",
        "-----END PRIVATE KEY-----\n",
        "-----",
        "MII",
        "==",
        "\r\n",
      ],
      maxCharacters: 256 * 1024,
    }),
    check(text) {
      const refusals: string[] = [];
      const read = <Result>(parse: () => Result): Result | undefined =>
        unlessRefused(() => {
          try {
            return parse();
          } catch (error) {
            refusals.push((error as Error).message);
            throw error;
          }
        });
      const agent = read(() => parseAgentIdentity(text));
      if (agent !== undefined) {
        assert.equal(renderAgentIdentity(parseAgentIdentity(renderAgentIdentity(agent))), renderAgentIdentity(agent));
        // What an agent keeps it can go by.
        createIdentityHolder("TLS_AES_128_GCM_SHA256", () => undefined).hold(agent);
        createSecureContext(createIdentityHolder("TLS_AES_128_GCM_SHA256", () => undefined).hold(agent).server);
      }
      const bundle = read(() => parseBundle(text, "ada.pem"));
      // As the command line goes by it; an error here would be OpenSSL's, which names no remedy.
      if (bundle !== undefined)
        createSecureContext({ key: bundle.key, cert: bundle.cert, ca: [...bundle.ca], minVersion: "TLSv1.3" });
      for (const refusal of refusals) assert.ok(!secrets.some((secret) => refusal.includes(secret)), "it shows a key");
      readAuthorities(pemToDer(text, "CERTIFICATE"));
    },
  }),
];
