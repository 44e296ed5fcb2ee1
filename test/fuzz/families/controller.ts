import assert from "node:assert/strict";
import { isIP } from "node:net";
import fc from "fast-check";
import { parseBootTreeManifest } from "../../../controller/boot-tree/parse-manifest.ts";
import { parseConfigFile } from "../../../controller/config/parse-config-file.ts";
import { resolveConfig } from "../../../controller/config/resolve-config.ts";
import { parseRetryAfter } from "../../../controller/hooks/judge-answer.ts";
import { parseGivenValues } from "../../../controller/hooks/parse-given-values.ts";
import { parseHookSecret } from "../../../controller/hooks/parse-hook-secret.ts";
import { parseCommandLine } from "../../../controller/images/boot/parse-command-line.ts";
import { parseConfigTxt, parseInclude } from "../../../controller/images/boot/parse-config-txt.ts";
import {
  parseExtlinux,
  parseGrubConfig,
  parseLoaderEntry,
} from "../../../controller/images/boot/parse-loader-config.ts";
import { parseOperatingSystem } from "../../../controller/images/boot/parse-os-release.ts";
import { noSuchImage } from "../../../controller/images/catalogue/find-image.ts";
import { parseImageName, parseManifest } from "../../../controller/images/catalogue/parse-manifest.ts";
import { parseFstab, unknownSources } from "../../../controller/images/derive/parse-fstab.ts";
import { parseTreeListing } from "../../../controller/images/derive/parse-tree-listing.ts";
import { parseErrors, parseFolder, parseInode } from "../../../controller/images/filesystems/parse-debugfs.ts";
import { parseFreeBytes } from "../../../controller/images/filesystems/parse-free-bytes.ts";
import { isSafePath } from "../../../controller/images/filesystems/safe-path.ts";
import { parseDnsmasqLog } from "../../../controller/network/dnsmasq/parse-dnsmasq-log.ts";
import { parseMachineRole } from "../../../controller/network/dnsmasq/parse-machine-role.ts";
import { renderDhcpHosts } from "../../../controller/network/dnsmasq/render-dhcp-hosts.ts";
import { parseIpv4Network } from "../../../controller/network/ipv4.ts";
import { findMacAddresses } from "../../../controller/network/parse-arp-table.ts";
import { parseSockets, parseUnit, parseUnixSocket } from "../../../controller/network/parse-sockets.ts";
import { chooseAcceptRule } from "../../../controller/nodes/choose-accept-rule.ts";
import { chooseAuthors } from "../../../controller/nodes/choose-authors.ts";
import { parseRootRecord } from "../../../controller/nodes/choose-root-uses.ts";
import { requireNode } from "../../../controller/nodes/find-node.ts";
import { compileGlob, isGlob } from "../../../controller/nodes/glob.ts";
import type { Node } from "../../../controller/nodes/node.ts";
import { problemOfNodeName } from "../../../controller/nodes/node-name.ts";
import { matchesLabels, parseLabelSelector } from "../../../controller/nodes/parse-label-selector.ts";
import { parseSelector } from "../../../controller/nodes/parse-selector.ts";
import { selectNodes } from "../../../controller/nodes/select-nodes.ts";
import { createFrameDecoder, encodeValue } from "../../../controller/privileges/frames.ts";
import { parseHosts, parseRemoval, parseRequest } from "../../../controller/privileges/parse-request.ts";
import { buildConfig } from "../../../controller/profiles/build-config.ts";
import { renderConfig } from "../../../controller/profiles/describe-config.ts";
import { parseProfile } from "../../../controller/profiles/parse-profile.ts";
import { placeOfField } from "../../../controller/profiles/place-of-field.ts";
import { systemShape } from "../../../controller/profiles/profile-shape.ts";
import { renderProfiles } from "../../../controller/profiles/render-profiles.ts";
import { selectReferences } from "../../../controller/profiles/select-references.ts";
import { parseTemplate, renderTemplate } from "../../../controller/profiles/templates.ts";
import { parseDiskRule } from "../../../controller/reimage/plan/parse-disk-rule.ts";
import { checkAuthorizedKeys } from "../../../controller/rootfs/parse-authorized-keys.ts";
import { parseRootId } from "../../../controller/roots/root-id.ts";
import { parseRootManifest } from "../../../controller/roots/root-manifest.ts";
import { addressOfPeer } from "../../../controller/rpc/doors/peer.ts";
import { bootMacFromWire } from "../../../controller/rpc/wire/registration-from-wire.ts";
import { rolloutIdFromWire } from "../../../controller/rpc/wire/rollout-from-wire.ts";
import { idFromWire } from "../../../controller/rpc/wire/text-from-wire.ts";
import { parseBitRate } from "../../../controller/uplink/parse-bit-rate.ts";
import { limits } from "../../../proto/limits.ts";
import type { NodeId } from "../../../proto/names/node-id.ts";
import { parseOperationId } from "../../../proto/operation/parse-spec.ts";
import { findConfigProblems } from "../../../proto/system/config/check-config.ts";
import { aNode } from "../../unit/controller/boot/a-node.ts";
import { aDevice } from "../../unit/proto/disk/a-device.ts";
import { family, unlessRefused } from "../frame/family.ts";
import { mutatedText } from "../frame/mutations.ts";
import { goldenTexts } from "./samples.ts";

