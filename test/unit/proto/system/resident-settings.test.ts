import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { NodeId } from "../../../../proto/names/node-id.ts";
import {
  parseResidentSettings,
  renderResidentSettings,
  replaceControllers,
} from "../../../../proto/system/resident-settings.ts";

const settings = {
  node: "b8:27:eb:00:00:01" as NodeId,
  controllers: [
    { host: "10.77.0.1", port: 7700 },
    { host: "fd00::1", port: 1 },
  ],
};

describe("the settings of a resident agent", () => {
  it("are read as they were written", () => {
    assert.deepEqual(parseResidentSettings(renderResidentSettings(settings)), settings);
  });

  it("need not name a node, and may hold what only newer agents know", () => {
    const text = '{"controllers": ["controller.lan:7700"], "trust": 1}';
    assert.deepEqual(parseResidentSettings(text), { controllers: [{ host: "controller.lan", port: 7700 }] });
  });

  it("get other controllers, and keep everything else", () => {
    const text = replaceControllers('{"node": "b827eb000001", "trust": {"a": 1}, "controllers": ["a:1"]}', [
      { host: "b", port: 2 },
    ]);
    assert.deepEqual(JSON.parse(text), { node: "b827eb000001", trust: { a: 1 }, controllers: ["b:2"] });
  });

  for (const [title, text, message] of [
    ["what is not JSON", "{", /not JSON/],
    ["no controllers", '{"controllers": []}', /controllers/],
    ["none at all", "{}", /controllers/],
    ["too many", JSON.stringify({ controllers: Array.from({ length: 9 }, (_, at) => `a:${at + 1}`) }), /controllers/],
    ["an address without a port", '{"controllers": ["10.77.0.1"]}', /HOST:PORT/],
    ["a node that is no MAC address", '{"node": "pi-1", "controllers": ["a:1"]}', /MAC address/],
  ] as const) {
    it(`refuses ${title}`, () => {
      assert.throws(() => parseResidentSettings(text), { reason: "invalid", message });
      assert.throws(() => replaceControllers(text, settings.controllers), { reason: "invalid" });
    });
  }
});
