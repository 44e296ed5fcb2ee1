import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Identity, identityOf, parseIdentity, renderIdentity } from "../../../../proto/identity/identity.ts";
import { parseMacAddress } from "../../../../proto/names/node-id.ts";

const nodeId = parseMacAddress("b8:27:eb:00:00:01");
assert.ok(nodeId);
const bootId = "0f1c2d3e-1111-2222-3333-444455556666";

const named: readonly (readonly [Identity, string])[] = [
  [{ kind: "controller" }, "pallet://controller"],
  [{ kind: "netboot", nodeId, bootId }, `pallet://node/b8-27-eb-00-00-01/netboot/${bootId}`],
  [{ kind: "resident", nodeId }, "pallet://node/b8-27-eb-00-00-01/resident"],
  [{ kind: "operator", name: "ada" }, "pallet://operator/ada"],
];

describe("identity", () => {
  for (const [identity, uri] of named) {
    it(`is written and read as ${uri}`, () => {
      assert.equal(renderIdentity(identity), uri);
      assert.deepEqual(parseIdentity(uri), identity);
    });
  }

  const others = [
    ...["", "pallet:", "pallet://", "pallet://Controller", "pallet://controller/", "pallet://controller/x"],
    ...["https://controller", "pallet://operator/", "pallet://operator/Ada", "pallet://operator/a b"],
    ...["pallet://operator/ada/admin", "pallet://operator/../ada", `pallet://operator/${"a".repeat(64)}`],
    ...["pallet://node/b8-27-eb-00-00-01", "pallet://node/b8:27:eb:00:00:01/resident"],
    ...["pallet://node/B8-27-EB-00-00-01/resident", "pallet://node/b827eb000001/resident"],
    ...["pallet://node/b8-27-eb-00-00-01/netboot", "pallet://node/b8-27-eb-00-00-01/netboot/"],
    ...["pallet://node/b8-27-eb-00-00-01/netboot/a/b", "pallet://node/b8-27-eb-00-00-01/admin/x"],
    ...["pallet://node/01-00-5e-00-00-01/resident", "pallet://node/b8-27-eb-00-00-01/resident/x"],
  ];
  for (const uri of others) it(`is none of ${JSON.stringify(uri)}`, () => assert.equal(parseIdentity(uri), undefined));

  const server = "DNS:0123456789abcdef0123456789abcdef.pallet.internal";
  const certificates: readonly (readonly [string | undefined, Identity | undefined])[] = [
    ["URI:pallet://operator/ada", { kind: "operator", name: "ada" }],
    [`URI:pallet://controller, ${server}`, { kind: "controller" }],
    [undefined, undefined],
    ["", undefined],
    [server, undefined],
    ["DNS:pallet://controller", undefined],
    ["URI:pallet://operator/ada, URI:pallet://controller", undefined],
    ["URI:pallet://operator/ada, DNS:example.org", undefined],
    ['URI:"pallet://operator/ada, URI:pallet://controller"', undefined],
  ];
  for (const [subjectAltName, identity] of certificates) {
    it(`of a certificate for ${subjectAltName ?? "nothing"} is ${identity?.kind ?? "none"}`, () => {
      assert.deepEqual(identityOf({ subjectAltName }), identity);
    });
  }
});
