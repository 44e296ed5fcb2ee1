// What systemd itself says of the units: that it understands them, and how much they leave open.
import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { execa } from "execa";
import { renderAgentUnit } from "../../../proto/system/render-agent-unit.ts";
import { requires } from "../../requirements.ts";

const controllerFolder = path.join(import.meta.dirname, "../../../controller");
const controllerUnit = path.join(controllerFolder, "setup/files/pallet-controller.service");
const brokerUnit = path.join(controllerFolder, "setup/files/pallet-broker.service");
const brokerSocket = path.join(controllerFolder, "setup/files/pallet-broker.socket");
const backupUnit = path.join(controllerFolder, "pallet-backup.service");
const backupTimer = path.join(controllerFolder, "pallet-backup.timer");

describe("systemd-analyze of", requires("systemd-analyze"), () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), "pallet-units-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  // The netbooted agent has the board to itself: little can be taken from it, and that little is held.
  for (const [name, most, unit] of [
    ["controller", 3.0, readFileSync(controllerUnit, "utf8")],
    // As much as the controller had itself: but it does nothing that it is not asked in one of four ways, and hears nobody else.
    ["broker", 4.0, readFileSync(brokerUnit, "utf8")],
    ["backup", 1.0, readFileSync(backupUnit, "utf8")],
    ["resident", 2.7, renderAgentUnit("resident")],
    ["netboot", 8.2, renderAgentUnit("netboot")],
  ] as const) {
    it(`the unit (${name}) rates it ${most.toFixed(1)} or less, and knows every line of it`, async () => {
      const file = path.join(folder, `pallet-${name}.service`);
      writeFileSync(file, unit);
      copyFileSync(brokerSocket, path.join(folder, "pallet-broker.socket"));
      if (name === "backup") copyFileSync(backupTimer, path.join(folder, "pallet-backup.timer"));
      const { stdout } = await execa("systemd-analyze", ["security", "--offline=true", file]);
      const rating = Number(/Overall exposure level for .*: ([\d.]+) /.exec(stdout)?.[1]);
      assert.ok(rating <= most, `${rating} is more than ${most}:\n${stdout}`);
      const { stderr } = await execa(
        "systemd-analyze",
        ["verify", ...(name === "backup" ? [path.join(folder, "pallet-backup.timer")] : []), file],
        { reject: false },
      );
      assert.deepEqual(
        stderr
          .split("\n")
          .filter((line) => line !== "" && !/Command .* is not executable|^Failed to .*D-?Bus/i.test(line)),
        [],
      );
    });
  }
});

describe("the controller's units", () => {
  const exempt = ["MemoryDenyWriteExecute", "RestrictNamespaces", "ProcSubset"];
  for (const [name, unit, directives] of [
    ["controller", controllerUnit, exempt],
    ["broker", brokerUnit, [...exempt, "RestrictSUIDSGID"]],
  ] as const)
    it(`argues in its comment for each exemption that it makes (${name})`, () => {
      const text = readFileSync(unit, "utf8");
      const comment = text
        .split("\n")
        .filter((line) => line.startsWith("#"))
        .join("\n");
      const bounding = /^CapabilityBoundingSet=(.*)$/m.exec(text)?.[1] ?? "";
      for (const capability of bounding.split(" "))
        assert.match(comment, new RegExp(`\\b${capability.replace(/^CAP_/, "")}\\b`), capability);
      for (const [, device] of text.matchAll(/^DeviceAllow=(\S+)/gm)) assert.ok(comment.includes(device ?? "?"));
      for (const directive of directives) assert.match(comment, new RegExp(directive));
    });

  it("leave the controller no capability but that of its port, and no user but its own", () => {
    const text = readFileSync(controllerUnit, "utf8");
    assert.match(text, /^User=pallet$/m);
    for (const directive of ["AmbientCapabilities", "CapabilityBoundingSet"])
      assert.deepEqual(text.match(new RegExp(`^${directive}=.*$`, "gm")), [`${directive}=CAP_NET_BIND_SERVICE`]);
    // Each makes all that is in the folder the user's.
    assert.doesNotMatch(text, /^StateDirectory=/m);
  });
});

describe("the unit of the backups", () => {
  it("argues in its comment for what it leaves open", () => {
    const text = readFileSync(backupUnit, "utf8");
    for (const exempt of ["DAC_OVERRIDE", "MemoryDenyWriteExecute", "root"])
      assert.match(text, new RegExp(`^#.*${exempt}`, "m"), exempt);
  });
});
