import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { renderCheck } from "../../../../controller/cli/render/render-check.ts";
import { insecureDoors } from "../../../../controller/config/insecure.ts";
import { parseConfigFile } from "../../../../controller/config/parse-config-file.ts";
import { parseEnvironment } from "../../../../controller/config/parse-text-values.ts";
import { type ConfigResult, resolveConfig } from "../../../../controller/config/resolve-config.ts";

const resolved = (file: string): ConfigResult => resolveConfig([parseConfigFile(file, "/etc/pallet/controller.yaml")]);

function doorsOf(file: string): readonly string[] {
  const result = resolved(file);
  assert.ok(result.ok, result.ok ? "" : result.problems.join("\n"));
  return insecureDoors(result.config, 7700);
}

describe("a controller without TLS", () => {
  it("is one that was told to be, on loopback too", () => {
    for (const file of ["", "listen: 127.0.0.1"]) assert.deepEqual(doorsOf(file), []);
    const [warning = "", ...others] = doorsOf("insecure: true");
    assert.match(warning, /^INSECURE: .*anyone who can reach TCP 127\.0\.0\.1:7700 or a node can erase every disk/);
    assert.deepEqual(others, []);
  });

  it("is said by serve --check, whatever else it finds", () => {
    const warnings = doorsOf("insecure: true");
    const report = { warnings, problems: [], unserved: [], kernel: { path: "/boot/vmlinuz" } };
    const problem = { part: "ports", message: "taken", remedy: "free it", isFatal: true } as const;
    const look = { color: false, unicode: true };
    for (const each of [report, { ...report, problems: [problem] }])
      assert.equal(renderCheck(each as never, look).at(-1), warnings[0]);
  });

  for (const [what, result, problem] of [
    ["its former name", resolved("insecureTcp: true"), /yaml line 1: insecureTcp is gone: .*has insecure$/],
    [
      "its former name in the environment",
      resolveConfig([parseEnvironment({ PALLET_INSECURE_TCP: "true" }, "/")]),
      /^PALLET_INSECURE_TCP: insecureTcp is gone/,
    ],
    [
      "the agents' word beside it",
      resolved("bootProfile: {agent: {append: [pallet.insecure]}}"),
      /line 1: bootProfile\.agent\.append has pallet\.insecure; remove it/,
    ],
    [
      "the agents' former word",
      resolved("bootProfile: {local: {append: [pallet.insecure-tcp=true]}}"),
      /bootProfile\.local\.append has pallet\.insecure-tcp=true; remove it/,
    ],
  ] as const) {
    it(`is not had by ${what}`, () => {
      assert.ok(!result.ok);
      assert.match(result.problems.join("\n"), problem);
    });
  }
});
