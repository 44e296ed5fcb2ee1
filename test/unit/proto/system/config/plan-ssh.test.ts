import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import type { SystemAbilities } from "../../../../../proto/system/config/abilities.ts";
import { includesDropIns, judgeSsh, planSsh } from "../../../../../proto/system/config/plan-ssh.ts";
import type { SshConfig } from "../../../../../proto/system/system-config.ts";
import { abilitiesOf } from "./some-abilities.ts";

/** Made for tests by ssh-keygen; nothing is protected by it. */
const hostKey = readFileSync(new URL("../../../agent/customise/host-key.txt", import.meta.url), "utf8");
const openssh = { server: "openssh", dropIns: true } as const;
const service = { path: "/lib/systemd/system/ssh.service", wantedBy: ["multi-user.target"] };
const socket = { path: "/lib/systemd/system/ssh.socket", wantedBy: ["sockets.target"] };

function content(ssh: SshConfig, other: Partial<SystemAbilities>, path: string): string {
  const edit = planSsh(ssh, abilitiesOf({ ssh: openssh, ...other }), []).findLast((each) => each.path === path);
  if (edit?.kind === "amend") return edit.amend("Port 22\nMatch User x\n", () => undefined) ?? "";
  return edit?.kind === "file" ? String(edit.content) : (edit?.kind ?? "");
}

describe("planSsh", () => {
  it("says it before the server's own settings, in a drop-in or a block", () => {
    const ssh = { ownHostKeys: false, passwordAuthentication: false };
    const said = "PasswordAuthentication no\nChallengeResponseAuthentication no\n";
    assert.equal(content(ssh, {}, "/etc/ssh/sshd_config.d/00-pallet.conf"), said);
    const block = content(ssh, { ssh: { server: "openssh", dropIns: false } }, "/etc/ssh/sshd_config");
    assert.match(
      block,
      /^# BEGIN Pallet.*\nPasswordAuthentication no\nChallengeResponseAuthentication no\n# END Pallet\nPort 22\n/,
    );
  });

  it("removes what an earlier config said when there is nothing to say", () => {
    assert.equal(content({ ownHostKeys: false }, {}, "/etc/ssh/sshd_config.d/00-pallet.conf"), "remove");
  });

  it("leaves a plan for people without a key that is not made yet", () => {
    const edits = planSsh({}, abilitiesOf({ ssh: openssh }), undefined);
    const unmade = edits.filter((edit) => edit.kind === "file" && edit.isUnknown === true);
    assert.deepEqual(
      unmade.map(({ path }) => path),
      ["/etc/ssh/ssh_host_ed25519_key"],
    );
  });

  it("leaves it to a dropbear that knows no Ed25519 keys to make some", () => {
    const written = (algorithms?: readonly string[]) =>
      planSsh(
        {},
        abilitiesOf({ ssh: { server: "dropbear", dropIns: false, ...(algorithms && { algorithms }) } }),
        undefined,
      ).map(({ kind, path }) => `${kind} ${path}`);
    assert.deepEqual(written(), ["remove-matching /etc/dropbear"]);
    assert.deepEqual(written(["ssh-rsa"]), ["remove-matching /etc/dropbear"]);
    assert.deepEqual(written(["ssh-rsa", "ssh-ed25519"]), [
      "remove-matching /etc/dropbear",
      "folder /etc/dropbear",
      "file /etc/dropbear/dropbear_ed25519_host_key",
    ]);
  });

  it("starts the service, or leaves it to a socket that is waiting already", () => {
    const started = (units: SystemAbilities["units"]) =>
      planSsh({ enabled: true, ownHostKeys: false }, abilitiesOf({ ssh: openssh, units }), [])
        .filter(({ kind }) => kind === "link")
        .map(({ path }) => path);
    const links = ["/etc/systemd/system/sockets.target.wants/ssh.socket"];
    assert.deepEqual(started({ "ssh.service": service, "ssh.socket": socket }), [
      "/etc/systemd/system/multi-user.target.wants/ssh.service",
    ]);
    assert.deepEqual(started({ "ssh.service": service, "ssh.socket": { ...socket, links } }), links);
  });

  it("stops both, and what turns it on by a file in the firmware's partition", () => {
    const units = {
      "ssh.service": service,
      "ssh.socket": socket,
      "sshswitch.service": { ...service, path: "/lib/systemd/system/sshswitch.service" },
    };
    const removed = planSsh({ enabled: false, ownHostKeys: false }, abilitiesOf({ ssh: openssh, units }), []).filter(
      ({ kind, path }) => kind === "remove" && path.includes(".wants/"),
    );
    assert.deepEqual(
      removed.map(({ path }) => path.replace(/^.*\//, "")),
      ["ssh.service", "ssh.socket", "sshswitch.service"],
    );
  });

  for (const [what, ssh, other, message] of [
    ["no server", { enabled: true }, {}, /the image has no SSH server/],
    [
      "dropbear's passwords",
      { passwordAuthentication: false },
      { ssh: { server: "dropbear", dropIns: false } },
      /told that by an option of its start script/,
    ],
    [
      "a key that dropbear does not know",
      { hostKeys: [hostKey] },
      { ssh: { server: "dropbear", dropIns: false, algorithms: ["ssh-rsa"] } },
      /ssh\.hostKeys\[0\]: the image's dropbear knows no ssh-ed25519 keys/,
    ],
    ["no unit", { enabled: true }, { ssh: openssh }, /the image has none of ssh\.service/],
    ["busybox's init", { enabled: false }, { ssh: openssh, init: "busybox" }, /starts what is in \/etc\/init\.d/],
  ] as const)
    it(`refuses ${what}`, () => assert.match(judgeSsh(ssh, abilitiesOf(other)).join(), message));
});

describe("includesDropIns", () => {
  for (const [text, expected] of [
    ["# x\n\nInclude /etc/ssh/sshd_config.d/*.conf\nPort 22\n", true],
    ['include "/etc/ssh/sshd_config.d/*.conf"\n', true],
    ["Port 22\nInclude /etc/ssh/sshd_config.d/*.conf\n", false],
    ["Include /etc/ssh/other.conf\n", false],
    ["#Include /etc/ssh/sshd_config.d/*.conf\n", false],
    ["", false],
  ] as const)
    it(`is ${expected} of ${JSON.stringify(text)}`, () => assert.equal(includesDropIns(text), expected));
});
