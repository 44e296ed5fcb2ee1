import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { chooseRootfsPaths } from "../../../../controller/rootfs/choose-paths.ts";
import { checkAuthorizedKeys } from "../../../../controller/rootfs/parse-authorized-keys.ts";
import { renderCleanFstab } from "../../../../controller/rootfs/render-fstab.ts";
import { renderInittab } from "../../../../controller/rootfs/render-inittab.ts";

describe("the inittab of the root filesystem", () => {
  it("starts the agent again whenever it ends, and lets nobody in", () => {
    const inittab = renderInittab({ ssh: false, consoleShell: false });
    assert.match(inittab, /^::respawn:\/usr\/bin\/pallet-agent$/m);
    assert.doesNotMatch(inittab, /dropbear|getty|:-?\/bin\/(ba)?sh$/m);
  });
  it("has the ssh server without passwords where there are keys", () => {
    assert.match(renderInittab({ ssh: true, consoleShell: false }), /^::respawn:\/usr\/sbin\/dropbear .*-s -g -R/m);
  });
  it("has a shell on the console when the operator asks for it", () => {
    assert.match(renderInittab({ ssh: false, consoleShell: true }), /^::askfirst:-\/bin\/sh$/m);
  });
});

describe("an fstab for a root on the network", () => {
  const cases: readonly (readonly [name: string, before: string, after: string])[] = [
    [
      "a card's root",
      "PARTUUID=1-02 / ext4 defaults,noatime 0 1\n",
      "#pallet# PARTUUID=1-02 / ext4 defaults,noatime 0 1\n",
    ],
    ["a comment", "# a swapfile is not a swap partition\n", "# a swapfile is not a swap partition\n"],
    [
      "proc",
      "proc            /proc           proc    defaults          0       0\n",
      "proc            /proc           proc    defaults          0       0\n",
    ],
    ["a RAM disk", "tmpfs /tmp tmpfs size=10% 0 0\n", "tmpfs /tmp tmpfs size=10% 0 0\n"],
    ["swap", "/swapfile none swap sw 0 0", "#pallet# /swapfile none swap sw 0 0\n"],
    ["nothing", "", ""],
  ];
  for (const [name, before, after] of cases) it(name, () => assert.equal(renderCleanFstab(before), after));

  it("mounts nothing of a disk, keeps every word, and stays as it is the second time", () => {
    const line = fc.stringMatching(/^[ -~]{0,40}$/);
    fc.assert(
      fc.property(fc.array(line, { maxLength: 6 }), (lines) => {
        const before = lines.join("\n");
        const after = renderCleanFstab(before);
        assert.equal(renderCleanFstab(after), after);
        assert.equal(after.replaceAll("#pallet# ", "").trimEnd(), before.replaceAll("#pallet# ", "").trimEnd());
        for (const kept of after.split("\n").map((text) => text.trim().split(/\s+/)))
          if (kept[0] !== "" && !kept[0]?.startsWith("#")) assert.match(kept[2] ?? "", /^(proc|.*fs|devpts)$/);
      }),
    );
  });
});

describe("ssh keys", () => {
  const key = `ssh-ed25519 ${"A".repeat(68)} me@desk`;
  it("are taken without comments and empty lines", () => {
    assert.deepEqual(checkAuthorizedKeys(`# mine\n\n${key}\nno-pty ${key}\n`, "keys"), [key, `no-pty ${key}`]);
  });
  const refused: readonly (readonly [name: string, text: string, message: RegExp])[] = [
    ["a private key", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3\n", /private key/],
    ["a line that is none", `${key}\nhello\n`, /line 2 of keys/],
    ["nothing", "\n# none yet\n", /contains no SSH public key/],
  ];
  for (const [name, text, message] of refused)
    it(`are refused: ${name}`, () => assert.throws(() => checkAuthorizedKeys(text, "keys"), message));
});

describe("where things are", () => {
  const user = { environment: {}, home: "/home/anna" };
  it("in a checkout: its dist, and the user's cache", () => {
    const paths = chooseRootfsPaths({ ...user, script: "/src/pallet/controller/main.ts", executable: "/usr/bin/node" });
    assert.equal(paths.agentFile, "/src/pallet/dist/agent-linux-arm64");
    assert.equal(paths.cacheDirectory, "/home/anna/.cache/pallet/rootfs");
  });
  it("for the single-file program: beside it, and under the state", () => {
    const paths = chooseRootfsPaths({
      ...user,
      script: "/opt/pallet/controller",
      executable: "/opt/pallet/controller",
    });
    assert.equal(paths.agentFile, "/opt/pallet/agent-linux-arm64");
    assert.match(paths.cacheDirectory, /^\/var\/lib\/pallet\//);
  });
});
