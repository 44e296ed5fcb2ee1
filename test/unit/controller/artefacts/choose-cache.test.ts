import assert from "node:assert/strict";
import path from "node:path";
import { describe, it } from "node:test";
import { execa } from "execa";
import { chooseCache } from "../../../../controller/artefacts/choose-cache.ts";

const script = path.resolve(import.meta.dirname, "../../../../scripts/cache-folder");
const home = "/home/anna";

const rows: readonly (readonly [name: string, environment: Record<string, string>, folder: string])[] = [
  ["by default", {}, "/home/anna/.cache/pallet"],
  ["with a cache by the XDG specification", { XDG_CACHE_HOME: "/var/cache/anna" }, "/var/cache/anna/pallet"],
  ["with a relative one, which that has ignored", { XDG_CACHE_HOME: "cache" }, "/home/anna/.cache/pallet"],
  ["with an empty one", { XDG_CACHE_HOME: "" }, "/home/anna/.cache/pallet"],
  ["with Pallet's own variable", { PALLET_CACHE: "/big/pallet" }, "/big/pallet"],
  ["with both", { PALLET_CACHE: "/big/pallet", XDG_CACHE_HOME: "/var/cache/anna" }, "/big/pallet"],
  ["with Pallet's own variable empty", { PALLET_CACHE: "" }, "/home/anna/.cache/pallet"],
];

/** What the same decision in shell prints. */
function byShell(environment: Record<string, string>) {
  return execa("sh", [script], { env: { ...environment, HOME: home }, extendEnv: false, reject: false });
}

describe("the cache of a checkout", () => {
  for (const [name, environment, folder] of rows) {
    it(`${name}: ${folder}, in shell too`, async () => {
      assert.equal(chooseCache({ environment, home, installed: false }), folder);
      assert.equal((await byShell(environment)).stdout, folder);
    });
  }

  it("refuses a relative folder, which would be another one for every program", async () => {
    const environment = { PALLET_CACHE: "cache" };
    const refusal = 'PALLET_CACHE must be an absolute path, not "cache"';
    for (const installed of [false, true])
      assert.throws(() => chooseCache({ environment, home, installed }), new Error(refusal));
    const { exitCode, stderr } = await byShell(environment);
    assert.deepEqual([exitCode, stderr], [2, refusal]);
  });
});

describe("the cache of the installed program", () => {
  const installed = true;
  it("is a part of Pallet's state, whoever runs it", () =>
    assert.equal(
      chooseCache({ environment: { XDG_CACHE_HOME: "/var/cache/anna" }, home, installed }),
      "/var/lib/pallet/cache",
    ));
  it("is where Pallet's own variable says", () =>
    assert.equal(chooseCache({ environment: { PALLET_CACHE: "/big/pallet" }, home, installed }), "/big/pallet"));
});
