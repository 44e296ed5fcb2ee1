// What the controller tells of boot files that boards ask for in vain: real TFTP and HTTP clients on a network of their
// own.
import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import path from "node:path";
import { describe, it } from "node:test";
import { createRack } from "../rack/rack.ts";
import { requires } from "../requirements.ts";

const mac = "b8:27:eb:00:00:01";

interface TellingEvent {
  readonly type: string;
  readonly severity: string;
  readonly nodeName: string | null;
  readonly message: string;
}

describe("a boot file that is missing", { ...requires("root"), timeout: 120_000 }, () => {
  it("is told once, with the address and the MAC address of the board, over TFTP and HTTP; not what may be missing", async () => {
    await using rack = await createRack({ nodes: 0 });
    for (const name of ["start.elf", "start4.elf", "u-boot.bin"]) await rm(path.join(rack.folder, "boot", name));
    const { address } = rack.network;
    await rack.controller.log.waitFor(/"msg":"serving"/);
    const port = rack.network.plug(1, mac);
    const board = await port.powerOn();
    const told = async (): Promise<readonly TellingEvent[]> => {
      const lines = (await rack.palletOk("events", "--json")).trim().split("\n");
      const events = lines.map((line) => JSON.parse(line) as TellingEvent);
      return events.filter(({ type }) => type === "boot-file-missing" || type === "boot-file-refused");
    };
    const tftp = (path: string) =>
      assert.rejects(board.run("curl", ["-sSf", "--path-as-is", `tftp://${address}/${path}`]));
    try {
      // As a Pi 4 that loops.
      for (let boot = 0; boot < 3; boot++)
        for (const path of ["5e1fabcd/start4.elf", "5e1fabcd/pieeprom.sig", "5e1fabcd/recovery.elf"]) await tftp(path);
      await rack.client.event(({ type }) => type === "boot-file-missing");
      const [first, ...others] = await told();
      assert.deepEqual(others, []);
      assert.equal(
        first?.message,
        `${port.address} (${mac}, not a known node) asked for "start4.elf", which is not in the boot tree; ` +
          "controller serve --check lists what else is missing",
      );

      const http = (path: string) => board.run("curl", ["-sS", "--path-as-is", `http://${address}:7701/boot/${path}`]);
      // Over TFTP: nobody becomes known by HTTP.
      await board.run("curl", ["-sSf", `tftp://${address}/pxelinux.cfg/01-b8-27-eb-00-00-01`]);
      await http("overlays/overlay_map.dtb");
      await http("u-boot.bin");
      await tftp("../../etc/passwd");
      await rack.client.event(({ type }) => type === "boot-file-refused");
      const later = (await told()).slice(1);
      assert.deepEqual(
        later.map(({ type, nodeName }) => [type, nodeName]),
        [
          ["boot-file-missing", "node-000001"],
          ["boot-file-refused", "node-000001"],
        ],
      );
      assert.match(
        later[0]?.message ?? "",
        /^node-000001 \(b8:27:eb:00:00:01, 10\.77\.0\.11\) asked for "u-boot\.bin"/,
      );

      await http("start.elf");
      assert.match(await rack.palletOk("nodes"), /node-000001 +boot file missing/);
      assert.match(
        await rack.palletOk("node", "show", "node-000001"),
        /boot stage +start\.elf is missing from the boot tree/,
      );
    } finally {
      await port.powerOff();
    }
  });
});
