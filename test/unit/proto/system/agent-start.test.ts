import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { chooseInitSystem, describeInit, type InitTraces } from "../../../../proto/system/choose-init-system.ts";
import { addAgentToInittab } from "../../../../proto/system/inittab.ts";
import { planAgentStart } from "../../../../proto/system/plan-agent-start.ts";
import { renderAgentUnit } from "../../../../proto/system/render-agent-unit.ts";
import { renderTasksPathUnit, renderTasksUnit } from "../../../../proto/system/render-tasks-units.ts";

const systemd = "/usr/lib/systemd/systemd";

describe("the init system", () => {
  const cases: readonly (readonly [name: string, InitTraces, string])[] = [
    ["Debian", { init: systemd, systemd, inittab: undefined }, "systemd"],
    ["Debian with an old inittab", { init: systemd, systemd, inittab: "" }, "systemd"],
    ["Debian before /usr was merged", { init: "/lib/systemd/systemd", systemd: undefined, inittab: "" }, "systemd"],
    ["Alpine", { init: "/bin/busybox", systemd: undefined, inittab: "" }, "busybox"],
    ["a static busybox", { init: "/usr/bin/busybox-static", systemd: undefined, inittab: "" }, "busybox"],
    ["busybox beside an unused systemd", { init: "/usr/bin/busybox", systemd, inittab: "" }, "busybox"],
    ["Devuan", { init: "/usr/sbin/init", systemd: undefined, inittab: "" }, "sysvinit"],
    ["systemd without its /sbin/init", { init: undefined, systemd, inittab: undefined }, "systemd"],
  ];
  for (const [name, traces, expected] of cases)
    it(`of ${name} is ${expected}`, () => assert.equal(chooseInitSystem(traces), expected));

  for (const [init, inittab] of [
    [undefined, undefined],
    [undefined, ""],
    ["/bin/busybox", undefined],
    ["/usr/sbin/init", undefined],
    ["/usr/bin/openrc-init", ""],
    ["/usr/sbin/runit-init", undefined],
    ["/nix/store/abc-stage-2-init.sh", undefined],
  ] as const) {
    const traces = { init, systemd: undefined, inittab };
    it(`is not known for ${init ?? "no init"}${inittab === undefined ? "" : " with /etc/inittab"}`, () => {
      assert.equal(chooseInitSystem(traces), undefined);
      assert.ok(describeInit(traces).found.includes(init ?? "no /sbin/init"));
    });
  }
});

describe("an inittab that gets the agent's line", () => {
  const command = "/usr/lib/pallet/agent --role resident";
  const debian = "# sysvinit\nid:2:initdefault:\n1:2345:respawn:/sbin/getty 38400 tty1\n";
  for (const [title, system, before, after] of [
    ["of busybox", "busybox", "::sysinit:/x\n", `::sysinit:/x\n::respawn:${command}\n`],
    ["of System V", "sysvinit", debian, `${debian}plt:2345:respawn:${command}\n`],
    [
      "with empty lines at its end",
      "sysvinit",
      "id:2:initdefault:\n\n",
      `id:2:initdefault:\nplt:2345:respawn:${command}\n`,
    ],
    ["without a final line break", "busybox", "::sysinit:/x", `::sysinit:/x\n::respawn:${command}\n`],
    ["that is empty", "busybox", "", `::respawn:${command}\n`],
    [
      "with an earlier line for the agent",
      "busybox",
      "# a\n::respawn:/usr/lib/pallet/agent --role resident --port 1\n::shutdown:/y\n",
      `# a\n::shutdown:/y\n::respawn:${command}\n`,
    ],
    [
      "with a line for the agent in the other role, whose id System V would take for its own",
      "sysvinit",
      `${debian}plt:2345:respawn:/usr/bin/pallet-agent\n`,
      `${debian}plt:2345:respawn:${command}\n`,
    ],
    [
      "with a comment and another program of a similar name, which stay",
      "busybox",
      "# x:y:z:/usr/lib/pallet/agent\n::respawn:/usr/lib/pallet/agent-x\n",
      `# x:y:z:/usr/lib/pallet/agent\n::respawn:/usr/lib/pallet/agent-x\n::respawn:${command}\n`,
    ],
  ] as const) {
    it(`${title}, has it once`, () => {
      assert.equal(addAgentToInittab(before, system, "resident"), after);
      assert.equal(addAgentToInittab(after, system, "resident"), after);
    });
  }

  it("starts the netbooted agent without a role", () => {
    assert.equal(addAgentToInittab("", "busybox", "netboot"), "::respawn:/usr/bin/pallet-agent\n");
    assert.equal(addAgentToInittab("", "sysvinit", "netboot"), "plt:2345:respawn:/usr/bin/pallet-agent\n");
  });
});

