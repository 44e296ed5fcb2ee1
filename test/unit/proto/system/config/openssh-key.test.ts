import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, describe, it } from "node:test";
import { execaSync } from "execa";
import fc from "fast-check";
import { fileWordOf, parseHostKey, renderEd25519Key } from "../../../../../proto/system/config/openssh-key.ts";
import { requires } from "../../../../requirements.ts";

const folder = mkdtempSync(path.join(os.tmpdir(), "pallet-host-key-"));
after(() => rmSync(folder, { recursive: true }));
let count = 0;

/** What the real ssh-keygen says that the public half of a private key is. */
function publicBySshKeygen(privateText: string): string {
  const file = path.join(folder, `key-${count++}`);
  writeFileSync(file, privateText);
  chmodSync(file, 0o600);
  return execaSync("ssh-keygen", ["-y", "-f", file]).stdout.split(" ").slice(0, 2).join(" ");
}

/** A private key as the real ssh-keygen makes it. */
function made(...args: readonly string[]): string {
  const file = path.join(folder, `made-${count++}`);
  execaSync("ssh-keygen", ["-q", "-N", "", "-C", "a comment", "-f", file, ...args]);
  return readFileSync(file, "utf8");
}

/** Options of ssh-keygen(1) for keys of all kinds and files. */
const forms = [
  ["-t", "ed25519"],
  ["-t", "rsa", "-b", "2048"],
  ["-t", "rsa", "-b", "2048", "-m", "PEM"],
  ["-t", "ecdsa", "-b", "256"],
  ["-t", "ecdsa", "-b", "521", "-m", "PEM"],
  ["-t", "ecdsa", "-b", "384", "-m", "PKCS8"],
];

describe("a host key", () => {
  it("that is made is one to ssh-keygen, whatever its comment", () => {
    for (const comment of ["", "pi-7", "ü".repeat(40)]) {
      const { privateKey } = generateKeyPairSync("ed25519");
      const key = renderEd25519Key(privateKey, comment);
      assert.equal(publicBySshKeygen(key.privateText), key.publicLine);
      assert.deepEqual(parseHostKey(key.privateText), key);
    }
  });

  for (const args of forms)
    it(`that ssh-keygen makes is read: ${args.join(" ")}`, () => {
      const text = made(...args);
      const key = parseHostKey(text);
      assert.ok(key !== undefined);
      assert.equal(key.publicLine, publicBySshKeygen(text));
      assert.equal(publicBySshKeygen(key.privateText), key.publicLine);
      assert.ok(fileWordOf(key.algorithm) !== undefined);
    });

  for (const args of forms)
    it(`is one to dropbear, too: ${args.join(" ")}`, requires("dropbear"), () => {
      const key = parseHostKey(made(...args));
      assert.ok(key !== undefined);
      const file = path.join(folder, `dropbear-${count++}`);
      writeFileSync(file, key.dropbearFile);
      assert.ok(execaSync("dropbearkey", ["-y", "-f", file]).stdout.includes(key.publicLine));
      // What its own program makes of it for OpenSSH has the same halves.
      execaSync("dropbearconvert", ["dropbear", "openssh", file, `${file}.openssh`]);
      const converted = readFileSync(`${file}.openssh`, "utf8");
      assert.equal(publicBySshKeygen(converted), key.publicLine);
      assert.deepEqual(parseHostKey(converted)?.dropbearFile, key.dropbearFile);
    });

  it("of Ed25519 in PEM becomes one in OpenSSH's format", () => {
    const { privateKey } = generateKeyPairSync("ed25519");
    const key = parseHostKey(privateKey.export({ format: "pem", type: "pkcs8" }).toString());
    assert.match(key?.privateText ?? "", /^-----BEGIN OPENSSH PRIVATE KEY-----\n/);
    assert.equal(publicBySshKeygen(key?.privateText ?? ""), key?.publicLine);
  });

  it("with a passphrase, a public one, and what is none are not taken", () => {
    const file = path.join(folder, "locked");
    execaSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "passphrase", "-f", file]);
    for (const text of [
      readFileSync(file, "utf8"),
      readFileSync(`${file}.pub`, "utf8"),
      "",
      "-----BEGIN OPENSSH PRIVATE KEY-----",
    ])
      assert.equal(parseHostKey(text), undefined);
  });

  it("that is cut or changed anywhere never throws", () => {
    const lines = made("-t", "ed25519").trim().split("\n");
    const bytes = Buffer.from(lines.slice(1, -1).join(""), "base64");
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), fc.boolean(), (at, value, cut) => {
        const changed = Buffer.from(cut ? bytes.subarray(0, at) : bytes);
        if (!cut) changed[at] = value;
        parseHostKey([lines[0], changed.toString("base64"), lines.at(-1)].join("\n"));
      }),
      { numRuns: 300 },
    );
  });
});
