import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { generateKeyPairSync, sign } from "node:crypto";
import { describe, it } from "node:test";
import {
  createKey,
  createRequest,
  ecdsaWithSha256,
  parseRequest,
  publicKeyOf,
} from "../../../../proto/identity/certificate-request.ts";
import { der, derBits, derInteger, derSequence } from "../../../../proto/identity/der.ts";

const key = createKey();
const request = createRequest(key);
const problemOf = (octets: Uint8Array): string | undefined => {
  const parsed = parseRequest(octets);
  return "problem" in parsed ? parsed.problem : undefined;
};
const openssl = (args: readonly string[], input?: Uint8Array): Buffer =>
  execFileSync("openssl", [...args], { ...(input && { input }), stdio: ["pipe", "pipe", "pipe"] });

describe("certificate request", () => {
  it("gives back its key", () => {
    assert.deepEqual(parseRequest(request), { publicKey: publicKeyOf(key) });
  });

  it("is one that openssl verifies", () => {
    assert.doesNotThrow(() => openssl(["req", "-inform", "DER", "-verify", "-noout"], request));
  });

  it("of openssl is taken, and the names that it asks for are ignored", () => {
    const args = [
      "req",
      "-new",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-keyout",
      "/dev/null",
    ];
    const names = ["-subj", "/CN=admin", "-addext", "subjectAltName=URI:pallet://controller", "-outform", "DER"];
    assert.equal(problemOf(openssl([...args, ...names])), undefined);
  });

  it("is refused when any of its octets is another one", () => {
    for (let at = 0; at < request.length; at += 1) {
      const changed = Uint8Array.from(request);
      changed[at] = (changed[at] ?? 0) ^ 0x01;
      assert.notEqual(problemOf(changed), undefined, `octet ${at}`);
    }
  });

  it("is refused when it was cut off or goes on", () => {
    for (let length = 0; length < request.length; length += 1) {
      assert.notEqual(problemOf(request.subarray(0, length)), undefined, `${length} octets`);
    }
    assert.notEqual(problemOf(Buffer.concat([request, Uint8Array.of(0)])), undefined);
    assert.match(problemOf(new Uint8Array(5000)) ?? "", /longer than 4096/);
  });

  const requestOf = (publicKey: Uint8Array, signer = key): Uint8Array => {
    const info = derSequence(derInteger(Uint8Array.of(0)), derSequence(), publicKey, der(0xa0));
    return derSequence(info, ecdsaWithSha256, derBits(sign("sha256", info, signer)));
  };
  const spkiOf = (pair: { publicKey: import("node:crypto").KeyObject }): Uint8Array =>
    pair.publicKey.export({ type: "spki", format: "der" });
  const refused: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ["for somebody else's key", requestOf(publicKeyOf(createKey())), /not that of its key/],
    ["for a key on P-384", requestOf(spkiOf(generateKeyPairSync("ec", { namedCurve: "P-384" }))), /P-256/],
    ["for a key of Ed25519", requestOf(spkiOf(generateKeyPairSync("ed25519"))), /P-256/],
    [
      "for a point that is not on the curve",
      requestOf(Buffer.concat([publicKeyOf(key).subarray(0, 27), new Uint8Array(64).fill(7)])),
      /not that of its key/,
    ],
  ];
  for (const [title, octets, problem] of refused) {
    it(`${title} is refused`, () => assert.match(problemOf(octets) ?? "", problem));
  }
});
