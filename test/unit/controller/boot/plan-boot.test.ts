import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { assertBootProfile, type BootProfile, planBoot, planOtherBoot } from "../../../../controller/boot/plan-boot.ts";
import type { Image } from "../../../../controller/images/catalogue/image.ts";
import type { Installation, Node } from "../../../../controller/nodes/node.ts";
import type { RootId } from "../../../../controller/roots/root-id.ts";
import type { ImageDigest } from "../../../../proto/pack/digest.ts";
import { aNode, anImage, digest } from "./a-node.ts";

const profile: BootProfile = {
  agent: { kernel: "agent/vmlinuz", initrd: "agent/initrd.img", append: ["ip=dhcp", "ro"] },
  local: { append: ["panic=10"] },
};
const endpoints = { controller: "10.77.0.1:7700" };
const ownWords = ["pallet.controller=10.77.0.1:7700", "pallet.node=b8:27:eb:00:00:01"];
const agentSpec = {
  label: "agent",
  kernel: "agent/vmlinuz",
  initrd: "agent/initrd.img",
  commandLine: ["ip=dhcp", "ro", ...ownWords],
};
const local: Partial<Node> = { bootTarget: { kind: "local", imageDigest: digest } };
const boot = anImage().boot;

describe("boot plan", () => {
  it("boots the agent", () => assert.deepEqual(planBoot(aNode(), undefined, profile, endpoints), { spec: agentSpec }));

  const pi5Facts = { facts: { ...aNode().facts, model: "Raspberry Pi 5 Model B Rev 1.0" } } as Partial<Node>;
  for (const [title, node, loader, kernel] of [
    ["a firmware that asks, for the section that only a Pi 5 heeds", {}, "auto", "agent/backports/vmlinuz"],
    ["U-Boot, which no Pi 5 has", {}, "u-boot", "agent/vmlinuz"],
    ["the firmware of a board of unknown model, where all boot by it", {}, "firmware", "agent/vmlinuz"],
    ["the firmware of a Pi 5, where all boot by it", pi5Facts, "firmware", "agent/backports/vmlinuz"],
  ] as const)
    it(`gives the agent's kernel of its board to ${title}`, () => {
      const pi5 = { kernel: "agent/backports/vmlinuz", initrd: "agent/backports/initrd.img" };
      const both = { ...profile, agent: { ...profile.agent, pi5 }, loader };
      const { spec } = planBoot(aNode(node), undefined, both, endpoints);
      assert.deepEqual(spec, { ...agentSpec, kernel, initrd: kernel.replace("vmlinuz", "initrd.img") });
    });

  it("boots the agent from a profile without an initrd", () => {
    const { spec } = planBoot(aNode(), undefined, { ...profile, agent: { kernel: "Image", append: [] } }, endpoints);
    assert.deepEqual(spec, { label: "agent", kernel: "Image", commandLine: ownWords });
  });

  it("boots an image's own kernel with its own words and its own root", () => {
    assert.deepEqual(planBoot(aNode(local), anImage(), profile, endpoints), {
      spec: {
        label: "local",
        kernel: `images/${digest}/vmlinuz-6.1.0-18-arm64`,
        initrd: `images/${digest}/initrd.img-6.1.0-18-arm64`,
        commandLine: [
          "console=ttyAMA0,115200",
          "rw",
          "quiet",
          "root=PARTUUID=deadbeef-02",
          "rootwait",
          "panic=10",
          ...ownWords,
        ],
      },
    });
  });

  const commandLines: [title: string, own: string, words: string[]][] = [
    ["nothing", "", []],
    ["blanks of every kind", "  a \t b\n", ["a", "b"]],
    [
      "words for root and initrd, which are ours",
      "root=/dev/sda1 rootwait initrd=foo BOOT_IMAGE=bar rootfstype=ext4",
      ["rootfstype=ext4"],
    ],
    ["words that only Pallet may say", "pallet.controller=evil:1 a", ["a"]],
    ["quoted blanks, which one blank rejoins", 'dyndbg="file a.c +p"', ['dyndbg="file', "a.c", '+p"']],
  ];
  commandLines.push([
    "words for the first boot only, which could never take themselves away again",
    "quiet init=/usr/lib/raspberrypi-sys-mods/firstboot systemd.run=/boot/firstrun.sh systemd.run_success_action=reboot " +
      "systemd.unit=kernel-command-line.target init=/usr/lib/raspi-config/init_resize.sh init=/sbin/init fsck.repair=yes",
    ["quiet", "init=/sbin/init", "fsck.repair=yes"],
  ]);
  for (const [title, commandLine, words] of commandLines)
    it(`takes from an image's command line: ${title}`, () => {
      const image = anImage({ boot: { ...boot, commandLine } });
      const { spec, fallback } = planBoot(aNode(local), image, profile, endpoints);
      assert.equal(fallback, undefined);
      assert.deepEqual(spec.commandLine, [...words, "root=PARTUUID=deadbeef-02", "rootwait", "panic=10", ...ownWords]);
    });

  const unbootable: readonly [title: string, image: Image | undefined, why: RegExp][] = [
    ["is gone", undefined, /^the image abab.* is not in the catalogue; it boots into the agent instead$/],
    ["is another by now", anImage({ digest: "cd".repeat(32) as ImageDigest }), /debian-12 is no longer the one/],
    ["has no UUID and no PARTUUID", withRoot(""), /has no UUID and no PARTUUID/],
    ["names a root that it has not", anImage({ rootPartition: 7 }), /has no partition 7/],
    ["has a PARTUUID that would inject a word", withRoot("x init=/bin/sh"), /has no UUID and no PARTUUID/],
    ["has a command line with a variable", anImage({ boot: { ...boot, commandLine: "a=$b" } }), /a=\$b/],
    ["has a kernel with a blank", anImage({ boot: { ...boot, kernel: "vm linuz" } }), /vm linuz/],
    [
      "has a command line that is too long",
      anImage({ boot: { ...boot, commandLine: "a ".repeat(600) } }),
      /longer than/,
    ],
  ];
  for (const [title, image, why] of unbootable)
    it(`falls back to the agent, and says so, when the image ${title}`, () => {
      const { spec, fallback } = planBoot(aNode(local), image, profile, endpoints);
      assert.deepEqual(spec, agentSpec);
      assert.match(fallback ?? "", why);
    });

  it("names the root as it was last seen on the node's card, for this image and no other", () => {
    const root = { partitionUuid: "0badcafe-02", filesystemUuid: "" };
    const rootWord = (imageDigest: ImageDigest) => {
      const node = aNode({ ...local, installation: { imageDigest, reimageId: "r", root } });
      return planBoot(node, anImage(), profile, endpoints).spec.commandLine.find((word) => word.startsWith("root="));
    };
    assert.equal(rootWord(digest), "root=PARTUUID=0badcafe-02");
    assert.equal(rootWord("cd".repeat(32) as ImageDigest), "root=PARTUUID=deadbeef-02");
  });

  describe("the words for an image's own first boot", () => {
    const uuid = "2a81f25a-2ca2-4520-a1a6-c9dd75527c3c";
    const words = ["resize", "systemd.run=/boot/firstrun.sh"];
    const installation: Installation = { imageDigest: digest, reimageId: "r", firstBoot: "due" };
    const root = { partitionUuid: "deadbeef-02", filesystemUuid: uuid };
    const withWords = anImage({ boot: { ...boot, firstBootWords: words } });
    const { initrd: _, ...bare } = withWords.boot;
    const cases: readonly [title: string, installation: Installation | undefined, image: Image, served: boolean][] = [
      ["are served in the first boot after a write", { ...installation, root }, withWords, true],
      ["are not served once they were", { ...installation, root, firstBoot: "done" }, withWords, false],
      ["are not served where the root has no name but its PARTUUID", installation, withWords, false],
      ["are not served to a kernel alone", { ...installation, root }, { ...withWords, boot: bare }, false],
      ["are not served where nobody knows of a write", undefined, withWords, false],
    ];
    for (const [title, known, image, served] of cases)
      it(title, () => {
        const node = aNode({ ...local, ...(known && { installation: known }) });
        const { spec } = planBoot(node, image, profile, endpoints);
        assert.deepEqual(
          spec.commandLine.filter((word) => words.includes(word)),
          served ? words : [],
        );
        assert.equal(spec.firstBoot, served ? "done" : undefined);
        assert.equal(
          planBoot(node, image, profile, endpoints).spec.firstBoot,
          spec.firstBoot,
          "asking twice changes nothing",
        );
      });
  });

  it("gives an image whose first boot takes init's place a second one for what systemd is to run", () => {
    const init = "init=/usr/lib/raspberrypi-sys-mods/firstboot";
    const run = ["systemd.run=/boot/firmware/firstrun.sh", "systemd.unit=kernel-command-line.target"];
    const image = anImage({ boot: { ...boot, firstBootWords: [init, ...run] } });
    const root = { partitionUuid: "", filesystemUuid: "2a81f25a-2ca2-4520-a1a6-c9dd75527c3c" };
    const specs = (["due", "half-done", "done"] as const).map((firstBoot) => {
      const installation: Installation = { imageDigest: digest, reimageId: "r", root, firstBoot };
      return planBoot(aNode({ ...local, installation }), image, profile, endpoints).spec;
    });
    const given = specs.map(({ commandLine }) => commandLine.filter((word) => [init, ...run].includes(word)));
    assert.deepEqual(given, [[init, ...run], run, []]);
    assert.deepEqual(
      specs.map(({ firstBoot }) => firstBoot),
      ["half-done", "done", undefined],
    );
  });

  it("sends a node that was not heard from its card into the agent, and says so", () => {
    const installation: Installation = { imageDigest: digest, reimageId: "r", resident: true, localBoots: 3 };
    const { spec, look } = planBoot(aNode({ ...local, installation }), anImage(), profile, endpoints);
    assert.deepEqual(spec, agentSpec);
    assert.match(look ?? "", /^nothing was heard of node-1 in 3 boots from its card; it boots into the agent once/);
  });

  it("limits how long a kernel alone waits for its root", () => {
    const { initrd: _, ...bare } = boot;
    const { spec } = planBoot(aNode(local), anImage({ boot: bare }), profile, endpoints);
    assert.match(spec.commandLine.join(" "), / root=PARTUUID=deadbeef-02 rootwait rootwait=60 panic=10 /);
  });

  it("gives the agent its root filesystem over NFS where this machine exports it, before the operator's words", () => {
    const nfsRoot = { server: "10.77.0.1", path: "/srv/root" };
    const { spec } = planBoot(aNode(), undefined, profile, { ...endpoints, nfsRoot });
    assert.deepEqual(spec.commandLine, [
      ...["root=/dev/nfs", "nfsroot=10.77.0.1:/srv/root,vers=3", "ip=dhcp", "ro"],
      ...agentSpec.commandLine,
    ]);
    const installed = planBoot(aNode(local), anImage(), profile, { ...endpoints, nfsRoot }).spec;
    assert.doesNotMatch(installed.commandLine.join(" "), /nfs/);
  });

  it("gives the agent the version of the root filesystem that its kernel is of", () => {
    const root = { id: "20261128-221500-3fa9c1d2" as RootId, nfsPath: "/srv/store/versions/x/root" };
    const nfsRoot = { server: "10.77.0.1", path: "/srv/store" };
    const versioned = { ...profile, agent: { ...profile.agent, root } };
    const { spec } = planBoot(aNode(), undefined, versioned, { ...endpoints, nfsRoot });
    assert.equal(spec.root, root.id);
    assert.equal(spec.commandLine[1], "nfsroot=10.77.0.1:/srv/store/versions/x/root,vers=3");
    // Another machine exports it, and says where.
    assert.equal(planBoot(aNode(), undefined, versioned, endpoints).spec.root, undefined);
  });

  it("offers the agent as the other target of a node that boots locally", () => {
    assert.deepEqual(planOtherBoot(aNode(local), undefined, profile, endpoints), agentSpec);
  });

  it("offers the proved system as the other target of a node that boots into the agent", () => {
    const proved = { imageName: "debian-12", imageDigest: digest, kind: "resident" } as const;
    assert.equal(planOtherBoot(aNode({ proved }), anImage(), profile, endpoints)?.label, "local");
    assert.equal(planOtherBoot(aNode({ proved }), undefined, profile, endpoints), undefined);
    assert.equal(planOtherBoot(aNode(), anImage(), profile, endpoints), undefined);
  });

  it("finds a profile that no config can carry before any node boots", () => {
    assertBootProfile(profile, endpoints);
    for (const [spoilt, named] of [
      [{ ...profile, agent: { kernel: "vm linuz", append: [] } }, /vm linuz/],
      [{ ...profile, agent: { kernel: "k", append: ["a b"] } }, /a b/],
      [{ ...profile, local: { append: ["a\nb"] } }, /a\\nb/],
    ] as const)
      assert.throws(() => assertBootProfile(spoilt, endpoints), named);
    assert.throws(() => assertBootProfile(profile, { controller: "a b:1" }), /a b:1/);
  });
});

function withRoot(partitionUuid: string): Image {
  const image = anImage();
  return {
    ...image,
    partitions: image.partitions.map((partition) =>
      partition.number === 2 ? { ...partition, partitionUuid } : partition,
    ),
  };
}
