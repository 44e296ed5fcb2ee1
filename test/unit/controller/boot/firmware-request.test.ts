import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseBootPath } from "../../../../controller/boot/boot-paths.ts";
import { parseFirmwareRequest } from "../../../../controller/boot/firmware-request.ts";

describe("requests that depend on the node", () => {
  const mac = "dc:a6:32:00:00:01";
  const key = "0123456789ab";
  for (const [path, expected] of [
    ["config.txt", { kind: "config", board: undefined }],
    ["/5E1FABCD/config.txt", { kind: "config", board: { serial: "5e1fabcd" } }],
    ["dc-a6-32-00-00-01/cmdline.txt", { kind: "command-line", board: { mac } }],
    [`5e1fabcd/pallet/${key}/kernel`, { kind: "boot-file", board: { serial: "5e1fabcd" }, key, file: "kernel" }],
    [`pallet/${key}/overlays/a.dtbo`, { kind: "boot-file", board: undefined, key, file: "overlays/a.dtbo" }],
    ["5e1fabcd/start4.elf", undefined],
    ["other/config.txt", undefined],
    ["5e1fabcd/pallet/short/kernel", undefined],
    [`pallet/${key}`, undefined],
  ] as const)
    it(`are told by their path: ${path}`, () => {
      const asked = parseBootPath(path);
      assert.ok(asked.kind === "file");
      assert.deepEqual(parseFirmwareRequest(asked.candidates), expected);
    });
});
