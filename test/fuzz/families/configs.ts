import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import type * as wire from "../../../proto/gen/pallet/v1/system.ts";
import { limits } from "../../../proto/limits.ts";
import { isPublicHostKey } from "../../../proto/operation/write-result.ts";
import {
  withGroupEntries,
  withGshadowEntries,
  withPasswdEntry,
  withShadowEntry,
  withSubordinates,
} from "../../../proto/system/config/account-files.ts";
import { findConfigProblems } from "../../../proto/system/config/check-config.ts";
import { decodeSystemConfig, encodeSystemConfig } from "../../../proto/system/config/config-codec.ts";
import { examineAbilities } from "../../../proto/system/config/examine-abilities.ts";
import { parsePrefixed } from "../../../proto/system/config/ip-address.ts";
import { judgeConfig } from "../../../proto/system/config/judge-config.ts";
import { parseHostKey, renderEd25519Key } from "../../../proto/system/config/openssh-key.ts";
import { isUnitName, parseInstall } from "../../../proto/system/config/parse-install.ts";
import { parseLocaleArchive } from "../../../proto/system/config/parse-locale-archive.ts";
import { isPlainPath } from "../../../proto/system/config/plain-path.ts";
import { planEdits } from "../../../proto/system/config/plan-edits.ts";
import { withHostname } from "../../../proto/system/config/plan-identity.ts";
import { withInterfaces } from "../../../proto/system/config/plan-network.ts";
import { type AnyFamily, family, unlessRefused, unlessRejected } from "../frame/family.ts";
import { mutatedBytes, mutatedMessage, mutatedText } from "../frame/mutations.ts";

// Left out: files of an image as long as Pallet lets them be, but for some; the unit tests have one of each.

const digest = "ab".repeat(32);
/** Not always the same key: nothing is compared with it. */
const hostKey = renderEd25519Key(generateKeyPairSync("ed25519").privateKey, "fuzz").privateText;
const authorizedKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDxEzZYqm7rJWwOtGZHjlT7Qn2hLFd3kzS2yWnq7p0Xb a";

const config = encodeSystemConfig({
  hostname: "pi-7",
  timezone: "Europe/Zurich",
  locale: "C.UTF-8",
  keyboard: { layout: "ch", model: "pc105", variant: "fr" },
  users: [
    { name: "anna", uid: 1000, shell: "/bin/sh", groups: ["sudo"], authorizedKeys: [authorizedKey], sudo: "password" },
  ],
  ssh: { enabled: true, passwordAuthentication: false, hostKeys: [hostKey] },
  network: {
    interfaces: [
      { name: "eth0", addresses: ["10.0.0.7/24"], gateways: ["10.0.0.1"], dns: ["10.0.0.1"], searchDomains: ["a"] },
    ],
    wifi: { country: "CH", ssid: "net", passphrase: "12345678" },
  },
  files: [
    { path: "/srv/a", content: { kind: "folder" }, mode: 0o755, owner: "anna" },
    { path: "/srv/a/b", content: { kind: "file", bytes: Uint8Array.of(1) }, secret: true },
    { path: "/srv/a/c", content: { kind: "link", target: "b" } },
  ],
  units: [{ name: "ssh.service", state: "enabled" }],
  tasks: [
    {
      name: "a",
      run: { kind: "command", words: ["true"] },
      timeoutMs: 1000,
      environment: { A: "b" },
      secrets: { c: "d" },
    },
  ],
  userData: "#cloud-config\n",
});

const archive = Buffer.alloc(256);
archive.writeUInt32LE(0xde020109, 0);
for (const [at, value] of [
  [8, 56],
  [16, 3],
  [60, 120],
  [72, 140],
] as const)
  archive.writeUInt32LE(value, at);
archive.write("de_CH.utf8\0", 120);
archive.write("C.utf8\0", 140);

const accountTexts = [
  "root:x:0:0:root:/root:/bin/bash\nanna:x:1000:1000::/home/anna:/bin/sh\n+::::::\n",
  "root:*:1:0:99999:7:::\nanna:!*:0:0:99999:7:::",
  "root:x:0:\nsudo:x:27:root\n# comment\n\nanna:x:1000:\n",
  "anna:100000:65536\n",
  "127.0.0.1\tlocalhost\n127.0.1.1 old\n",
  "auto lo eth0\niface eth0 inet dhcp\n\tmetric 5\n\nsource /etc/network/interfaces.d/*\n",
];
const texts = mutatedText(accountTexts, {
  words: [
    ":",
    "\n",
    "\0",
    "+",
    "anna",
    "1000",
    "iface eth0",
    "# END Pallet",
    "# BEGIN Pallet (made at the reimage; changes in here are lost at the next)",
    "\r",
  ],
  maxCharacters: limits.config.systemFileBytes.most / 8,
});

