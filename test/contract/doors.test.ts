// Every method of every service, at every door of programs that run with default settings, which is on loopback, by
// root and by another user of the machine. Doors on a network: test/rack/doors.test.ts.
import assert from "node:assert/strict";
import path from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { execa } from "execa";
import { checkout } from "../programs/checkout.ts";
import { withoutPallet } from "../programs/without-pallet.ts";
import { requires } from "../requirements.ts";
import { assertOpening, knockProgram, type openings } from "./doors.ts";
import { type ControllerProgram, type Program, startAgent, startController } from "./processes.ts";

const nobody = 65_534;

describe("doors on loopback", requires("root"), () => {
  let controller: ControllerProgram;
  let openController: ControllerProgram;
  let agent: Program;
  let alone: Program;
  let openAgent: Program;
  /** What each caller was told at each door. */
  const told = new Map<string, string>();
  before(async () => {
    controller = await startController();
    [openController, agent, alone, openAgent] = await Promise.all([
      startController({ settings: { insecureTcp: true } }),
      startAgent(["--controller", controller.address]),
      startAgent(),
      startAgent(["--insecure-tcp"]),
    ]);
    await Promise.all(
      [0, nobody].map(async (caller) => {
        const targets = table.filter((row) => row[2] === caller).map(([, target]) => target());
        const { stdout } = await execa(process.execPath, [knockProgram, String(caller), ...targets]);
        const lines = stdout.split("\n");
        for (const [index, target] of targets.entries()) told.set(`${caller} at ${target}`, lines[index] ?? "");
      }),
    );
  });
  after(async () => {
    for (const program of [controller, openController, agent, alone, openAgent]) await program?.kill();
  });

  const table: readonly (readonly [door: string, target: () => string, caller: number, keyof typeof openings])[] = [
    ["the controller's unix socket", () => `unix:${controller.socket}`, 0, "all of the controller"],
    ["the controller's unix socket", () => `unix:${controller.socket}`, nobody, "nothing"],
    ["the controller's TCP port", () => controller.address, 0, "enrolment alone"],
    ["the controller's TCP port", () => controller.address, nobody, "enrolment alone"],
    ["the TCP port of a controller with insecureTcp", () => openController.address, nobody, "all of the controller"],
    ["the unix socket of a controller with insecureTcp", () => `unix:${openController.socket}`, nobody, "nothing"],
    ["an agent of a controller on loopback", () => agent.address, 0, "all of the agent"],
    ["an agent of a controller on loopback", () => agent.address, nobody, "nothing"],
    ["an agent without a controller", () => alone.address, 0, "all of the agent"],
    ["an agent without a controller", () => alone.address, nobody, "nothing"],
    ["an agent with --insecure-tcp", () => openAgent.address, nobody, "all of the agent"],
  ];
  for (const [door, target, caller, opening] of table) {
    it(`${door} is open to ${caller === 0 ? "root" : "another user"} for ${opening}`, () =>
      assertOpening(told.get(`${caller} at ${target()}`) ?? "", opening));
  }

  it("at the TCP port, the command line says where to go instead", async () => {
    const args = [path.join(checkout, "controller/main.ts"), "nodes", "--address", controller.address];
    const options = { reject: false, extendEnv: false, env: withoutPallet(process.env) } as const;
    const { exitCode, stderr } = await execa(process.execPath, args, options);
    assert.notEqual(exitCode, 0);
    assert.match(
      stderr,
      /ControllerService only answers on the controller's unix socket: run this on the management machine/,
    );
    assert.match(stderr, /--insecure-tcp/);
  });

  it("are said to be open aloud at the start", () => {
    assert.match(openController.log.text(), /"level":40.*INSECURE: TCP 127\.0\.0\.1:\d+ accepts every call/);
    assert.match(openAgent.log.text(), /"level":40.*INSECURE: TCP port \d+ takes orders/);
    assert.doesNotMatch(controller.log.text() + agent.log.text(), /INSECURE/);
  });

  it("are shut with a word in the agent's log", async () => {
    const [line] = await alone.log.waitFor(/^.*refused a connection.*$/m);
    assert.equal((JSON.parse(line) as { uid: number }).uid, nobody);
  });
});
