import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { isSecret, renderBoardValue, selectKernelLog } from "../../../../agent/board/board-files.ts";
import { reportBoard } from "../../../../agent/board/report-board.ts";
import { boardItemsFromWire, boardLimits } from "../../../../proto/node/board-item.ts";

const files: Readonly<Record<string, string | Buffer>> = {
  "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.1\0",
  "proc/device-tree/compatible": "raspberrypi,4-model-b\0brcm,bcm2711\0",
  "proc/device-tree/system/linux,revision": Buffer.from([0, 0xc0, 0x31, 0x11]),
  "proc/device-tree/chosen/overlay_prefix": "overlays/\0",
  "proc/device-tree/chosen/rng-seed": "do not tell",
  "proc/device-tree/chosen/bootloader/build-timestamp": Buffer.from([0x65, 0, 0, 1]),
  "proc/cmdline": 'root=/dev/nfs pallet.token=Qm9v.x-_= pallet.ca=sha256:ab12 wifi.psk="my dog" rootwait\n',
  "sys/class/mmc_host/mmc0/mmc0:aaaa/cid": "275048534431364730c3a2b4c5016b00\n",
  "sys/class/watchdog/watchdog0/identity": "Broadcom BCM2835 Watchdog timer\n",
};

describe("reportBoard", () => {
  let root: string;
  before(async () => {
    root = await mkdtemp(join(tmpdir(), "pallet-board-"));
    for (const [name, content] of Object.entries(files)) {
      await mkdir(join(root, dirname(name)), { recursive: true });
      await writeFile(join(root, name), content);
    }
    await mkdir(join(root, "sys/class/net/eth0/device"), { recursive: true });
    await symlink("../../../../bus/platform/drivers/bcmgenet", join(root, "sys/class/net/eth0/device/driver"));
  });
  after(() => rm(root, { recursive: true }));

  it("tells what the kernel tells, text as text and cells as hexadecimal digits, links by their targets", async () => {
    const items = new Map((await reportBoard(undefined, root)).map(({ name, value }) => [name, value]));
    assert.equal(items.get("/proc/device-tree/model"), "Raspberry Pi 4 Model B Rev 1.1");
    assert.equal(items.get("/proc/device-tree/compatible"), "raspberrypi,4-model-b, brcm,bcm2711");
    assert.equal(items.get("/proc/device-tree/system/linux,revision"), "0x00c03111");
    assert.equal(items.get("/proc/device-tree/chosen/bootloader/build-timestamp"), "0x65000001");
    assert.equal(items.get("/sys/class/mmc_host/mmc0/mmc0:aaaa/cid"), "275048534431364730c3a2b4c5016b00");
    assert.equal(items.get("/sys/class/net/eth0/device/driver ->"), "../../../../bus/platform/drivers/bcmgenet");
    assert.equal(items.get("/sys/class/watchdog/watchdog0/identity"), "Broadcom BCM2835 Watchdog timer");
  });

  it("tells no seeds and no secrets", async () => {
    assert.doesNotMatch(JSON.stringify(await reportBoard(undefined, root)), /do not tell|rng-seed|Qm9v|my dog/);
    const items = await reportBoard(undefined, root);
    assert.equal(
      items.find(({ name }) => name === "/proc/cmdline")?.value,
      "root=/dev/nfs pallet.token=(hidden) pallet.ca=sha256:ab12 wifi.psk=(hidden) rootwait",
    );
    for (const name of ["/a/kaslr-seed", "/a/private-key", "/a/wifi_password"]) assert.ok(isSecret(name), name);
    for (const name of ["/a/keyboard", "/sys/kernel/reboot/mode"]) assert.ok(!isSecret(name), name);
  });

  it("is bounded, on both sides", () => {
    const item = { name: "n".repeat(1_000), value: "v".repeat(1_000_000) };
    const kept = boardItemsFromWire(Array.from({ length: 10_000 }, () => item));
    assert.ok(kept.length > 0 && JSON.stringify(kept).length < boardLimits.bytes + 10_000);
    assert.equal(selectKernelLog("mmc0: new card\n".repeat(100_000), 1_000).length, 1_000);
    assert.equal(selectKernelLog("usb 1-1: a keyboard\nmmc0: \u001b[2Jcard", 1_000), "mmc0: ?[2Jcard");
    assert.equal(renderBoardValue(Buffer.from([0, 0, 0, 1])), "0x00000001");
  });
});
