import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseAgentIdentity, readAuthorities, renderAgentIdentity } from "../../../../proto/system/agent-identity.ts";
import { anAuthority } from "../../agent/identity/an-authority.ts";

const [current, former] = [anAuthority("Current"), anAuthority("Former")];
const leaf = current.issue("pallet://node/b8-27-eb-00-00-01/resident");
const identity = { ...leaf, authorities: [current.certificate, former.certificate] };
const text = renderAgentIdentity(identity);
const [keyText = "", own = "", ...rest] = text.split(/(?<=-----END [A-Z ]+-----\n)/);

describe("the file of an agent's identity", () => {
  it("comes back as it was written", () => {
    const parsed = parseAgentIdentity(text);
    assert.ok(parsed.key.equals(identity.key));
    assert.deepEqual(
      [parsed.certificate, ...parsed.authorities].map(({ fingerprint256 }) => fingerprint256),
      [leaf.certificate, current.certificate, former.certificate].map(({ fingerprint256 }) => fingerprint256),
    );
  });

  for (const [title, broken, message] of [
    ["is empty", "", /must hold one private key/],
    ["has no key", own + rest.join(""), /must hold one private key/],
    ["has two keys", keyText + text, /must hold one private key/],
    ["names no authority", keyText + own, /must hold one private key/],
    ["has the key of another certificate", keyText + rest.join(""), /not that of the key|must hold/],
    ["names more authorities than there can be", text + rest.join("").repeat(8), /more than 16/],
    ["was cut off", text.slice(0, 150), /must hold one private key/],
    ["holds no certificate where one should be", text.replace(own, own.replace(/MII/, "AAA")), /broken/],
  ] as const)
    it(`is refused when it ${title}, with nothing of the key in the message`, () => {
      assert.throws(
        () => parseAgentIdentity(broken),
        (error: Error) => {
          assert.match(error.message, message);
          assert.ok(!error.message.includes(keyText.split("\n")[1] ?? "?"));
          return true;
        },
      );
    });
});

describe("the authorities of an answer", () => {
  it("are undefined when there are none, too many, or one cannot be read", () => {
    const der = current.certificate.raw;
    assert.equal(readAuthorities([]), undefined);
    assert.equal(readAuthorities([der, Buffer.from("x")]), undefined);
    assert.equal(readAuthorities(Array(17).fill(der)), undefined);
    assert.equal(readAuthorities([der])?.length, 1);
  });
});