const user = { name: "anna", fullName: "A", groups: ["sudo"], passwordHash: "$6$a", authorizedKeys: ["k"] };
const amendments: readonly ((text: string) => string)[] = [
  (text) => withPasswdEntry(text, user, { group: text, hasShadow: true, shell: "/bin/sh" }),
  (text) => withShadowEntry(text, user),
  (text) => withGroupEntries(text, user, "anna:x:1000:1000::/home/anna:/bin/sh\n"),
  (text) => withGshadowEntries(text, user, text),
  (text) => withSubordinates(text, "anna", "/etc/subuid"),
  (text) => withHostname(text, "pi-7.rack"),
  (text) => withInterfaces(text, ["eth0"], ["auto eth0", "iface eth0 inet dhcp"]),
];

export const configs: readonly AnyFamily[] = [
  family<wire.SystemConfig>({
    name: "configs: what a system is to be",
    inputs: mutatedMessage(config),
    async check(message) {
      const decoded = unlessRefused(() => decodeSystemConfig(message));
      if (decoded === undefined) return;
      assert.deepEqual(decodeSystemConfig(encodeSystemConfig(decoded)), decoded);
      if (findConfigProblems(decoded).length > 0) return;
      const able = await examineAbilities(viewOf("root:x:0:0::/root:/bin/sh\n"));
      judgeConfig(decoded, able);
      for (const { path } of planEdits(decoded, able, { digest, madeHostKeys: [hostKey] }))
        assert.ok(isPlainPath(path), path);
    },
  }),
  family<string>({
    name: "configs: a system's files, examined",
    inputs: texts,
    async check(text) {
      const able = await unlessRejected(() => examineAbilities(viewOf(text)));
      if (able === undefined) return;
      assert.deepEqual(JSON.parse(JSON.stringify(able)), able);
      judgeConfig(decodeSystemConfig(config), able);
    },
  }),
  family<string>({
    name: "configs: a system's files, amended",
    inputs: texts,
    check(text) {
      for (const amend of amendments) {
        const once = unlessRefused(() => amend(text));
        if (once === undefined) continue;
        assert.equal(amend(once), once);
        assert.ok(once.length <= 2 * text.length + 1_000, `${text.length} characters became ${once.length}`);
        // A line that is about nothing of this stays.
        const kept = text.split("\n").filter((line) => line.startsWith("# ") && !line.includes("Pallet"));
        for (const line of kept) assert.ok(once.includes(line));
      }
    },
  }),
  family<string>({
    name: "configs: host keys",
    inputs: mutatedText([hostKey], {
      words: ["-----BEGIN", "AAAA", "=", "\n"],
      maxCharacters: limits.config.hostKeyCharacters.most,
    }),
    check(text) {
      const key = parseHostKey(text);
      if (key !== undefined)
        assert.ok(isPublicHostKey(key.publicLine) || key.publicLine.length > 3_000, key.publicLine);
    },
  }),
  family<string>({
    name: "configs: units and addresses",
    inputs: mutatedText(
      ["[Install]\nWantedBy=multi-user.target\nAlias=a.service\nAlso=b.socket\n", "10.0.0.7/24", "2001:db8::7/64"],
      {
        words: ["[Install]", "\\\n", "..", "/", "%i", "="],
        maxCharacters: 65_536,
      },
    ),
    check(text) {
      const { wantedBy, requiredBy, aliases, also } = parseInstall(text);
      for (const name of [...wantedBy, ...requiredBy, ...aliases, ...also])
        assert.ok(isUnitName(name) && !name.includes("/"), name);
      const parsed = parsePrefixed(text);
      if (parsed !== undefined) assert.equal(`${parsed.address}/${parsed.prefix}`, text);
    },
  }),
  family<Uint8Array>({
    name: "configs: locale-archive",
    inputs: fc.oneof(mutatedBytes(archive), fc.uint8Array({ maxLength: 1_000 })),
    check(bytes) {
      const names = parseLocaleArchive(Buffer.from(bytes), limits.config.systemNames.most);
      assert.ok(names.length <= limits.config.systemNames.most);
      for (const name of names) assert.match(name, /^[A-Za-z0-9_.@-]{1,64}$/);
    },
  }),
];

/** A system all of whose files say the same. */
function viewOf(text: string) {
  return {
    resolve: async (path: string) => path,
    readStart: async (_path: string, most: number) => Buffer.from(text).subarray(0, most),
    readText: async () => text,
    list: async () => text.split("\n").slice(0, 50),
  };
}
