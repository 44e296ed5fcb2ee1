import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseCpuinfo, parseDeviceTreeString, selectBoard } from "../../../../agent/inventory/parse-board.ts";

const cpuinfo = `processor\t: 0
BogoMIPS\t: 108.00
CPU part\t: 0xd08

Hardware\t: BCM2835
Revision\t: c03114
Serial\t\t: 10000000ABCDEF01
Model\t\t: Raspberry Pi 4 Model B Rev 1.4
`;
const none = { model: "", serial: "" };

describe("parse-board", () => {
  it("reads a device tree's string up to its NUL", () => {
    assert.equal(
      parseDeviceTreeString(Buffer.from("Raspberry Pi 5 Model B Rev 1.0\0")),
      "Raspberry Pi 5 Model B Rev 1.0",
    );
    assert.equal(parseDeviceTreeString(Buffer.from("10000000abcdef01")), "10000000abcdef01");
    assert.equal(parseDeviceTreeString(Buffer.from("first\0second\0")), "first");
    assert.equal(parseDeviceTreeString(Buffer.alloc(0)), "");
  });

  it("reads model and serial of a Pi's cpuinfo", () => {
    assert.deepEqual(parseCpuinfo(cpuinfo), { model: "Raspberry Pi 4 Model B Rev 1.4", serial: "10000000ABCDEF01" });
  });

  it("finds neither in the cpuinfo of a PC, whose lines of each core have other names", () => {
    assert.deepEqual(parseCpuinfo("processor\t: 0\nmodel\t\t: 167\nmodel name\t: Xeon\n"), none);
    assert.deepEqual(parseCpuinfo("Serial\nModel\t\t:\n"), none);
  });

  it("takes the device tree before cpuinfo, one by one, and serials in lower case", () => {
    const fromCpuinfo = parseCpuinfo(cpuinfo);
    assert.deepEqual(selectBoard({ model: "Pi", serial: "1F" }, fromCpuinfo), { model: "Pi", serial: "1f" });
    assert.deepEqual(selectBoard({ model: "Pi", serial: "" }, fromCpuinfo), {
      model: "Pi",
      serial: "10000000abcdef01",
    });
    assert.deepEqual(selectBoard(none, none), none);
  });

  it("takes a serial of zeros for none", () => {
    assert.equal(selectBoard({ model: "", serial: "0000000000000000" }, none).serial, "");
  });
});
