// What the controller writes into the kernel command line of a boot is what the agent that it boots reads there.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resolveOptions } from "../../../../agent/options/options.ts";
import { planBoot } from "../../../../controller/boot/plan-boot.ts";
import { parseMacAddress } from "../../../../proto/names/node-id.ts";
import { aNode, anImage, digest } from "../../controller/boot/a-node.ts";

const flags = { port: "7710", role: "netboot", installedFile: "/etc/pallet/installed.json" };
const append = ["ip=dhcp", 'dyndbg="file', "a.c", '+p"'];

describe("the kernel words of an agent", () => {
  for (const [controller, endpoint] of [
    ["10.77.0.1:7700", { host: "10.77.0.1", port: 7700 }],
    ["[fd00::1]:7701", { host: "fd00::1", port: 7701 }],
    ["controller.example:7700", { host: "controller.example", port: 7700 }],
  ] as const) {
    for (const target of ["agent", "local"] as const) {
      it(`name ${controller} and the node to an agent that the target ${target} boots`, () => {
        const node = aNode(target === "local" ? { bootTarget: { kind: "local", imageDigest: digest } } : {});
        // An image says the words too; the controller's come last and win.
        const image = anImage({ boot: { ...anImage().boot, commandLine: '"pallet.controller=evil:1" quiet' } });
        const profile = { agent: { kernel: "Image", append }, local: { append } };
        const { spec, fallback } = planBoot(node, image, profile, { controller });
        assert.equal(fallback, undefined);
        const options = resolveOptions(flags, `${spec.commandLine.join(" ")}\n`);
        assert.deepEqual(options.controllers, [endpoint]);
        assert.equal(options.bootMac, node.id);
        assert.equal(options.listen, "0.0.0.0");
      });
    }
  }
});

describe("a MAC address", () => {
  for (const text of [
    "b8:27:eb:00:00:01",
    "B8-27-EB-00-00-01",
    "b827.eb00.0001",
    "b827eb000001",
    "b8:27:eb:0:0:1",
    "00:00:00:00:00:00",
    "ff:ff:ff:ff:ff:ff",
    "01:00:5e:00:00:01",
    "b8:27:eb:00:00",
    "zz",
    "",
  ]) {
    const id = parseMacAddress(text);
    it(`${JSON.stringify(text)} is ${id ?? "refused"} for the agent as it is for the controller`, () => {
      if (id === undefined) assert.throws(() => resolveOptions({ ...flags, node: text }, ""), { reason: "invalid" });
      else assert.equal(resolveOptions({ ...flags, node: text }, "").bootMac, id);
    });
  }
});
