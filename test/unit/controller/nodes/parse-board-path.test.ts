// What a board's path names is decided once: who serves it, who reads requests of firmware and who explains misses
// agree.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseBootPath } from "../../../../controller/boot/boot-paths.ts";
import { parseFirmwareRequest } from "../../../../controller/boot/firmware-request.ts";
import { sharedPath } from "../../../../controller/nodes/choose-miss-meaning.ts";
import { type Board, parseBoardPath } from "../../../../controller/nodes/parse-board-path.ts";

const serial = { serial: "5e1fabcd" };
const mac = { mac: "dc:a6:32:00:00:01" } as Board;
const key = "0123456789ab";

const paths: readonly [path: string, board: Board | undefined, file: string][] = [
  ["5e1fABCD/start4.elf", serial, "start4.elf"],
  ["/5e1fabcd/config.txt", serial, "config.txt"],
  ["//5E1FABCD//config.txt", serial, "config.txt"],
  ["\\5e1fabcd\\overlays\\a.dtbo", serial, "overlays/a.dtbo"],
  ["./5e1fabcd/./kernel8.img", serial, "kernel8.img"],
  ["dc-a6-32-00-00-01/cmdline.txt", mac, "cmdline.txt"],
  ["DC-A6-32-00-00-01/cmdline.txt", mac, "cmdline.txt"],
  ["ff-ff-ff-ff-ff-ff/cmdline.txt", undefined, "ff-ff-ff-ff-ff-ff/cmdline.txt"],
  ["dca632000001/cmdline.txt", undefined, "dca632000001/cmdline.txt"],
  ["bootcode.bin", undefined, "bootcode.bin"],
  ["agent/vmlinuz", undefined, "agent/vmlinuz"],
  ["5e1fabcd", undefined, "5e1fabcd"],
  ["5e1fabcd0/x", undefined, "5e1fabcd0/x"],
  [`5e1fabcd/pallet/${key}/kernel`, serial, `pallet/${key}/kernel`],
];

describe("a path as a board asks for it", () => {
  for (const [path, board, file] of paths)
    it(`${path} is ${file} of ${board === undefined ? "whichever board" : JSON.stringify(board)}`, () => {
      const parsed = parseBoardPath(path);
      assert.deepEqual([parsed.board, parsed.segments.join("/")], [board, file]);

      const asked = parseBootPath(path);
      assert.ok(asked.kind === "file");
      assert.deepEqual([asked.candidates.length, asked.candidates.at(-1)], [board === undefined ? 1 : 2, file]);
      const request = parseFirmwareRequest(asked.candidates);
      if (request !== undefined) assert.deepEqual(request.board, board);
      assert.equal(sharedPath(path), file.replace(`pallet/${key}/`, ""));
    });
});
