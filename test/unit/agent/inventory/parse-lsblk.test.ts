import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseLsblk, selectColumns, wantedColumns } from "../../../../agent/inventory/parse-lsblk.ts";
import { Failure } from "../../../../proto/failure.ts";
import { assertGoldenJson, goldenFile } from "../../../golden.ts";

const read = (file: string) => readFileSync(goldenFile(`inventory/${file}`), "utf8");
const names = readdirSync(goldenFile("inventory"))
  .filter((file) => file.endsWith(".lsblk.json"))
  .map((file) => file.replace(".lsblk.json", ""));

describe("parseLsblk on golden files", () => {
  it("has them", () => assert.ok(names.length >= 16));

  for (const name of names) {
    it(`reads ${name}`, () => {
      const devices = parseLsblk(read(`${name}.lsblk.json`));
      assertGoldenJson(`inventory/${name}.devices.json`, devices);
    });
  }

  it("reads the same of one Pi from every version of util-linux", () => {
    const [newest, ...older] = ["pi3-running-from-sd", "pi3-util-linux-2.33", "pi3-util-linux-2.29"].map((name) => {
      const [card] = parseLsblk(read(`${name}.lsblk.json`));
      assert.ok(card);
      return [card, ...card.children].map(({ path, type, sizeBytes, filesystemType, label, readOnly, transport }) => {
        return { path, type, sizeBytes, filesystemType, label, readOnly, transport };
      });
    });
    for (const old of older) assert.deepEqual(old, newest);
  });
});

describe("parseLsblk", () => {
  const refusals: readonly [string, string, RegExp][] = [
    ["nothing", "", /lsblk did not print JSON: nothing/],
    ["words", "lsblk: failed to access sysfs directory", /did not print JSON: lsblk: failed to access/],
    ["JSON cut off", '{"blockdevices": [{"name":"mmcblk0"', /did not print JSON/],
    ["another object", '{"filesystems": []}', /without a list of block devices: \{"filesystems"/],
    ["a list", "[]", /without a list of block devices/],
    [
      "a device that is text",
      '{"blockdevices": ["mmcblk0"]}',
      /a device that is not an object, but of the type string/,
    ],
    ["a device without a name", '{"blockdevices": [{"size": 1}]}', /a device without a name, with size/],
  ];
  for (const [title, json, message] of refusals) {
    it(`refuses ${title}`, () => {
      assert.throws(
        () => parseLsblk(json),
        (error) => error instanceof Failure && error.reason === "tool-failed" && message.test(error.message),
      );
    });
  }

  const only = (member: string) => parseLsblk(`{"blockdevices":[{"name":"sda",${member}}]}`)[0];

  it("takes no number for a size that is none", () => {
    for (const size of ['"29.7G"', "-1", "1.5", "1e300", '""', "null", "[1]"])
      assert.equal(only(`"size":${size}`)?.sizeBytes, 0, size);
  });

  it("takes numbers as text where the column is text", () => assert.equal(only('"serial":2410')?.serial, "2410"));

  it("trims the padding of hardware names", () => assert.equal(only('"model":"Ultra Fit       "')?.model, "Ultra Fit"));

  it("keeps spaces inside a label", () => assert.equal(only('"label":"USB STICK"')?.label, "USB STICK"));

  it("throws only Failures, whatever JSON it is given", () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        for (const text of [json, `{"blockdevices":${json}}`, `{"blockdevices":[{"name":"a","children":[${json}]}]}`])
          try {
            parseLsblk(text);
          } catch (error) {
            assert.ok(error instanceof Failure, String(error));
          }
      }),
    );
  });
});

describe("selectColumns", () => {
  const help = (columns: readonly string[]) =>
    `\nUsage:\n lsblk [options]\n\nAvailable output columns:\n${columns.map((name) => `  ${name}  a ${name} b\n`).join("")}\nFor more details see lsblk(8).\n`;

  it("asks a new lsblk for everything but the single mountpoint", () => {
    assert.deepEqual(
      selectColumns(help([...wantedColumns, "ZONED"])),
      wantedColumns.filter((column) => column !== "MOUNTPOINT"),
    );
  });

  it("asks an old lsblk only for what it knows", () => {
    assert.deepEqual(selectColumns(help(["NAME", "MOUNTPOINT", "TYPE", "SIZE", "RO"])), [
      "NAME",
      "TYPE",
      "SIZE",
      "MOUNTPOINT",
      "RO",
    ]);
  });

  it("asks for everything when the help has no list of columns", () => {
    assert.deepEqual(selectColumns("Usage: lsblk"), wantedColumns);
  });
});
