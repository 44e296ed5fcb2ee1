import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { BootSpec } from "../../../../controller/boot/boot-spec.ts";
import {
  firmwareKey,
  renderCommandLine,
  renderFirmwareConfig,
} from "../../../../controller/boot/render-firmware-config.ts";
import { Failure } from "../../../../proto/failure.ts";
import { assertGolden } from "../../../golden.ts";

const agent: BootSpec = {
  label: "agent",
  kernel: "agent/vmlinuz",
  initrd: "agent/initrd.img",
  commandLine: ["root=/dev/nfs", "ip=dhcp", "pallet.node=b8:27:eb:00:00:01"],
};
const local: BootSpec = {
  label: "local",
  kernel: `images/${"ab".repeat(32)}/vmlinuz-6.1.0-18-arm64`,
  commandLine: ["root=PARTUUID=deadbeef-02", "rootwait"],
};

describe("config.txt of a board that boots by its own firmware", () => {
  it("is what it was when it was looked at last", () => {
    assertGolden("boot/firmware-config-agent", renderFirmwareConfig("arm_64bit=1\n[all]\n", agent, "pi5"));
    assertGolden("boot/firmware-config-local", renderFirmwareConfig("arm_64bit=1", local, "all"));
    assertGolden("boot/firmware-cmdline-local", renderCommandLine(local));
  });

  it("has no line that the firmware would cut at 98 characters, however long the paths", () => {
    for (const line of renderFirmwareConfig("", local, "all").split("\n")) assert.ok(line.length <= 98, line);
  });

  it("names another folder as soon as anything of the boot is different", () => {
    const changes: Partial<BootSpec>[] = [
      { label: "local" },
      { kernel: "agent/other" },
      { initrd: "agent/other" },
      { deviceTree: "other.dtb" },
      { commandLine: ["root=/dev/nfs", "ip=dhcp pallet.node=b8:27:eb:00:00:01"] },
    ];
    const keys = changes.map((change) => firmwareKey({ ...agent, ...change }));
    assert.equal(new Set([firmwareKey(agent), ...keys]).size, changes.length + 1);
    assert.equal(firmwareKey({ ...agent }), firmwareKey(agent));
  });

  for (const [what, change] of [
    ["a line break in a word", { commandLine: ["quiet\nkernel=evil"] }],
    ["a space in a word", { commandLine: ["init=/bin/sh root=/dev/sda"] }],
    ["a line break in the kernel's path", { kernel: "agent/vmlinuz\nkernel=evil" }],
    ["a control character in the initial RAM disk's path", { initrd: "agent/\r" }],
    ["a command line that is too long", { commandLine: ["x".repeat(1024)] }],
  ] as const)
    it(`refuses ${what}`, () => {
      const spec = { ...agent, ...change };
      assert.throws(() => renderFirmwareConfig("", spec, "pi5"), Failure);
      assert.throws(() => renderCommandLine(spec), Failure);
    });
});
