import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { it } from "node:test";
import { version as agentVersion } from "../../../agent/version.ts";
import { version as controllerVersion } from "../../../controller/version.ts";

const file = new URL("../../../package.json", import.meta.url);
const { version } = JSON.parse(readFileSync(file, "utf8")) as { version: string };

for (const [program, found] of [
  ["agent", agentVersion],
  ["controller", controllerVersion],
] as const)
  it(`the ${program} has the version of the package, and a digest of its own sources`, () => {
    const [release, digest] = found.split("+");
    assert.equal(release, version);
    assert.match(digest ?? "", /^[0-9a-f]{12}$/);
    assert.notEqual(agentVersion, controllerVersion);
  });
