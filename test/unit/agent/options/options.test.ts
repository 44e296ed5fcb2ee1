import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type AgentFlags, type AgentOptions, resolveOptions } from "../../../../agent/options/options.ts";
import { Failure } from "../../../../proto/failure.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";
import type { KeptSettings } from "../../../../proto/system/resident-settings.ts";

const defaults: AgentFlags = { port: "7710", role: "netboot", installedFile: "/etc/pallet/installed.json" };
const resolved: AgentOptions = {
  controllers: [],
  bootedByController: false,
  listen: "127.0.0.1",
  port: 7710,
  insecure: false,
  socket: "/run/pallet/agent.sock",
  identityFile: "/run/pallet/identity/agent.pem",
  role: "netboot",
  installedFile: "/etc/pallet/installed.json",
  settingsFile: "/etc/pallet/agent.json",
  tasksRoot: "/",
};
const words = "quiet pallet.controller=10.77.0.1:7700 pallet.node=B8-27-EB-00-00-01";

const fingerprint = Buffer.alloc(32, 7).toString("base64url");
const node = "b8:27:eb:00:00:02" as NodeId;
const kept: KeptSettings = {
  node,
  controllers: [
    { host: "10.88.0.1", port: 7700 },
    { host: "controller.lan", port: 7701 },
  ],
};

const table: {
  title: string;
  flags?: Partial<AgentFlags>;
  line?: string;
  settings?: KeptSettings;
  expected: Partial<AgentOptions>;
}[] = [
  { title: "serves alone, on loopback", expected: {} },
  {
    title: "obeys the kernel command line, and then listens to the network",
    line: words,
    expected: {
      controllers: [{ host: "10.77.0.1", port: 7700 }],
      bootedByController: true,
      bootMac: "b8:27:eb:00:00:01" as NodeId,
      listen: "0.0.0.0",
    },
  },
  {
    title: "prefers flags to kernel words",
    flags: { controller: "controller.lan", node: "02:00:00:00:00:01", listen: "::1" },
    line: words,
    expected: {
      controllers: [{ host: "controller.lan", port: 7700 }],
      bootedByController: true,
      bootMac: "02:00:00:00:00:01" as NodeId,
      listen: "::1",
    },
  },
  {
    title: "stays on loopback when only a flag names the controller",
    flags: { controller: "10.0.0.1:1" },
    expected: { controllers: [{ host: "10.0.0.1", port: 1 }] },
  },
  {
    title: "takes an IPv6 controller in brackets",
    flags: { controller: "[fd00::1]:99" },
    expected: { controllers: [{ host: "fd00::1", port: 99 }] },
  },
  {
    title: "takes several addresses of one controller, in their order",
    flags: { controller: "10.0.0.1, [fd00::1]:99,controller.lan:1" },
    expected: {
      controllers: [
        { host: "10.0.0.1", port: 7700 },
        { host: "fd00::1", port: 99 },
        { host: "controller.lan", port: 1 },
      ],
    },
  },
  {
    title:
      "obeys the settings of the installed system, and then listens to the network, when there are no kernel words",
    flags: { role: "resident" },
    settings: kept,
    expected: { role: "resident", controllers: kept.controllers, installedOn: node, listen: "0.0.0.0" },
  },
  {
    title: "takes the kernel's words instead of the settings, and adds none of these to them",
    flags: { role: "resident" },
    line: words,
    settings: kept,
    expected: {
      role: "resident",
      controllers: [{ host: "10.77.0.1", port: 7700 }],
      bootedByController: true,
      bootMac: "b8:27:eb:00:00:01" as NodeId,
      installedOn: node,
      listen: "0.0.0.0",
    },
  },
  {
    title: "takes settings that do not name a node",
    flags: { role: "resident" },
    settings: { controllers: kept.controllers },
    expected: { role: "resident", controllers: kept.controllers, listen: "0.0.0.0" },
  },
  { title: "ignores settings unless it is resident", settings: kept, expected: {} },
  { title: "goes without certificates by a flag", flags: { insecure: true }, expected: { insecure: true } },
  { title: "goes without them by a kernel word", line: "quiet pallet.insecure", expected: { insecure: true } },
  { title: "does not by a kernel word that says so", line: "pallet.insecure=false", expected: {} },
  {
    title: "takes authority and token from the kernel command line",
    line: `${words} pallet.ca=${fingerprint} pallet.token=t0ken`,
    expected: {
      controllers: [{ host: "10.77.0.1", port: 7700 }],
      bootedByController: true,
      bootMac: "b8:27:eb:00:00:01" as NodeId,
      listen: "0.0.0.0",
      authority: fingerprint,
      token: "t0ken",
    },
  },
  {
    title: "takes them, and where they are kept, from flags before that",
    line: `pallet.ca=${"x".repeat(43)} pallet.token=late`,
    flags: { caFingerprint: fingerprint, token: "t", identityFile: "/tmp/i.pem", socket: "/tmp/a.sock" },
    expected: { authority: fingerprint, token: "t", identityFile: "/tmp/i.pem", socket: "/tmp/a.sock" },
  },
  {
    title: "splits the reboot command into words",
    flags: { rebootCommand: " busybox  reboot -f ", role: "resident", port: "0" },
    expected: { rebootCommand: ["busybox", "reboot", "-f"], role: "resident", port: 0 },
  },
];

describe("resolveOptions", () => {
  for (const { title, flags, line = "quiet", settings, expected } of table) {
    it(title, () => {
      const options = resolveOptions({ ...defaults, ...flags }, line, settings);
      const kept = expected.role === "resident" && { identityFile: "/etc/pallet/identity/agent.pem" };
      assert.deepEqual(options, { ...resolved, ...kept, ...expected });
      assert.ok(Object.isFrozen(options));
    });
  }

  it("reports every problem at once, and where it comes from", () => {
    assert.throws(
      () =>
        resolveOptions(
          { ...defaults, listen: "localhost", port: "70000", role: "boss", controller: "a:b:c", rebootCommand: " " },
          "pallet.node=zz pallet.ca=short pallet.insecure-tcp",
        ),
      (error: unknown) => {
        assert.ok(error instanceof Failure);
        assert.equal(error.reason, "invalid");
        for (const part of [
          '--listen "localhost" is not an IP address',
          '--port "70000" is not a port',
          '--role "boss" is neither',
          '--controller "a:b:c" is not HOST:PORT',
          '--reboot-command " " does not name a program',
          'kernel command-line word pallet.node "zz" is not a MAC address',
          'kernel command-line word pallet.ca "short" is not a fingerprint',
          "pallet.insecure-tcp is no longer known",
          "say pallet.insecure instead",
        ]) {
          assert.ok(error.message.includes(part), `${part}\nis not in\n${error.message}`);
        }
        return true;
      },
    );
  });

  for (const controller of [
    "",
    "a,",
    "1,2,3,4,5,6,7,8,9",
    "host:0",
    "host:65536",
    "host:x",
    "[::1",
    "::1:7700",
    "a b:1",
  ]) {
    it(`refuses the controller "${controller}"`, () => {
      assert.throws(() => resolveOptions({ ...defaults, controller }, ""), /--controller/);
    });
  }
});