const aProfile = `name: workers
match: { labels: "rack=a,role in (db, web)", name: "pi-*", model: "Rasp*", image: "deb*" }
priority: 10
system:
  hostname: "{{ name }}-{{ index }}"
  keyboard: { layout: ch }
  users:
    - { name: ada, uid: "{{ 1000 | plus: index }}", passwordHashFile: secrets/ada, authorizedKeys: [ssh-ed25519 AAAA], sudo: password }
  ssh: { enabled: true, hostKeyFiles: ["keys/{{ name }}"] }
  network: { interfaces: [{ name: eth0, addresses: ["10.0.0.7/24"] }], wifi: { country: CH, ssid: x, passphraseFile: wifi } }
  files:
    - { path: /etc/motd, contentFile: "motd/{{ model }}", mode: "0644" }
    - { path: /etc/token, secretFile: "{{ labels.rack }}" }
  units: [{ name: ssh.service, state: enabled }]
  tasks: [{ name: join, command: [echo, "{{ mac }}"], timeout: 5m, environment: { A: b }, secretFiles: { TOKEN: token } }]
  userDataFile: user-data
`;

const hooksYaml = `hooks:
  - name: drain
    when: before-reimage
    command: [/usr/local/bin/drain, "5"]
    labelSelector: rack in (a, b)
  - {name: page, when: after-failed, webhook: "https://there/", secretFile: /etc/pallet/secret, timeoutMs: 1000}
`;

const configTxt = `# a comment
[pi4]
kernel=kernel8.img
arm_64bit=1
[cm4]
otg_mode=1
[board-type=0x11]
initramfs initramfs8 followkernel
[EDID=x]
dtoverlay=vc4-kms-v3d
[all]
include extra.txt
os_prefix=a/
cmdline=cmdline.txt
auto_initramfs=1
`;

const manifest = JSON.stringify({
  format: "pack-1",
  name: "debian-12",
  digest: "a".repeat(64),
  sizeBytes: 8192,
  storedBytes: 100,
  partitionTable: "mbr",
  partitions: [
    {
      number: 2,
      offsetBytes: 512,
      lengthBytes: 1024,
      type: "83",
      partitionUuid: "4e639091-02",
      filesystemType: "ext4",
      label: "rootfs",
      uuid: "",
    },
  ],
  rootPartition: 2,
  operatingSystem: "Debian GNU/Linux 12",
  boot: { kernel: "kernel8.img", deviceTrees: ["bcm2711-rpi-4-b.dtb"], commandLine: "rootwait" },
  pack: {
    manifestDigest: "b".repeat(64),
    manifestBytes: 90,
    chunkBytes: 4096,
    dataBytes: 4096,
    zeroBytes: 0,
    unusedBytes: 4096,
    fetchBytes: 60,
  },
  addedAt: 1_700_000_000_000,
});

const rack: readonly Node[] = ["pi-1", "pi-2", "node-3"].map((name, index) =>
  aNode({ id: `dc:a6:32:01:02:0${index + 3}` as NodeId, name, accepted: index < 2, labels: { label: "a" } }),
);
const card = aDevice("mmcblk0", { sizeBytes: 32e9, transport: "mmc" });

