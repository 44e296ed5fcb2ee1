import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { type BegunBoots, createBegunBoots } from "../../../../controller/boot/begun-boots.ts";
import type { BootSpec } from "../../../../controller/boot/boot-spec.ts";
import { firmwareKey } from "../../../../controller/boot/render-firmware-config.ts";
import { createManualClock, type ManualClock } from "../../proto/time/manual-clock.ts";
import { mac } from "./a-node.ts";

const local: BootSpec = { label: "local", kernel: "images/a/kernel8.img", commandLine: ["quiet"] };
const agent: BootSpec = { label: "agent", kernel: "agent/vmlinuz", commandLine: ["ip=dhcp"] };

describe("a boot by firmware that has begun", () => {
  let clock: ManualClock;
  let begun: BegunBoots;
  const config = (current: BootSpec) => begun.specForConfig(mac, current).label;
  const file = (of: BootSpec, name: string, current: BootSpec) =>
    begun.specForFile(mac, firmwareKey(of), name, current)?.spec.label;
  beforeEach(() => {
    clock = createManualClock();
    begun = createBegunBoots(clock);
  });

  it("goes to its end as it began, when the target changes after each of its files", () => {
    for (const order of [
      ["kernel", "bcm2710-rpi-3-b.dtb", "initrd", "cmdline.txt"],
      ["initrd", "bcm2711-rpi-4-b.dtb", "cmdline.txt", "kernel"],
      ["cmdline.txt", "kernel", "initrd", "bcm2710-rpi-3-b.dtb"],
    ])
      for (let changes = 1; changes <= order.length; changes++) {
        begun = createBegunBoots(clock);
        config(local);
        for (const [index, name] of order.entries()) {
          const current = index < changes ? local : agent;
          assert.equal(file(local, name, current), "local", `${name} of ${order.join()}`);
        }
        assert.equal(config(agent), "agent");
        // A Pi 3 reads config.txt once more for its overlays, and they begin nothing.
        assert.equal(file(local, "overlays/README", agent), "local");
        assert.equal(config(agent), "agent");
      }
  });

  it("holds config.txt until it has kernel and command line, and not before its first file", () => {
    assert.equal(config(local), "local");
    assert.equal(config(agent), "agent");
    assert.equal(file(local, "initrd", agent), "local");
    assert.equal(config(agent), "local");
    assert.equal(file(local, "kernel", agent), "local");
    assert.equal(config(agent), "local");
    assert.equal(file(local, "cmdline.txt", agent), "local");
    assert.equal(config(agent), "agent");
  });

  it("is over when nothing is heard of it, so that a board whose plug was pulled goes where it should", () => {
    config(local);
    file(local, "kernel", local);
    clock.advance(31_000);
    assert.equal(config(agent), "agent");
  });

  it("is news once, by kernel or command line, whatever a board asks for twice", () => {
    const news = (...names: string[]) =>
      names.map((name) => begun.specForFile(mac, firmwareKey(local), name, local)?.isNews);
    for (let boot = 1; boot <= 2; boot++) {
      config(local);
      assert.deepEqual(news("bcm2712-rpi-5-b.dtb", "kernel", "initrd"), [false, true, false]);
      config(local);
      assert.deepEqual(news("cmdline.txt", "kernel", "overlays/README"), [false, false, false]);
    }
  });

  it("knows no boot of a key that it never gave out, or long ago", () => {
    assert.equal(begun.specForFile(mac, "0123456789ab", "kernel", agent), undefined);
    config(local);
    clock.advance(11 * 60_000);
    assert.equal(file(local, "kernel", agent), undefined);
  });
});
