import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { renderCheck } from "../../../../controller/cli/render/render-check.ts";
import { insecureDoors } from "../../../../controller/config/insecure-tcp.ts";
import { parseConfigFile } from "../../../../controller/config/parse-config-file.ts";
import { resolveConfig } from "../../../../controller/config/resolve-config.ts";

function doorsOf(file: string): readonly string[] {
  const result = resolveConfig([parseConfigFile(file, "/etc/pallet/controller.yaml")]);
  assert.ok(result.ok, result.ok ? "" : result.problems.join("\n"));
  return insecureDoors(result.config, 7700);
}

describe("insecureDoors", () => {
  for (const [what, file, warnings] of [
    ["none by default", "", []],
    ["none on loopback by default", "listen: 127.0.0.1", []],
    ["the controller's", "insecureTcp: true", [/TCP 127\.0\.0\.1:7700 accepts every call/]],
    [
      "netbooted agents'",
      "bootProfile: {agent: {append: [pallet.insecure-tcp]}}",
      [/netbooted agents.*erase their disks/],
    ],
    [
      "resident agents'",
      "bootProfile: {local: {append: [pallet.insecure-tcp=true]}}",
      [/resident agents.*reboot them/],
    ],
    ["none where the word says so", "bootProfile: {agent: {append: [pallet.insecure-tcp=false]}}", []],
  ] as const) {
    it(`are ${what}`, () => {
      const found = doorsOf(file);
      assert.equal(found.length, warnings.length, found.join("\n"));
      for (const [index, warning] of warnings.entries()) {
        assert.match(found[index] ?? "", /^INSECURE: /);
        assert.match(found[index] ?? "", warning);
      }
    });
  }

  it("are said by serve --check, whatever else it finds", () => {
    const warnings = doorsOf("insecureTcp: true");
    const report = { warnings, problems: [], unserved: [], kernel: { path: "/boot/vmlinuz" } };
    const problem = { part: "ports", message: "taken", remedy: "free it", isFatal: true } as const;
    const look = { color: false, unicode: true };
    for (const each of [report, { ...report, problems: [problem] }])
      assert.equal(renderCheck(each as never, look).at(-1), warnings[0]);
  });
});
