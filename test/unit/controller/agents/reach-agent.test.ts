import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { AgentError, isSilence } from "../../../../controller/agents/agent-error.ts";
import { type ExpectedAgent, isExpectedAgent } from "../../../../controller/agents/agent-instance.ts";
import type { AgentConnector, AgentPort, AgentReport } from "../../../../controller/agents/agent-port.ts";
import { type ReachableNode, reachAgentOf, withAgentOf } from "../../../../controller/agents/reach-agent.ts";
import { Failure } from "../../../../proto/failure.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";
import type { AgentInfo } from "../../../../proto/node/agent-info.ts";
import type { NodeFacts } from "../../../../proto/node/node-facts.ts";

const reportOf = (bootId: string, instanceId: string, role: AgentInfo["role"] = "netboot"): AgentReport => ({
  facts: { bootId } as NodeFacts,
  agent: { version: "1", role, instanceId, port: 7710 },
});
const registered = reportOf("boot-1", "run-1");
const id = "b8:27:eb:00:00:01" as NodeId;
const node: ReachableNode = { id, name: "node-1", address: "10.0.0.1", ...registered };

describe("the agent that is meant", () => {
  const meant: readonly [what: string, found: AgentReport, expected: ExpectedAgent, is: boolean][] = [
    ["the same run", registered, { bootId: "boot-1", instanceId: "run-1" }, true],
    ["another run", reportOf("boot-1", "run-2"), { bootId: "boot-1", instanceId: "run-1" }, false],
    ["another run, where any will do", reportOf("boot-1", "run-2"), { bootId: "boot-1" }, true],
    ["another boot", reportOf("boot-2", "run-2"), { bootId: "boot-1" }, false],
    ["another role", reportOf("boot-1", "run-1", "resident"), { bootId: "boot-1", role: "netboot" }, false],
    ["the same role", registered, { bootId: "boot-1", role: "netboot" }, true],
  ];
  for (const [what, found, expected, is] of meant)
    it(`${is ? "is" : "is not"} ${what}`, () => assert.equal(isExpectedAgent(found, expected), is));
});

describe("a connection to a node's agent", () => {
  function answering(report: () => Promise<AgentReport>): { readonly agents: AgentConnector; closed(): number } {
    let closed = 0;
    const close = (): void => {
      closed += 1;
    };
    return { agents: { connect: () => ({ getNode: report, close }) as AgentPort }, closed: () => closed };
  }

  it("is lent with what the agent says of itself, and closed after", async () => {
    const { agents, closed } = answering(async () => registered);
    assert.equal(await withAgentOf(node, agents, async (_agent, { facts }) => facts.bootId), "boot-1");
    assert.equal(closed(), 1);
  });

  it("is to the run that registered, unless the caller says otherwise", async () => {
    const { agents, closed } = answering(async () => reportOf("boot-1", "run-2"));
    await assert.rejects(reachAgentOf(node, agents), (error: AgentError) => {
      assert.ok(isSilence(error));
      assert.match(
        error.message,
        /at 10\.0\.0\.1 is not the one that registered as node-1.*wait until node-1 is online/,
      );
      return true;
    });
    assert.equal(closed(), 1);
    const { port } = await reachAgentOf(node, agents, { expected: { bootId: "boot-1" } });
    port.close();
    await assert.rejects(reachAgentOf(node, agents, { expected: { bootId: "boot-2" } }), isSilence);
  });

  it("is closed when nobody answers or its use fails", async () => {
    const silent = answering(async () => {
      throw new AgentError("timed-out", new Failure("node-silent", "no answer"), undefined);
    });
    await assert.rejects(reachAgentOf(node, silent.agents), isSilence);
    assert.equal(silent.closed(), 1);
    const { agents, closed } = answering(async () => registered);
    await assert.rejects(
      withAgentOf(node, agents, () => Promise.reject(new Error("broken"))),
      /broken/,
    );
    assert.equal(closed(), 1);
  });

  it("is not tried before an agent has registered", async () => {
    const agents: AgentConnector = { connect: () => assert.fail("connected") };
    const { address: _, ...unaddressed } = node;
    for (const unknown of [{ id, name: "node-1" }, unaddressed, { id, name: "node-1", address: "10.0.0.1" }])
      await assert.rejects(reachAgentOf(unknown, agents), /no agent on node-1 has registered yet; power it on/);
  });
});