const brokerHost = '{"id":"02:00:00:00:00:01","name":"node-1","accepted":true,"address":"10.77.0.9","lastSeenAt":1}';
const brokerRequests = [
  `{"verb":"dnsmasq","dhcp":{"mode":"server"},"advertise":"10.77.0.1","hosts":[${brokerHost}]}`,
  `{"hosts":[${brokerHost}]}`,
  '{"verb":"nfs","mode":"ganesha","path":"/var/lib/pallet/rootfs"}',
  '{"verb":"roots","store":"/var/lib/pallet/rootfs"}',
  '{"remove":"20260101-000000-00000001"}',
  '{"remove":"flat"}',
  `{"verb":"derive","image":${manifest}}`,
];

/**
 * What the controller reads: of images, of its network, of its operators. Left out: what only root of this machine, or
 * another program of its own, writes: environment and options, passwd and group, `ip -json`, /proc, the state folder and
 * the caches, kernels and modules of a root filesystem that root built or imported.
 */
export const controller = [
  family<string>({
    name: "network: log of dnsmasq",
    inputs: mutatedText(
      goldenTexts("network", "-log.txt").flatMap((text) => text.split("\n").slice(0, 200)),
      {
        words: ["DHCPACK(eth0) ", "DHCPNAK(", "vendor class: ", "PXE(", ") ", "10.0.0.1 ", "dc:a6:32:01:02:03"],
        maxCharacters: 20_000,
      },
    ),
    check(line) {
      const notice = parseDnsmasqLog(line);
      if (notice !== undefined && "mac" in notice) assert.match(notice.mac, /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/);
      if (notice?.kind === "vendor-class") assert.match(notice.vendorClass, /^[\x20-\x7e]{1,80}$/);
    },
  }),
  family<string>({
    name: "network: tables of the kernel",
    inputs: mutatedText(
      [
        "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\neth0\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\n",
        "IP address HW type Flags HW address Mask Device\n10.0.0.2 0x1 0x2 dc:a6:32:01:02:03 * eth0\n",
        "sl local rem st\n 0: 00000000:0045 00000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 12345 2\n",
        "0000: 00000002 00000000 00010000 0001 01 1234 /run/pallet/controller.sock\n",
        "0::/system.slice/dnsmasq.service\n",
        "nameserver 10.0.0.1\n",
      ],
      { words: ["\t", " ", "\n", "0x2", "00000000"], maxCharacters: 200_000 },
    ),
    check(text) {
      parseMachineRole({ forward: text, routes: text, sockets: [text], resolver: text });
      findMacAddresses(text, "10.0.0.2");
      parseSockets(text, "UDP");
      parseUnixSocket(text, "/run/pallet/controller.sock");
      parseUnit(text);
    },
  }),
  family<{ readonly pattern: string; readonly text: string }>({
    name: "operators: patterns",
    inputs: fc.record({
      pattern: mutatedText(["pi-*", "pi-[0-9]?", "[!a-z]*b*c", "*"], {
        words: ["*", "**", "[", "]", "?", "-", "!", "a"],
        maxCharacters: 4_096,
      }),
      text: mutatedText(["pi-1", "aaaaaaaaaaaaaaaaaaaaab"], { maxCharacters: 256 }),
    }),
    check({ pattern, text }) {
      const isMatch = compileGlob(pattern)(text);
      if (!isGlob(pattern)) assert.equal(isMatch, pattern.toLowerCase() === text.toLowerCase());
      assert.ok(compileGlob("*")(text));
    },
  }),
  family<string>({
    name: "operators: label selectors",
    inputs: mutatedText(["rack=a,role!=b", "rack in (a, b), !spare", "rack notin (a)", "example.org/rack==a"], {
      words: ["(", ")", ",", " in ", " notin ", "=", "==", "!=", "!", "a.", "-"],
      maxCharacters: 5_000,
    }),
    check(text) {
      const requirements = unlessRefused(() => parseLabelSelector(text));
      if (requirements !== undefined) matchesLabels({ rack: "a" }, requirements);
    },
  }),
  family<{ readonly text: string; readonly others: readonly string[]; readonly uid: string }>({
    name: "operators: names and rules",
    inputs: fc.record({
      text: mutatedText(
        [
          "pi-1",
          "dc:a6:32:01:02:03",
          "1234abcd",
          "pi-*",
          "os-12",
          "20260101-000000-0123abcd",
          "sd,size>64GB",
          "serial=a",
          "500 Mbit/s",
          "10.0.0.0/24",
          "10.0.0.7:51234",
          "[fe80::1%eth0]:1",
          "operator",
          "rack=a",
        ],
        { words: ["*", "[", ",", "size>", "model=", "GB", "/", ":", "%"], maxCharacters: 64 * 1024 },
      ),
      others: fc.array(fc.constantFrom("pi-1", "pi-2", "", "*", "pi-1"), { maxLength: 3 }),
      uid: fc.constantFrom("", "label", "*"),
    }),
    check({ text, others, uid }) {
      const nodes = { list: () => rack, require: (name: string) => requireNode(rack, name) };
      const standingOf = () => ({ online: true, reimaging: false, failed: false });
      const selector = unlessRefused(() =>
        parseSelector({ nodes: [text, ...others], all: uid === "*", labelSelector: uid, states: [] }),
      );
      if (selector !== undefined) {
        const chosen = unlessRefused(() => selectNodes(selector, nodes, { standingOf, acceptedOnly: true })) ?? [];
        assert.ok(chosen.length <= rack.length);
      }
      unlessRefused(() => requireNode(rack, text));
      unlessRefused(() => chooseAuthors(text, rack));
      unlessRefused(() => idFromWire("id", text));
      unlessRefused(() => rolloutIdFromWire(text));
      unlessRefused(() => bootMacFromWire(text));
      unlessRefused(() => parseOperationId(text));
      unlessRefused(() => parseImageName(text));
      assert.ok(noSuchImage(text).message.length <= 300);
      assert.ok((problemOfNodeName(text) ?? "").length <= 300);
      assert.ok((parseRootId(text) ?? "").length <= 24);
      parseDiskRule(text)?.(card);
      assert.ok(Number.isFinite(parseBitRate(text) ?? 0));
      parseIpv4Network(text);
      assert.ok(isIP(addressOfPeer(text) ?? "::1") !== 0);
      unlessRefused(() => checkAuthorizedKeys(text, "keys.pub"));
      chooseAcceptRule({ configured: [text], expected: [], next: 0 }, rack[0] as Node);
    },
  }),
  family<string>({
    name: "operators: config files",
    inputs: mutatedText(
      ["listen: 10.0.0.1\ngrpcPort: 7700\nreimage:\n  stallTimeoutMs: 5\n", "dhcp:\n  mode: server\n", hooksYaml],
      {
        words: [
          ": ",
          "\n",
          "- ",
          "hooks:\n",
          "command: ",
          "name: ",
          "&a ",
          "*a",
          "<<: *a",
          "? ",
          "[",
          "{",
          "!!binary ",
          "|\n",
          "listen",
          "dhcp:\n  ",
        ],
        maxCharacters: 2_000,
      },
    ),
    check(text) {
      const given = parseConfigFile(text, "/etc/pallet/controller.yaml");
      const { problems } = given;
      resolveConfig([given]);
      // Ten of its syntax, that there are more of them, and what its lines say.
      assert.ok(problems.length <= 11 + text.length);
    },
  }),
  family<{ readonly text: string; readonly said: string }>({
    name: "profiles: a profile, and what a node says of itself",
    inputs: fc.record({
      text: mutatedText([aProfile], {
        words: [
          "{{ ",
          " }}",
          "{% ",
          " %}",
          "| append: ",
          "{% assign a = a | append: a %}",
          "{% for i in (1..99999999) %}",
        ],
        maxCharacters: 64 * 1024,
      }),
      said: mutatedText(["Raspberry Pi 4", "../../etc/shadow", "{{ name }}"], { maxCharacters: 1000 }),
    }),
    check({ text, said }) {
      const { profile, problems } = parseProfile(text, "/etc/pallet/profiles/a.yaml");
      assert.equal(profile === undefined, problems.length > 0);
      if (profile === undefined) return;
      const values = {
        name: "pi-1",
        mac: "b8:27:eb:00:00:01",
        index: 1,
        hook: { url: said },
        labels: { rack: said },
        image: "debian",
        model: said,
      };
      const { system } = renderProfiles([profile, profile], values);
      if (system === undefined) return;
      const { references } = selectReferences(system, systemShape);
      for (const { path } of references) assert.ok(path.startsWith("/etc/pallet/profiles/"), path);
      const { config } = buildConfig(
        system,
        new Map(references.map(({ path }) => [path, Buffer.from("secret-canary")])),
      );
      for (const { field } of findConfigProblems(config)) placeOfField(system, field);
      const hidden = config.files?.every(({ secret }) => secret === true) ?? true;
      if (hidden && config.tasks === undefined && !text.includes("authorizedKeysFile"))
        assert.ok(!renderConfig(config).includes("secret-canary"));
    },
  }),
  family<string>({
    name: "profiles: a template",
    inputs: mutatedText(
      [
        "pi-{{ index | prepend: '00' | slice: -2, 2 }}",
        "{% if labels.rack == 'a' %}x{% elsif name contains 'y' %}z{% else %}{{ labels['k/v'] | default: 'q' }}{% endif %}",
        "{% capture a %}{{ name | upcase }}{% endcapture %}{% assign b = a | split: '-' | join: '_' %}{{ b | json }}",
        "{% case name %}{% when 'a' %}1{% endcase %}{% raw %}{{ }}{% endraw %}{{ 7 | divided_by: index | round }}",
      ],
      {
        words: ["{% assign a = a | append: a %}", "{{ ", " | replace: 'a', name", "(1..999999)", "| times: 1e308"],
        maxCharacters: 70_000,
      },
    ),
    check(text) {
      const values = { name: "pi-1", labels: { rack: "a" }, index: 1 };
      const rendered = unlessRefused(() => {
        parseTemplate(text);
        return renderTemplate(text, values);
      });
      assert.ok((rendered?.length ?? 0) <= 4 * limits.profiles.renderedCharacters.most);
    },
  }),
  family<string>({
    name: "hooks: secrets and answers",
    inputs: mutatedText([`whsec_${Buffer.alloc(32, 1).toString("base64")}\n`, "120", "Mon, 30 Nov 2026 06:00:30 GMT"], {
      words: ["whsec_", "=", "\n", "-", "9999", " GMT"],
      maxCharacters: 1024,
    }),
    check(text) {
      const now = Date.UTC(2026, 10, 30);
      const waitMs = parseRetryAfter(text, now);
      assert.ok(waitMs >= 0 && waitMs <= limits.hooks.retryAfterMs.most);
      const secret = unlessRefused(() => parseHookSecret(text));
      assert.ok(secret === undefined || secret.length <= limits.hooks.secretBytes.most);
    },
  }),
  family<string>({
    name: "hooks: what they give",
    inputs: mutatedText(
      ['{"values": {"url": "https://k3s"}, "secrets": {"token": "K10::server:one"}}', '{"secrets": {}}', "done\n"],
      {
        words: [
          '"values"',
          '"secrets"',
          '"url"',
          '"token"',
          "{",
          "}",
          "[",
          "]",
          ":",
          ",",
          '""',
          "__proto__",
          "\\u0000",
          "1e9",
        ],
        maxCharacters: 64 * 1024,
      },
    ),
    check(text) {
      const given = unlessRefused(() => parseGivenValues({ values: ["url"], secrets: ["token"] }, text));
      if (given === undefined) return;
      assert.deepEqual([Object.keys(given.values), Object.keys(given.secrets)], [["url"], ["token"]]);
      for (const value of [...Object.values(given.values), ...Object.values(given.secrets)])
        assert.ok(value.length > 0 && value.length <= limits.hooks.valueCharacters.most);
    },
  }),
  family<string>({
    name: "images: config.txt",
    inputs: mutatedText([configTxt], {
      words: ["[", "]", "[all]", "[pi4]", "=", "include ", "kernel=", "\n", "board-type=0x"],
      maxCharacters: 64 * 1024,
    }),
    check(text) {
      const parsed = parseConfigTxt(text);
      parsed.forBoard("pi4");
      parsed.forUBoot();
      assert.ok(parsed.namedFiles.join("").length <= text.length);
      for (const line of text.split("\n").slice(0, 100)) assert.ok((parseInclude(line) ?? "").length <= 98);
    },
  }),
  family<string>({
    name: "images: texts of a system",
    inputs: mutatedText(
      [
        "console=serial0,115200 root=PARTUUID=4e639091-02 rootfstype=ext4 quiet init=/usr/lib/raspberrypi-sys-mods/firstboot\n",
        "title Debian\noptions root=LABEL=x $grub quiet\n",
        "default linux\nlabel linux\n  kernel /vmlinuz\n  append root=/dev/mmcblk0p2 ro\n",
        "  linux /boot/vmlinuz root=UUID=1 ro\n",
        'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME=Debian\n',
        "PARTUUID=4e639091-01 /boot/firmware vfat defaults 0 2\n/dev/mmcblk0p2 / ext4 defaults 0 1\n",
      ],
      {
        words: ["\n", "options ", "append ", "label ", "default ", "linux ", "PRETTY_NAME=", '"', "\\", " "],
        maxCharacters: 64 * 1024,
      },
    ),
    check(text) {
      const line = unlessRefused(() => parseCommandLine(text));
      if (line !== undefined) assert.ok(line.words.join("").length <= 4096);
      parseLoaderEntry(text);
      parseExtlinux(text);
      parseGrubConfig(text);
      assert.ok((parseOperatingSystem(text) ?? "").length <= 120);
      const partitions = [
        {
          number: 2,
          offsetBytes: 512,
          lengthBytes: 512,
          type: "83",
          partitionUuid: "4e639091-02",
          filesystemType: "ext4",
          label: "x",
          uuid: "1",
        },
      ];
      for (const { mountpoint } of parseFstab(text, partitions)) assert.ok(!mountpoint.split("/").includes(".."));
      unknownSources(text, partitions);
    },
  }),
  family<string>({
    name: "images: answers of tools about filesystems",
    inputs: mutatedText(
      [
        'Inode: 12   Type: symlink    Mode:  0777   Flags: 0x0\nUser:     0   Group:     0   Size: 7\nFast link dest: "usr/bin"\n',
        "/12/100644/0/0/vmlinuz/100/\n/13/120777/0/0/link/4/\n",
        "debugfs 1.47.0 (5-Feb-2023)\n/x: File not found by ext2_lookup\n",
        "Filesystem features:      extent\nFilesystem state:         clean\nFree blocks:              26\nBlock size:               1024\n",
        "f 12 1 100 boot/vmlinuz\0d 13 2 4096 boot\0",
      ],
      { words: ["\n", "\0", "Size: ", "/", "Type: ", "Free blocks: "], maxCharacters: 1024 * 1024 },
    ),
    check(text) {
      parseInode(text);
      for (const name of parseFolder(text)) assert.ok(!name.includes("/"));
      parseErrors(text);
      const free = parseFreeBytes(text);
      assert.ok(free === undefined || (Number.isSafeInteger(free) && free >= 0));
      parseTreeListing(text);
      if (isSafePath(text))
        assert.ok(!text.split("/").includes("..") && !text.startsWith("-") && !text.startsWith("/"));
    },
  }),
  family<string>({
    name: "images: manifest.json",
    inputs: mutatedText(
      [manifest, '{"boot":{"id":"b1","root":"flat"},"told":["flat"]}', '{"madeBy":"1","root":{"sizeBytes":1}}'],
      {
        words: ['"', "{", "}", "[", "]", ",", "null", '"firmware":'],
        maxCharacters: 64 * 1024,
      },
    ),
    check(text) {
      const image = unlessRefused(() => parseManifest(text));
      parseRootManifest(text);
      parseBootTreeManifest(text);
      parseRootRecord(text, parseRootId);
      if (image !== undefined) assert.ok(image.partitions.some(({ number }) => number === image.rootPartition));
    },
  }),
  family<string>({
    name: "privileges: what the broker is asked",
    inputs: mutatedText(brokerRequests, {
      words: ['"', "{", "}", "[", "]", ",", "null", "\\n", "/", "..", '"verb":', '"remove":'],
      maxCharacters: 16 * 1024,
    }),
    check(text) {
      const value = unlessRefused<object>(() => JSON.parse(text), SyntaxError);
      const frames = unlessRefused(() => createFrameDecoder().push(encodeValue(value ?? {})));
      const [message] = frames ?? [];
      if (message?.kind !== "value") return;
      const request = unlessRefused(() => parseRequest(message.value));
      const hosts = request?.verb === "dnsmasq" ? request.hosts : unlessRefused(() => parseHosts(message.value));
      const network = { subnet: { base: 0x0a4d0000, prefixLength: 24 }, address: "10.77.0.1" };
      // Whatever is let in, each node is one line of dnsmasq's own.
      if (hosts !== undefined) {
        const lines = renderDhcpHosts(hosts, network).split("\n").slice(0, -1);
        assert.equal(lines.length, hosts.length);
        for (const line of lines) assert.match(line, /^[0-9a-f:]{17}(,[0-9.]+)?,[a-z0-9-]+$/);
      }
      const id = unlessRefused(() => parseRemoval(message.value));
      if (id !== undefined) assert.match(id, /^(flat|\d{8}-\d{6}-[0-9a-f]{8})$/);
    },
  }),
];
