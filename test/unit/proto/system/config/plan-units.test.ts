import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseInstall } from "../../../../../proto/system/config/parse-install.ts";
import { planUnit, unitsWith, whyNotUnit } from "../../../../../proto/system/config/plan-units.ts";
import type { UnitConfig } from "../../../../../proto/system/system-config.ts";
import { abilitiesOf } from "./some-abilities.ts";

const lib = "/lib/systemd/system";
const etc = "/etc/systemd/system";
const units = {
  "ssh.service": {
    path: `${lib}/ssh.service`,
    wantedBy: ["multi-user.target"],
    aliases: ["sshd.service"],
    links: [`${etc}/by-hand.wants/ssh.service`],
  },
  "getty@.service": {
    path: `${lib}/getty@.service`,
    wantedBy: ["getty.target"],
    links: [`${etc}/getty.target.wants/getty@tty2.service`],
  },
  "static.service": { path: `${lib}/static.service` },
  "own.service": { path: `${etc}/own.service`, wantedBy: ["multi-user.target"] },
  "masked.service": { path: `${lib}/masked.service`, requiredBy: ["boot.target"], masked: true },
  "a.service": { path: `${lib}/a.service`, also: ["b.socket"] },
  "b.socket": { path: `${lib}/b.socket`, wantedBy: ["sockets.target"], also: ["a.service"] },
};

function planned(name: string, state: UnitConfig["state"], init: "systemd" | "openrc" | "sysvinit" = "systemd") {
  const services = {
    "sshd.service": { path: "/etc/init.d/sshd" },
    "cron.service": { path: "/etc/init.d/cron", links: ["/etc/runlevels/boot/cron"] },
  };
  const abilities = abilitiesOf({ init, units: init === "systemd" ? units : services });
  return planUnit(name, state, abilities, abilities.units).map((edit) =>
    edit.kind === "link" ? `${edit.path} -> ${edit.target}` : `${edit.kind} ${edit.path}`,
  );
}

describe("planUnit", () => {
  for (const [name, state, expected] of [
    [
      "ssh.service",
      "enabled",
      [`${etc}/multi-user.target.wants/ssh.service -> ${lib}/ssh.service`, `${etc}/sshd.service -> ${lib}/ssh.service`],
    ],
    [
      "ssh.service",
      "disabled",
      [
        `remove ${etc}/multi-user.target.wants/ssh.service`,
        `remove ${etc}/sshd.service`,
        `remove ${etc}/by-hand.wants/ssh.service`,
      ],
    ],
    ["static.service", "masked", [`${etc}/static.service -> /dev/null`]],
    [
      "masked.service",
      "enabled",
      [`remove ${etc}/masked.service`, `${etc}/boot.target.requires/masked.service -> ${lib}/masked.service`],
    ],
    ["getty@tty1.service", "enabled", [`${etc}/getty.target.wants/getty@tty1.service -> ${lib}/getty@.service`]],
    ["getty@tty2.service", "disabled", [`remove ${etc}/getty.target.wants/getty@tty2.service`]],
    ["a.service", "enabled", [`${etc}/sockets.target.wants/b.socket -> ${lib}/b.socket`]],
  ] as const)
    it(`has systemd see ${name} as ${state}`, () => assert.deepEqual(planned(name, state), expected));

  it("makes and removes links of OpenRC's and System V's runlevels", () => {
    assert.deepEqual(planned("sshd.service", "enabled", "openrc"), ["/etc/runlevels/default/sshd -> /etc/init.d/sshd"]);
    assert.deepEqual(planned("cron.service", "enabled", "openrc"), []);
    assert.deepEqual(planned("cron.service", "disabled", "openrc"), ["remove /etc/runlevels/boot/cron"]);
    assert.deepEqual(
      planned("sshd.service", "enabled", "sysvinit"),
      [2, 3, 4, 5].map((level) => `/etc/rc${level}.d/S20sshd -> ../init.d/sshd`),
    );
  });

  it("knows units that the config itself brings along", () => {
    const bytes = Buffer.from("[Install]\nWantedBy=multi-user.target\n");
    const all = unitsWith(
      { files: [{ path: `${etc}/mine.service`, content: { kind: "file", bytes } }] },
      abilitiesOf(),
    );
    assert.deepEqual(
      planUnit("mine.service", "enabled", abilitiesOf(), all).map(({ path }) => path),
      [`${etc}/multi-user.target.wants/mine.service`],
    );
  });
});

describe("whyNotUnit", () => {
  for (const [name, state, init, message] of [
    ["missing.service", "disabled", "systemd", /the image has no missing\.service/],
    ["static.service", "enabled", "systemd", /has no \[Install\] section/],
    ["own.service", "masked", "systemd", /its file lies where the mask would be/],
    ["getty@.service", "enabled", "systemd", /name an instance/],
    ["ssh.service", "masked", "openrc", /only systemd can mask/],
    ["ssh.service", "enabled", "busybox", /knows no services/],
    ["constructor", "enabled", "systemd", /the image has no constructor/],
  ] as const)
    it(`refuses that ${name} be ${state} by ${init}`, () => {
      const abilities = abilitiesOf({ init, units });
      assert.match(whyNotUnit(name, state, abilities, units) ?? "", message);
      assert.deepEqual(planUnit(name, state, abilities, units), []);
    });
});

describe("parseInstall", () => {
  it("reads the section, continued lines, and forgets by an empty value", () => {
    const text =
      "[Unit]\nWantedBy=no.target\n[Install]\nWantedBy=a.target b.target\\\n c.target\nRequiredBy=x.target\nRequiredBy=\nAlias=d.service\nAlso=e.socket ../f.service %i.service\n";
    assert.deepEqual(parseInstall(text), {
      wantedBy: ["a.target", "b.target", "c.target"],
      requiredBy: [],
      aliases: ["d.service"],
      also: ["e.socket"],
    });
  });
});
