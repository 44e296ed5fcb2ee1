import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { describe, it } from "node:test";
import { findClashes } from "../../../../controller/profiles/find-clashes.ts";
import { renderEd25519Key } from "../../../../proto/system/config/openssh-key.ts";
import type { SystemConfig } from "../../../../proto/system/system-config.ts";

const keyOf = (comment: string) => renderEd25519Key(generateKeyPairSync("ed25519").privateKey, comment).privateText;
const key = generateKeyPairSync("ed25519").privateKey;
const at = (name: string, ...addresses: string[]): SystemConfig => ({ network: { interfaces: [{ name, addresses }] } });

describe("findClashes", () => {
  for (const [title, one, other, field] of [
    ["one host name", { hostname: "pi" }, { hostname: "pi" }, "hostname"],
    ["two host names", { hostname: "pi-1" }, { hostname: "pi-2" }, undefined],
    ["no host name", {}, {}, undefined],
    ["an address", at("eth0", "10.0.0.7/24"), at("eth0", "10.0.0.7/24"), "network.interfaces[0].addresses[0]"],
    [
      "an address with other prefixes, on cable and radio",
      at("end0", "10.0.0.8/24", "10.0.0.7/24"),
      at("wlan0", "10.0.0.7/16"),
      "network.interfaces[0].addresses[1]",
    ],
    [
      "an address of IPv6, spelt otherwise",
      at("eth*", "2001:DB8::0:7/64"),
      at("*", "2001:db8:0::7/64"),
      "network.interfaces[0].addresses[0]",
    ],
    ["two addresses", at("eth0", "10.0.0.7/24"), at("eth0", "10.0.0.8/24"), undefined],
    ["an address of the USB gadget of each", at("usb0", "10.55.0.1/29"), at("usb0", "10.55.0.1/29"), undefined],
    [
      "a given host key, with other comments",
      { ssh: { hostKeys: [renderEd25519Key(key, "a").privateText] } },
      { ssh: { hostKeys: [renderEd25519Key(key, "b").privateText] } },
      "ssh.hostKeys[0]",
    ],
    ["two host keys", { ssh: { hostKeys: [keyOf("a")] } }, { ssh: { hostKeys: [keyOf("a")] } }, undefined],
  ] as const satisfies readonly (readonly [string, SystemConfig, SystemConfig, string | undefined])[])
    it(`${field === undefined ? "finds nothing in" : "finds"} ${title}`, () => {
      const clashes = findClashes([
        { node: "pi-1", config: one },
        { node: "pi-2", config: other },
        { node: "pi-3", config: {} },
      ]);
      assert.deepEqual(
        clashes.map((clash) => [clash.field, clash.nodes]),
        field === undefined ? [] : [[field, ["pi-1", "pi-2"]]],
      );
      assert.doesNotMatch(JSON.stringify(clashes), /PRIVATE|b3BlbnNzaC1rZXk/);
    });

  it("finds nothing in what one node has twice", () => {
    const config = { network: { interfaces: ["eth0", "eth1"].map((name) => ({ name, addresses: ["10.0.0.7/24"] })) } };
    assert.deepEqual(findClashes([{ node: "pi-1", config }]), []);
  });
});
