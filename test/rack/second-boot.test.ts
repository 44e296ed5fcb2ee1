// What an image's own first boot changes on the card, and that the node comes back at its next start and for ever.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { requires } from "../requirements.ts";
import { makeTinyImage } from "../tiny-image.ts";
import type { Board } from "./board.ts";
import { createRack, type Rack } from "./rack.ts";
import { tell } from "./story.ts";

/** As set_partuuid of Raspberry Pi OS (raspberrypi-sys-mods): another disk id, once, and fstab after it. */
const newDiskId = `
[ -e /etc/first-boot-done ] && exit 0
touch /etc/first-boot-done
old=$(sfdisk --disk-id "$1" | cut -c3-)
new=$(od -A n -N 4 -t x4 /dev/urandom | tr -d ' ')
sfdisk --quiet --no-reread --no-tell-kernel --disk-id "$1" "0x$new"
sed -i "s/$old/$new/g" /etc/fstab
sync
echo "disk id $old is now $new"
`;
/** As firstboot of Raspberry Pi OS until bookworm: it reboots before anything of ours runs. */
const andReboots = `${newDiskId}
busybox reboot -f -n
`;
/** As trixie's, which its initrd runs whenever the word is on the command line. */
const atItsWord = `
grep -q ' resize' /proc/cmdline || exit 0
echo ran >> /etc/first-boots
${newDiskId}`;
/** As tune2fs -U random in a first-boot service. */
const newFilesystemUuid = `
[ -e /etc/first-boot-done ] && exit 0
touch /etc/first-boot-done
sync
tune2fs -O metadata_csum_seed "$1p2"
tune2fs -U random "$1p2"
`;

describe("the second boot", requires("root", "loop devices"), () => {
  const images = [
    { name: "trixie", firstBoot: newDiskId },
    { name: "trixie-reboots", firstBoot: andReboots },
    { name: "trixie-word", firstBoot: atItsWord, commandLineEnd: " resize" },
    { name: "bare-kernel-word", firstBoot: atItsWord, commandLineEnd: " resize", initrd: false },
    { name: "bare-kernel", firstBoot: newDiskId, initrd: false },
    { name: "filesystem-uuid", firstBoot: newFilesystemUuid },
    { name: "no-disk-id", initrd: false, diskId: "00000000" },
    { name: "bare-kernel-reboots", firstBoot: andReboots, initrd: false },
  ] as const;
  let rack: Rack;
  before(async () => {
    rack = await createRack({ nodes: images.length, settings: { heartbeatIntervalMs: 1000 } });
    for (const image of images) {
      const { path } = await makeTinyImage({ folder: rack.folder, ...image });
      await rack.palletOk("images", "add", path, "--name", image.name);
    }
    await rack.powerOnAll();
  });
  after(() => rack.close());

  const comesBack = async (board: Board): Promise<void> => {
    await board.powerOff();
    const mark = board.console.mark();
    await board.powerOn();
    const registered = /Kernel panic|"role":"resident".*"msg":"registered"/;
    const said = await board.console.waitFor(registered, { from: mark });
    assert.doesNotMatch(String(said), /panic/);
  };

  describe("finds the root, and so do the third and the fourth", { concurrency: 3 }, () => {
    for (const [index, { name }] of images.entries())
      it(`of ${name}`, { timeout: 600_000 }, () =>
        tell(rack, async () => {
          const board = rack.board(index + 1);
          await rack.palletOk("reimage", board.mac, "--image", name, "--yes");
          if (name !== "bare-kernel-word" && name !== "no-disk-id")
            await board.console.waitFor(/first boot: |warm reboot[\s\S]*warm reboot/);
          for (let cycle = 1; cycle <= 3; cycle++) await comesBack(board);
          const [node] = (await rack.client.nodes()).filter(({ nodeId }) => nodeId === board.mac);
          assert.equal(node?.provedImageName, name);
          if (name === "trixie-word") assert.equal(await board.run("cat", ["/etc/first-boots"]), "ran");
          if (name === "bare-kernel-word") await assert.rejects(board.run("cat", ["/etc/first-boots"]), /No such file/);
        }),
      );
  });

  it("of a card that changed while nobody could hear of it takes a look by the agent", { timeout: 600_000 }, () =>
    tell(rack, async () => {
      const board = rack.board(1 + images.findIndex(({ name }) => name === "bare-kernel"));
      board.cutNetwork();
      await board.run("sfdisk", [
        "--quiet",
        "--no-reread",
        "--no-tell-kernel",
        "--disk-id",
        board.card.device,
        "0x12345678",
      ]);
      await board.powerOff();
      board.restoreNetwork();
      const mark = board.console.mark();
      await board.powerOn();
      const story = /(Kernel panic[\s\S]*){3}"role":"netboot"[\s\S]*root=PARTUUID=12345678-02[\s\S]*"role":"resident"/;
      await board.console.waitFor(story, { from: mark, timeoutMs: 300_000 });
      await rack.client.event(({ message }) => /looked at the card of .* by other ids than were known/.test(message));
      await comesBack(board);
    }),
  );
});
