// Settings that somebody has put into an image for its first boot: what they would undo of a profile is found at import, and
// refused before anything is erased. The files are as Raspberry Pi Imager writes them (its source, and raspberrypi-sys-mods:
// init_config, imager_custom), and the programs that apply them are not run here.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { judgeOwnSettings } from "../../../../../controller/images/boot/judge-own-settings.ts";
import {
  readScriptSettings,
  readTomlSettings,
  readUserData,
  readUserNames,
} from "../../../../../controller/images/boot/read-own-settings.ts";
import type { OwnSettings } from "../../../../../controller/images/catalogue/own-settings.ts";
import { parseManifest, renderManifest } from "../../../../../controller/images/catalogue/parse-manifest.ts";
import { examineImage } from "../../../../../controller/images/import/examine-image.ts";
import { judgeProfiles } from "../../../../../controller/reimage/plan/judge-profiles.ts";
import type { SystemConfig } from "../../../../../proto/system/system-config.ts";
import { abilitiesOf } from "../../../proto/system/config/some-abilities.ts";
import { anImage } from "../../boot/a-node.ts";
import { kernelBytes, makeSmallImage, rootTree, type Tree } from "../small-image.ts";

const customToml = `# Raspberry Pi OS first boot
config_version = 1

[system]
hostname = "pi-of-anna"

[user]
name = "anna"
password = "$5$salt$hash"
password_encrypted = true

[ssh]
enabled = true
password_authentication = false
authorized_keys = [ "ssh-ed25519 AAAA anna@desk" ]

[wlan]
ssid = "home"
password = "0123"
country = "CH"

[locale]
keymap = "ch"
timezone = "Europe/Zurich"
`;
const firstRun = `#!/bin/bash
set +e
CURRENT_HOSTNAME=\`cat /etc/hostname | tr -d " \\t\\n\\r"\`
if [ -f /usr/lib/raspberrypi-sys-mods/imager_custom ]; then
   /usr/lib/raspberrypi-sys-mods/imager_custom set_hostname pi-of-anna
fi
FIRSTUSER=\`getent passwd 1000 | cut -d: -f1\`
if [ -f /usr/lib/userconf-pi/userconf ]; then
   /usr/lib/userconf-pi/userconf 'anna' '$5$salt$hash'
fi
rm -f /boot/firstrun.sh
sed -i 's| systemd.run.*||g' /boot/cmdline.txt
exit 0
`;
const userData = `#cloud-config
manage_resolv_conf: false
hostname: pi-of-anna
manage_etc_hosts: true
timezone: Europe/Zurich
keyboard: { model: pc105, layout: ch }
users:
- name: anna
  passwd: $5$salt$hash
ssh_pwauth: false
`;

