// Every method of every service, at every door of programs that run with default settings, which is on loopback, by
// root and by another user of the machine. Doors on a network: test/rack/doors.test.ts.
import assert from "node:assert/strict";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { execa } from "execa";
import { bundledPrograms } from "../programs/bundled-programs.ts";
import { withoutPallet } from "../programs/without-pallet.ts";
import { requires } from "../requirements.ts";
import { assertOpening, knockProgram, type openings } from "./doors.ts";
import { type AgentProgram, type ControllerProgram, startAgent, startController } from "./processes.ts";

const nobody = 65_534;

describe("doors on loopback", requires("root"), () => {
  let controller: ControllerProgram;
  let openController: ControllerProgram;
  let agent: AgentProgram;
  let alone: AgentProgram;
  let openAgent: AgentProgram;
  /** What each caller was told at each door. */
  const told = new Map<string, string>();
  before(async () => {
    controller = await startController();
    [openController, agent, alone, openAgent] = await Promise.all([
      startController({ settings: { insecure: true } }),
      startAgent(["--controller", controller.address]),
      startAgent(),
      startAgent(["--insecure"]),
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
    ["the controller's TCP port", () => controller.address, 0, "a word about TLS"],
    ["the controller's TCP port", () => controller.address, nobody, "a word about TLS"],
    ["the TCP port of a controller with insecure", () => openController.address, nobody, "all of the controller"],
    ["the unix socket of a controller with insecure", () => `unix:${openController.socket}`, nobody, "nothing"],
    ["the TCP port of an agent of a controller", () => agent.address, 0, "nothing"],
    ["the TCP port of an agent of a controller", () => agent.address, nobody, "nothing"],
    ["the unix socket of an agent of a controller", () => `unix:${agent.socket}`, 0, "all of the agent"],
    ["the unix socket of an agent of a controller", () => `unix:${agent.socket}`, nobody, "nothing"],
    ["the unix socket of an agent without a controller", () => `unix:${alone.socket}`, 0, "all of the agent"],
    ["the unix socket of an agent without a controller", () => `unix:${alone.socket}`, nobody, "nothing"],
    ["the TCP port of an agent with --insecure", () => openAgent.address, nobody, "all of the agent"],
    ["the unix socket of an agent with --insecure", () => `unix:${openAgent.socket}`, nobody, "nothing"],
  ];
  for (const [door, target, caller, opening] of table) {
    it(`${door} is open to ${caller === 0 ? "root" : "another user"} for ${opening}`, () =>
      assertOpening(told.get(`${caller} at ${target()}`) ?? "", opening));
  }

  it("at the TCP port, the command line says where to go instead", async () => {
    const args = [(await bundledPrograms()).controller, "nodes", "--server", controller.address];
    const options = { reject: false, extendEnv: false, env: withoutPallet(process.env) } as const;
    const { exitCode, stderr } = await execa(process.execPath, args, options);
    assert.notEqual(exitCode, 0);
    assert.match(stderr, /asks operators for a certificate: give --bundle FILE.*or run this on the management machine/);
  });

  it("are said to be open aloud at the start", () => {
    assert.match(
      openController.log.text(),
      /"level":40.*INSECURE: there is no TLS.*anyone who can reach TCP 127\.0\.0\.1:\d+/,
    );
    assert.match(openAgent.log.text(), /"level":40.*INSECURE: TCP port \d+ takes orders/);
    assert.doesNotMatch(controller.log.text() + agent.log.text(), /INSECURE/);
  });
});
