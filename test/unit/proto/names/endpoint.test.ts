// HOST:PORT as agents and the command line are given it, and as the controller writes it.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resolveOptions } from "../../../../agent/options/options.ts";
import { chooseTarget } from "../../../../controller/cli/connection/controller-target.ts";
import {
  defaultControllerPort,
  type Endpoint,
  parseEndpoint,
  renderEndpoint,
} from "../../../../proto/names/endpoint.ts";

const flags = { port: "0", role: "netboot", installedFile: "/etc/pallet/installed.json" };

describe("an endpoint", () => {
  const rows: readonly (readonly [text: string, endpoint: Endpoint | undefined])[] = [
    ["10.77.0.1:7700", { host: "10.77.0.1", port: 7700 }],
    ["controller.example:1", { host: "controller.example", port: 1 }],
    ["[fd00::1]:65535", { host: "fd00::1", port: 65_535 }],
    ["[FD00::1]:99", { host: "FD00::1", port: 99 }],
    ["[fe80::1%eth0]:7700", { host: "fe80::1%eth0", port: 7700 }],
    ["fd00::1:7700", undefined],
    ["[::1", undefined],
    ["[host]:1", undefined],
    ["host:", undefined],
    ["host:0", undefined],
    ["host:65536", undefined],
    ["host:port", undefined],
    ["dns:///host:1", undefined],
    ["unix:/x", undefined],
    ["a b:1", undefined],
    ["", undefined],
  ];
  for (const [text, endpoint] of rows) {
    it(`${JSON.stringify(text)} is ${endpoint === undefined ? "refused" : "understood"} by both`, () => {
      assert.deepEqual(parseEndpoint(text), endpoint);
      if (endpoint === undefined) {
        if (parseEndpoint(text, defaultControllerPort) === undefined)
          assert.throws(() => chooseTarget({ server: text }, {}), /is not HOST or HOST:PORT/);
        assert.throws(() => resolveOptions({ ...flags, controller: text }, ""), /is not HOST:PORT/);
        return;
      }
      assert.equal(chooseTarget({ server: text }, {}).name, text);
      assert.deepEqual(resolveOptions({ ...flags, controller: text }, "").controllers, [endpoint]);
      assert.equal(renderEndpoint(endpoint), text);
    });
  }

  it("without a port is the controller's own", () => {
    const { controllers } = resolveOptions({ ...flags, controller: "[fd00::1]" }, "");
    assert.deepEqual(controllers, [{ host: "fd00::1", port: defaultControllerPort }]);
    assert.equal(chooseTarget({ server: "[fd00::1]" }, {}).name, `[fd00::1]:${defaultControllerPort}`);
  });
});