describe("own settings", () => {
  for (const [text, expected] of [
    [customToml, "hostname timezone keyboard users ssh.enabled network.wifi"],
    ["config_version = 1\n[system]\nhostname = 'a'\n", "hostname"],
    ["system = { hostname = 'a' }\r\nlocale.timezone = 'UTC'\r\n", "hostname timezone"],
    ['["wlan"]\n  "ssid" = "a"\n', "network.wifi"],
    ["[ssh]\npassword_authentication = true\n", ""],
    ["# [user]\n#name = 'a'\n", ""],
    ["", ""],
  ] as const)
    it(`in TOML set ${expected || "nothing"}: ${JSON.stringify(text.slice(0, 40))}`, () =>
      assert.equal(readTomlSettings(text).join(" "), expected));

  for (const [text, expected] of [
    [firstRun, "hostname users"],
    ["#!/bin/sh\nraspi-config nonint do_wifi_country CH\nsystemctl enable ssh\n", "ssh.enabled network.wifi"],
    ["#!/bin/sh\ntouch /var/lib/mine\n", ""],
  ] as const)
    it(`in a script set ${expected || "nothing"}`, () => assert.equal(readScriptSettings(text).join(" "), expected));

  for (const [value, expected] of [
    [{ ssh_pwauth: false, packages: ["vim"] }, ""],
    [{ hostname: "a" }, ""],
    [{ hostname: "a", preserve_hostname: false }, "hostname"],
    [{ manage_etc_hosts: false, locale: false, users: null }, ""],
    [{ chpasswd: {}, ssh_deletekeys: true }, "users ssh.hostKeys"],
    [null, ""],
    [["a"], "hostname timezone locale keyboard users ssh.enabled ssh.hostKeys network.wifi"],
  ] as const)
    it(`in user data set ${expected || "nothing"}: ${JSON.stringify(value)}`, () =>
      assert.equal(readUserData(value).join(" "), expected));

  for (const [value, expected] of [
    [{ chpasswd: { expire: true, users: [{ name: "ubuntu", password: "ubuntu", type: "text" }] } }, ["ubuntu"]],
    [{ chpasswd: { list: "ubuntu:ubuntu\nanna:RANDOM\n" } }, ["ubuntu", "anna"]],
    [{ chpasswd: { list: ["ubuntu:ubuntu"] }, users: ["default", { name: "anna" }] }, ["anna", "ubuntu"]],
    [{ user: "ben" }, ["ben"]],
    [{ users: [{ gecos: "nobody knows" }] }, undefined],
    [{ rpi_userconf: { user: "anna" } }, undefined],
    [{}, []],
  ] as const)
    it(`in user data change ${expected === undefined ? "anybody" : expected.join(" and ") || "nobody"}`, () =>
      assert.deepEqual(readUserNames(value), expected));

  describe("are found in an image", () => {
    let folder: string;
    let count = 0;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "pallet-own-settings-"));
    });
    after(() => rm(folder, { recursive: true }));

    const firmware = { "kernel8.img": kernelBytes, initramfs8: "an initrd", "config.txt": "auto_initramfs=1\n" };
    const commandLine = (words: string) => ({ "cmdline.txt": `console=tty1 root=PARTUUID=4e639091-02 ${words}\n` });
    const firstBoot = "init=/usr/lib/raspberrypi-sys-mods/firstboot";
    const runs = "systemd.run=/boot/firstrun.sh systemd.unit=kernel-command-line.target";
    const withCloudInit: Tree = { ...rootTree, "usr/bin/cloud-init": "program" };
    const preseeded: Tree = {
      ...rootTree,
      "usr/lib/systemd/systemd": "program",
      "usr/lib/systemd/system/rpi-preseed.service": "[Install]\nWantedBy=multi-user.target\n",
      "etc/systemd/system/multi-user.target.wants/rpi-preseed.service": {
        link: "/usr/lib/systemd/system/rpi-preseed.service",
      },
    };

    for (const [what, files, root, expected] of [
      [
        "custom.toml of bookworm",
        { ...commandLine(firstBoot), "custom.toml": customToml },
        rootTree,
        "custom.toml firstboot hostname",
      ],
      [
        "firstrun.sh of Imager",
        { ...commandLine(runs), "firstrun.sh": firstRun },
        rootTree,
        "firstrun.sh systemd-run hostname users",
      ],
      [
        "user data of trixie",
        { ...commandLine("rootwait"), "user-data": userData },
        withCloudInit,
        "user-data cloud-init hostname timezone",
      ],
      [
        "a seed in the root",
        commandLine("rootwait"),
        { ...withCloudInit, "var/lib/cloud/seed/nocloud/user-data": "#cloud-config\nkeyboard: { layout: ch }\n" },
        "/var/lib/cloud/seed/nocloud/user-data cloud-init keyboard",
      ],
      [
        "user data that is no YAML",
        { ...commandLine("rootwait"), "user-data": "#cloud-config\n\t: [" },
        withCloudInit,
        "user-data cloud-init hostname timezone locale",
      ],
      [
        "user data of another form",
        { ...commandLine("rootwait"), "user-data": "#include\nhttp://x\n" },
        withCloudInit,
        "user-data cloud-init hostname timezone locale",
      ],
      [
        "user data that is too long",
        { ...commandLine("rootwait"), "user-data": `#cloud-config\n#${"x".repeat(70_000)}` },
        withCloudInit,
        "user-data cloud-init hostname timezone locale",
      ],
      [
        "rpi-preseed.toml",
        { ...commandLine("rootwait"), "rpi-preseed.toml": customToml },
        preseeded,
        "rpi-preseed.toml rpi-preseed hostname",
      ],
      [
        "none that nobody reads",
        { ...commandLine("rootwait"), "rpi-preseed.toml": customToml, "user-data": userData, "firstrun.sh": firstRun },
        rootTree,
        "",
      ],
      [
        "none of cloud-init that is off",
        { ...commandLine("cloud-init=disabled"), "user-data": userData },
        withCloudInit,
        "",
      ],
      [
        "none in comments",
        { ...commandLine("rootwait"), "user-data": "#cloud-config\n#hostname: a\nssh_pwauth: false\n" },
        withCloudInit,
        "",
      ],
    ] as const)
      it(what, async () => {
        const name = join(folder, `${++count}`);
        await makeSmallImage(`${name}.img`, [
          { filesystem: "vfat", label: "bootfs", tree: { ...firmware, ...files } },
          { filesystem: "ext4", label: "rootfs", tree: root },
        ]);
        const { boot } = await examineImage(`${name}.img`, name);
        const said = (boot.ownSettings ?? []).map(({ file, reader, sets }) => [file, reader, ...sets].join(" "));
        assert.ok(said.join("; ").startsWith(expected), said.join("; "));
        assert.equal(said.length, expected === "" ? 0 : 1);
      });
  });

  describe("and a profile", () => {
    const base = anImage();
    const settings = (reader: OwnSettings["reader"], ...sets: OwnSettings["sets"]): OwnSettings => ({
      file: "a-file",
      reader,
      sets,
    });
    const imageOf = (ownSettings: OwnSettings, ...firstBootWords: readonly string[]) => ({
      ...base,
      partitions: base.partitions.map((each) => ({ ...each, uuid: "aa-bb" })),
      boot: { ...base.boot, ownSettings: [ownSettings], firstBootWords },
      abilities: abilitiesOf({ ssh: { server: "openssh", dropIns: true }, cloudInit: true }),
    });
    const firstBoot = "init=/usr/lib/raspberrypi-sys-mods/firstboot";
    const rows: readonly (readonly [string, ReturnType<typeof imageOf>, SystemConfig, RegExp])[] = [
      [
        "both name the machine",
        imageOf(settings("firstboot", "hostname"), firstBoot),
        { hostname: "a" },
        /^hostname: a-file on the image's firmware partition sets this, too/,
      ],
      ["each says something else", imageOf(settings("firstboot", "users"), firstBoot), { hostname: "a" }, /^$/],
      ["firstboot does not run", imageOf(settings("firstboot", "hostname")), { hostname: "a" }, /^$/],
      [
        "another word of a first boot runs",
        imageOf(settings("systemd-run", "hostname"), firstBoot),
        { hostname: "a" },
        /^$/,
      ],
      ["both make users", imageOf(settings("cloud-init", "users")), { users: [] }, /^users: .*leave users out$/],
      ["both turn SSH on", imageOf(settings("cloud-init", "ssh.enabled")), { ssh: { enabled: true } }, /^$/],
      [
        "only one turns SSH on",
        imageOf(settings("cloud-init", "ssh.enabled")),
        { ssh: { enabled: false } },
        /^ssh\.enabled: /,
      ],
      [
        "both make host keys",
        imageOf(settings("cloud-init", "ssh.hostKeys")),
        {},
        /^ssh\.hostKeys: .*set ssh\.ownHostKeys to false$/,
      ],
      [
        "one leaves host keys alone",
        imageOf(settings("cloud-init", "ssh.hostKeys")),
        { ssh: { ownHostKeys: false } },
        /^$/,
      ],
      [
        "the profile has user data of its own",
        imageOf(settings("cloud-init", "users")),
        { users: [], userData: "#cloud-config\n" },
        /^$/,
      ],
    ];
    for (const [what, image, config, expected] of rows)
      it(`${expected.source === "^$" ? "both count" : "are refused"} where ${what}`, () =>
        assert.match(judgeOwnSettings(image, config).join("\n"), expected));

    it("are refused in the plan, and told before", () => {
      const image = imageOf({ ...settings("cloud-init", "hostname", "users"), userNames: ["ubuntu"] });
      const summary = { profiles: ["base"], digest: "ab".repeat(32) };
      const refused = judgeProfiles(image, { config: { hostname: "a" }, summary } as never, false);
      assert.match(
        refused?.message ?? "",
        /debian-12 cannot be made what the profile base says:\n {2}hostname: a-file/,
      );
      assert.deepEqual(parseManifest(renderManifest(image)).boot.ownSettings, image.boot.ownSettings);
    });
  });
});
