import assert from "node:assert/strict";
import { it } from "node:test";
import { parseGroupId } from "../../../../controller/rpc/parse-group-id.ts";

const group = "root:x:0:\nadm:x:4:syslog,ann\npallet:x:987:ann,bob\nbroken:x::\n# comment\n";

for (const [name, id] of [
  ["root", 0],
  ["pallet", 987],
  ["broken", undefined],
  ["pal", undefined],
  ["", undefined],
] as const)
  it(`the group "${name}" is ${id}`, () => assert.equal(parseGroupId(group, name), id));
