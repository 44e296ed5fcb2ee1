import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import process from "node:process";
import { describe, it } from "node:test";
import { chooseCiphers } from "../../../../agent/identity/choose-ciphers.ts";
import { execa } from "../../../../proto/linux/leashed-execa.ts";
import { hideAes } from "../../../../scripts/bench/stage/hide-aes.ts";

const cpuInfo =
  "processor\t: 0\nflags\t\t: fpu pclmulqdq sse4_2 aes xsave avx vaes vpclmulqdq sha_ni\nbugs\t\t: aes\n\nprocessor\t: 1\nflags\t\t: fpu aes\n";

const hiddenHere = hideAes(await readFile("/proc/cpuinfo", "utf8"), process.arch);

describe("hideAes", () => {
  it("shows a processor without AES, for which an agent chooses another cipher", () => {
    const hidden = hideAes(cpuInfo, "x64");
    assert.match(hidden?.cpuInfo ?? "", /^flags\t\t: fpu +sse4_2 +xsave avx +sha_ni$/m);
    assert.match(hidden?.cpuInfo ?? "", /^flags\t\t: fpu $/m);
    assert.match(hidden?.cpuInfo ?? "", /^bugs\t\t: aes$/m);
    assert.match(chooseCiphers(cpuInfo), /^TLS_AES_128_GCM/);
    assert.match(chooseCiphers(hidden?.cpuInfo ?? ""), /^TLS_CHACHA20/);
  });

  it("says where there is nothing to hide, or no way to", () => {
    assert.equal(hideAes("flags\t\t: fpu sse4_2 vaes\n", "x64"), undefined);
    assert.equal(hideAes("Features\t: fp asimd aes pmull\n", "arm64"), undefined);
  });

  it("hides them from OpenSSL, as Node has it, where this processor has any", async () => {
    if (hiddenHere === undefined) return;
    // Without instructions for it, AES takes a multiple of ChaCha20's time; with them, about the same.
    const program = `
      const { createCipheriv, randomBytes } = require("node:crypto");
      const piece = randomBytes(16384);
      const cost = (name, keyBytes) => {
        const before = process.cpuUsage();
        for (let n = 0; n < 1024; n += 1) {
          const cipher = createCipheriv(name, randomBytes(keyBytes), randomBytes(12), { authTagLength: 16 });
          cipher.update(piece);
          cipher.final();
        }
        const { user, system } = process.cpuUsage(before);
        return user + system;
      };
      cost("aes-128-gcm", 16);
      cost("chacha20-poly1305", 32);
      console.log(cost("aes-128-gcm", 16) / cost("chacha20-poly1305", 32));`;
    const ratioIn = async (environment: readonly string[]): Promise<number> =>
      Number((await execa("env", [...environment, process.execPath, "--eval", program])).stdout);
    const [hidden, shown] = [await ratioIn(hiddenHere.environment), await ratioIn([])];
    assert.ok(
      hidden > shown * 1.3,
      `AES costs ${hidden} times ChaCha20 where it is hidden, and ${shown} times where not`,
    );
  });
});
