import assert from "node:assert/strict";
import { test } from "node:test";
import { parseUserName } from "../../../../controller/rpc/parse-user-name.ts";

const passwd =
  "root:x:0:0:root:/root:/bin/sh\n#anna:x:7\n\nanna:x:1000:1000:Anna,,,:/home/anna:/bin/sh\nann2:x:1000:5::/:\n:x:9:9::/:\nbad";

for (const [uid, name] of [
  [0, "root"],
  [1000, "anna"],
  [7, "#anna"],
  [9, undefined],
  [4_294_967_295, undefined],
] as const) {
  test(`user ${uid} is ${name ?? "without a name"}`, () => assert.equal(parseUserName(passwd, uid), name));
}
