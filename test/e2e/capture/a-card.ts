import { randomBytes } from "node:crypto";
import type { TestContext } from "node:test";
import { execa } from "execa";
import { makeTinyImage, type TinyImage } from "../../tiny-image.ts";
import { aLoopDevice, type LoopDevice } from "../../unit/agent/disk/a-loop-device.ts";

const MiB = 1024 * 1024;

/** A text that is nowhere else, as long as a key in PEM. */
function secret(): string {
  return randomBytes(300).toString("base64");
}

/** What on a card must not be in an image of it. */
export interface CardSecrets {
  /** Of the agent that Pallet installed. */
  readonly palletKey: string;
  readonly hostKey: string;
  /** In a file that was deleted. */
  readonly deleted: string;
}

/** A node's card as a loop device: a system that ran on a node, mostly free, with room behind its last partition. */
export interface ACard {
  readonly device: LoopDevice;
  readonly image: TinyImage;
  readonly secrets: CardSecrets;
}

/** Makes one. Its root filesystem takes 200 MiB of the card's 300, and has 6 MiB in use. */
export async function aCard(test: TestContext): Promise<ACard> {
  const secrets: CardSecrets = { palletKey: secret(), hostKey: secret(), deleted: secret() };
  const device = await aLoopDevice(test, 300);
  const image = await makeTinyImage({
    folder: device.folder,
    name: "golden",
    bulkBytes: 4 * MiB,
    roomBytes: 182 * MiB,
    files: {
      "etc/hosts": "127.0.0.1 localhost\n127.0.1.1 golden.example golden\n10.0.0.1 gateway\n",
      "etc/machine-id": "0123456789abcdef0123456789abcdef\n",
      "etc/ssh/ssh_host_ed25519_key": secrets.hostKey,
      "etc/ssh/ssh_host_ed25519_key.pub": "ssh-ed25519 AAAA root@golden\n",
      "etc/ssh/sshd_config": "PermitRootLogin no\n",
      "etc/pallet/installed.json": '{"imageName":"old"}\n',
      "etc/pallet/agent.json": '{"controllers":["10.0.0.1:7700"]}\n',
      "etc/pallet/identity/agent.pem": secrets.palletKey,
      "etc/pallet/identity/.agent.pem.pallet-new": secrets.palletKey,
      "usr/lib/pallet/agent": randomBytes(64 * 1024),
      "etc/inittab":
        "id:2:initdefault:\nplt:2345:respawn:/usr/lib/pallet/agent --role resident\nsi::sysinit:/etc/rcS\n",
      "var/lib/systemd/random-seed": randomBytes(32),
      "home/pi/notes": "to be kept\n",
      "home/pi/deleted": secrets.deleted.repeat(20),
    },
  });
  const root = `${image.path}?offset=${image.root.offsetBytes}`;
  await execa("debugfs", ["-w", "-R", "rm /home/pi/deleted", root]);
  await execa("dd", [`if=${image.path}`, `of=${device.path}`, "bs=1M", "conv=sparse,fsync", "status=none"]);
  await execa("partx", ["--update", device.path]);
  return { device, image, secrets };
}
