// What is tested of EnrollmentService.
import assert from "node:assert/strict";
import { credentials } from "@grpc/grpc-js";
import { EnrollmentServiceClient } from "../../../proto/gen/pallet/v1/enrollment.ts";
import { AgentRole } from "../../../proto/gen/pallet/v1/node.ts";
import { answer } from "../calls.ts";
import { startController } from "../processes.ts";
import type { Refusal, ServiceChecks } from "./checks.ts";
import { aNode, deadPort, madeUpRegistration, type World } from "./world.ts";

type Registration = ReturnType<typeof madeUpRegistration>;

const malformed: readonly (readonly [when: string, says: RegExp, spoil: (request: Registration) => unknown])[] = [
  ["no MAC address is given", /boot_mac is empty/, (request) => Object.assign(request, { bootMac: "" })],
  ["the MAC address is none", /boot_mac/, (request) => Object.assign(request, { bootMac: "eth0" })],
  [
    "boot_mac is none of the node's",
    /not one of this node's own/,
    (request) => (request.bootMac = "02:00:00:00:00:0f"),
  ],
  ["no facts are given", /facts/, (request) => Object.assign(request, { facts: undefined })],
  ["no boot id is given", /boot_id/, ({ facts }) => Object.assign(facts ?? {}, { bootId: "" })],
  ["the agent does not say what it is", /agent/, (request) => Object.assign(request, { agent: undefined })],
  ["no instance id is given", /instance_id/, ({ agent }) => Object.assign(agent ?? {}, { instanceId: "" })],
  ["no port is given", /port/, ({ agent }) => Object.assign(agent ?? {}, { port: 0 })],
  ["the port is none", /port/, ({ agent }) => Object.assign(agent ?? {}, { port: 65_536 })],
  [
    "it says more of the node than any board has to say",
    /16384/,
    ({ facts }) =>
      Object.assign(facts ?? {}, {
        interfaces: Array.from({ length: 16 }, () => ({
          ...{ name: "x".repeat(64), mac: facts?.interfaces[0]?.mac, currentMac: "" },
          addresses: Array.from({ length: 16 }, () => "é".repeat(64)),
        })),
        kernels: { modules: [], kernels: Array.from({ length: 64 }, () => "é".repeat(64)) },
        model: "é".repeat(256),
        kernel: "é".repeat(256),
        hostname: "é".repeat(256),
        cpuModel: "é".repeat(256),
      }),
  ],
  [
    "it is larger than any board's can be",
    /bytes; send at most 131072/,
    ({ facts }) => Object.assign(facts ?? {}, { model: "x".repeat(200_000) }),
  ],
  ["no role is given", /role/, ({ agent }) => Object.assign(agent ?? {}, { role: AgentRole.AGENT_ROLE_UNSPECIFIED })],
];

/** Tests of Register and Heartbeat. */
export const enrollmentChecks: ServiceChecks = {
  Register: {
    success: {
      "makes the node known and online at the address that the call came from": async (world) => {
        const { enrollment, controller } = world;
        const request = madeUpRegistration(deadPort);
        const { name, heartbeatInterval } = await answer(enrollment, enrollment.register, request);
        assert.ok((heartbeatInterval?.seconds ?? 0n) > 0n);
        const { node } = await answer(controller, controller.getNode, { node: request.bootMac });
        assert.equal(node?.name, name);
        assert.equal(node?.address, "127.0.0.1");
        assert.equal(node?.online, true);
        assert.equal(node?.accepted, false);
        assert.deepEqual(node?.agent, request.agent);
        assert.equal(node?.facts?.bootId, request.facts?.bootId);
        const again = await answer(enrollment, enrollment.register, request);
        assert.equal(again.name, name);
      },
      "is what a real agent does by itself": async ({ agentNode, agent }) => {
        const { agent: info, facts } = await answer(agent.client, agent.client.getNode, {});
        // Stamps on the cards of other tests' boards, which this machine has too, come and go.
        assert.deepEqual({ ...agentNode.agent, found: [] }, { ...info, found: [] });
        assert.equal(agentNode.facts?.bootId, facts?.bootId);
      },
    },
    errors: {
      INVALID_ARGUMENT: malformed.map(
        ([when, says, spoil]): Refusal => ({
          when,
          reason: "FAILURE_REASON_INVALID",
          says,
          async call({ enrollment }: World) {
            const request = madeUpRegistration(deadPort);
            spoil(request);
            return answer(enrollment, enrollment.register, request);
          },
        }),
      ),
      FAILED_PRECONDITION: [
        {
          when: "another agent that answers is known by the MAC address",
          reason: "FAILURE_REASON_OTHER_AGENT",
          says: /two boards, or a clone|a second agent.* on the same boot/,
          async call({ enrollment, agentNode: { nodeId } }) {
            const request = madeUpRegistration(deadPort);
            const [own] = request.facts?.interfaces ?? [];
            if (own !== undefined) own.mac = nodeId;
            return answer(enrollment, enrollment.register, { ...request, bootMac: nodeId });
          },
        },
      ],
      RESOURCE_EXHAUSTED: [
        {
          when: "the node is new and 5000 are known already",
          reason: "FAILURE_REASON_INVALID",
          says: /5000 nodes are already known; forget/,
          async call(_world, test) {
            const full = await startController({ knownNodes: 5000, settings: { insecure: true } });
            test.after(full.kill);
            const enrollment = new EnrollmentServiceClient(full.address, credentials.createInsecure());
            test.after(() => enrollment.close());
            return answer(enrollment, enrollment.register, madeUpRegistration(deadPort));
          },
        },
      ],
    },
  },

  Heartbeat: {
    success: {
      "keeps the node online and tells its temperature": async (world) => {
        const { enrollment, controller } = world;
        const { mac, instanceId } = await aNode(world);
        const request = { bootMac: mac, instanceId, temperatureCelsius: 48.5 };
        const { heartbeatInterval } = await answer(enrollment, enrollment.heartbeat, request);
        assert.ok((heartbeatInterval?.seconds ?? 0n) > 0n);
        const { node } = await answer(controller, controller.getNode, { node: mac });
        assert.equal(node?.facts?.temperatureCelsius, 48.5);
        await answer(enrollment, enrollment.heartbeat, { ...request, temperatureCelsius: undefined });
        const cooler = await answer(controller, controller.getNode, { node: mac });
        assert.equal(cooler.node?.facts?.temperatureCelsius, undefined);
      },
    },
    errors: {
      NOT_FOUND: [
        {
          when: "the node is not known",
          reason: "FAILURE_REASON_INVALID",
          says: /register/,
          call: ({ enrollment }) =>
            answer(enrollment, enrollment.heartbeat, {
              bootMac: "02:00:00:00:00:0e",
              instanceId: "any",
              temperatureCelsius: undefined,
            }),
        },
        {
          when: "another instance of the agent has registered",
          reason: "FAILURE_REASON_INVALID",
          says: /register/,
          async call(world) {
            const { mac } = await aNode(world);
            const { enrollment } = world;
            const request = { bootMac: mac, instanceId: "the-one-before", temperatureCelsius: undefined };
            return answer(enrollment, enrollment.heartbeat, request);
          },
        },
      ],
      INVALID_ARGUMENT: [
        {
          when: "the MAC address is malformed",
          reason: "FAILURE_REASON_INVALID",
          says: /boot_mac/,
          call: ({ enrollment }) =>
            answer(enrollment, enrollment.heartbeat, {
              bootMac: "b8:27:eb",
              instanceId: "any",
              temperatureCelsius: undefined,
            }),
        },
      ],
    },
  },
};