describe("the agent's unit", () => {
  const common = ["Restart=always", "RestartSec=1", "StartLimitIntervalSec=0", "PrivateMounts=yes"];
  const network = ["After=network-online.target", "WantedBy=multi-user.target"];
  for (const [role, own, foreign] of [
    ["netboot", ["ExecStart=/usr/bin/pallet-agent", "StandardOutput=journal+console"], "DevicePolicy=closed"],
    [
      "resident",
      ["ExecStart=/usr/lib/pallet/agent --role resident", "DevicePolicy=closed", "DeviceAllow=block-* r"],
      "StandardOutput=journal+console",
    ],
  ] as const) {
    const lines = renderAgentUnit(role).split("\n");
    for (const line of [...common, ...network, ...own])
      it(`of the role ${role} says ${line}`, () => assert.ok(lines.includes(line)));
    it(`of the role ${role} does not say ${foreign}`, () => assert.ok(!lines.includes(foreign)));
  }
});

describe("the units of a system's tasks", () => {
  it("run them outside of the agent's sandbox, once there is a network, and only where there are some", () => {
    const lines = renderTasksUnit().split("\n");
    for (const line of [
      "ExecStart=/usr/lib/pallet/agent run-tasks",
      "ConditionPathExists=/etc/pallet/tasks.json",
      "After=network-online.target",
      // The runner ends its task in its own order; what is left is killed.
      "KillMode=mixed",
      "WantedBy=multi-user.target",
    ])
      assert.ok(lines.includes(line), line);
    assert.doesNotMatch(renderTasksUnit(), /Type=oneshot|CapabilityBoundingSet|Protect/);
  });

  it("start them again for a file in the one folder that the agent may write to", () => {
    const lines = renderTasksPathUnit().split("\n");
    for (const line of ["PathExists=/run/pallet/retry-tasks", "Unit=pallet-tasks.service"])
      assert.ok(lines.includes(line), line);
    assert.ok(renderAgentUnit("resident").includes("\nRuntimeDirectory=pallet\n"));
  });
});

describe("planAgentStart", () => {
  const traces = { init: systemd, systemd, inittab: undefined };
  const enabled = (name: string, text: string) => [
    { path: `/etc/systemd/system/${name}`, content: { text } },
    { path: `/etc/systemd/system/multi-user.target.wants/${name}`, content: { linkTo: `../${name}` } },
  ];
  const unit = (role: "netboot" | "resident") => [
    ...enabled("pallet-agent.service", renderAgentUnit(role)),
    ...(role === "netboot"
      ? []
      : [
          ...enabled("pallet-tasks.service", renderTasksUnit()),
          ...enabled("pallet-tasks.path", renderTasksPathUnit()),
        ]),
  ];
  for (const role of ["netboot", "resident"] as const) {
    it(`has systemd start the agent in the role ${role}, and changes nothing else`, () => {
      assert.deepEqual(planAgentStart("systemd", role, traces), unit(role));
    });

    it(`changes nothing but the inittab elsewhere, and that once, for the role ${role}`, () => {
      const [file, ...others] = planAgentStart("busybox", role, { ...traces, inittab: "::sysinit:/x\n" });
      assert.deepEqual(others, []);
      assert.equal(file?.path, "/etc/inittab");
      assert.ok("text" in file.content);
      assert.deepEqual(planAgentStart("busybox", role, { ...traces, inittab: file.content.text }), []);
    });
  }

  it("makes the /sbin/init that our initial RAM disk starts; an installed system may be told another one", () => {
    const without = { ...traces, init: undefined };
    assert.deepEqual(planAgentStart("systemd", "netboot", without), [
      ...unit("netboot"),
      { path: "/sbin/init", content: { linkTo: systemd } },
    ]);
    assert.deepEqual(planAgentStart("systemd", "resident", without), unit("resident"));
  });
});
