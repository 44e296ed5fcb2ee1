// An upgrade inside an installed system takes away the modules of the kernel that the controller loads.
import assert from "node:assert/strict";
import { release } from "node:os";
import { after, before, describe, it } from "node:test";
import { requires } from "../requirements.ts";
import { makeTinyImage } from "../tiny-image.ts";
import { createRack, type Rack } from "./rack.ts";
import { tell } from "./story.ts";

/**
 * The card's /usr is this machine's, which must not change: what the system there writes goes to the card. Modules of
 * this machine are not the system's.
 */
const ownLibrary = `
set -eu
mkdir -p /srv/upper/modules /srv/work
mount -t overlay overlay -o lowerdir=/usr/lib,upperdir=/srv/upper,workdir=/srv/work /usr/lib
rm -rf /usr/lib/modules
mkdir /usr/lib/modules
`;

/** A kernel package as Raspberry Pi OS had it: the next version replaces kernel and modules in place. */
const installKernel = (kernel: string, version: string): string => `
set -eu
cd "$(mktemp -d)"
mkdir -p tree/DEBIAN tree/usr/lib/modules/${kernel} tree/boot
printf 'Package: test-kernel\\nVersion: ${version}\\nArchitecture: all\\nMaintainer: nobody <n@example.org>\\nDescription: kernel\\n' > tree/DEBIAN/control
echo 'drivers/wifi.ko:' > tree/usr/lib/modules/${kernel}/modules.dep
touch tree/boot/vmlinuz-${kernel}
dpkg-deb --build --root-owner-group tree kernel.deb
mkdir -p /var/lib/dpkg/updates /var/lib/dpkg/info
touch /var/lib/dpkg/status
dpkg --install kernel.deb
test -f /lib/modules/${kernel}/modules.dep
`;

describe("a kernel upgrade inside an installed system", requires("root", "loop devices"), () => {
  let rack: Rack;
  before(async () => {
    rack = await createRack({ nodes: 1 });
    const image = await makeTinyImage({ folder: rack.folder, name: "image" });
    await rack.palletOk("images", "add", image.path, "--name", "image");
    await rack.powerOnAll();
  });
  after(() => rack.close());

  it("is told once, with what to do, by an event, the node's log and node show", { timeout: 600_000 }, () =>
    tell(rack, async () => {
      const board = rack.board(1);
      const sh = (script: string) => board.run("sh", ["-c", script]);
      await rack.palletOk("reimage", "--all", "--yes");
      await sh(ownLibrary);
      await sh(installKernel(release(), "1"));
      assert.doesNotMatch(await rack.palletOk("node", "show", board.mac), /modules of/);

      await sh(installKernel("99.1.2-test", "2"));
      const parted = await rack.client.event(({ type }) => type === "kernels-parted", { timeoutMs: 120_000 });
      assert.match(
        parted.message,
        /runs kernel .* its card has modules of 99\.1\.2-test only.*hold the kernel packages/,
      );
      assert.match(await rack.palletOk("node", "show", board.mac), /modules +.*99\.1\.2-test only/);
      assert.match(await rack.palletOk("node", "logs", board.mac), /modules of 99\.1\.2-test only/);

      await sh(installKernel(release(), "3"));
      await rack.client.event(({ type }) => type === "kernels-agree", { timeoutMs: 120_000 });
      const told = (await rack.client.events()).filter(({ type }) => type === "kernels-parted");
      assert.equal(told.length, 1);
    }),
  );
});
