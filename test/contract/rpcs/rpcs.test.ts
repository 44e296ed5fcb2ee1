// Every RPC on real running programs: success, each documented error, callers that go away.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Client, type ClientReadableStream, status } from "@grpc/grpc-js";
import { requires } from "../../requirements.ts";
import { answer, endOf, refusedWith } from "../calls.ts";
import { compileByBuf, importGenerated } from "../views.ts";
import { agentNodeChecks } from "./agent-node.ts";
import { agentOperationChecks } from "./agent-operations.ts";
import { agentStartOperationChecks } from "./agent-start-operation.ts";
import { captureImageChecks, readDiskChecks } from "./capture.ts";
import { certificateChecks } from "./certificates.ts";
import type { ServiceChecks } from "./checks.ts";
import { controllerAgentChecks } from "./controller-agents.ts";
import { controllerBackupChecks } from "./controller-backups.ts";
import { controllerEventChecks } from "./controller-events.ts";
import { controllerIdentityChecks } from "./controller-identity.ts";
import { controllerImageChecks } from "./controller-images.ts";
import { controllerNodeChecks } from "./controller-nodes.ts";
import { controllerProfileChecks } from "./controller-profiles.ts";
import { controllerRolloutChecks } from "./controller-rollouts.ts";
import { controllerRootChecks } from "./controller-roots.ts";
import { documentedStatuses, methodsOf } from "./documented-statuses.ts";
import { enrollmentChecks } from "./enrollment.ts";
import { nodeLogChecks, reportLogsChecks } from "./node-logs.ts";
import { createWorld, type World } from "./world.ts";

const checksOf: Readonly<Record<string, ServiceChecks>> = {
  "pallet.v1.AgentService": {
    ...agentNodeChecks,
    ...agentStartOperationChecks,
    ...agentOperationChecks,
    ...readDiskChecks,
  },
  "pallet.v1.EnrollmentService": { ...certificateChecks, ...enrollmentChecks, ...reportLogsChecks },
  "pallet.v1.ControllerService": {
    ...controllerNodeChecks,
    ...controllerAgentChecks,
    ...controllerImageChecks,
    ...captureImageChecks,
    ...controllerRootChecks,
    ...controllerProfileChecks,
    ...controllerRolloutChecks,
    ...controllerEventChecks,
    ...nodeLogChecks,
    ...controllerIdentityChecks,
    ...controllerBackupChecks,
  },
};

const { codecs } = await importGenerated();
const methods = methodsOf(await compileByBuf());
const nameOf = ({ parent, name }: (typeof methods)[number]) => `${parent.typeName}/${name}`;

describe("the tests of RPCs", () => {
  it("are there for exactly the methods that the contracts have", () => {
    const tested = Object.entries(checksOf).flatMap(([service, checks]) =>
      Object.keys(checks).map((method) => `${service}/${method}`),
    );
    assert.ok(methods.length > 25);
    assert.ok(methods.flatMap(documentedStatuses).length > 50, "the comments of the contracts were not read");
    assert.deepEqual(tested.toSorted(), methods.map(nameOf).toSorted());
  });

  for (const method of methods) {
    const checks = checksOf[method.parent.typeName]?.[method.name];
    it(`cover success and every documented status of ${nameOf(method)}`, () => {
      assert.ok(Object.keys(checks?.success ?? {}).length > 0);
      const tested = Object.entries(checks?.errors ?? {}).filter(([, refusals]) => refusals.length > 0);
      const names = new Set(tested.map(([name]) => name));
      assert.deepEqual(
        documentedStatuses(method).filter((name) => !names.has(name)),
        [],
      );
    });
  }
});

describe("RPCs of running programs", requires("root", "loop devices"), () => {
  let world: World;
  before(async () => {
    world = await createWorld();
  });
  after(() => world?.close());

  for (const method of methods) {
    const { success, errors = {}, abandoned = {} } = checksOf[method.parent.typeName]?.[method.name] ?? { success: {} };
    describe(nameOf(method), () => {
      for (const [title, check] of Object.entries(success)) it(title, (test) => check(world, test));
      for (const [code, refusals] of Object.entries(errors)) {
        for (const { when, reason, says, call } of refusals) {
          it(`is refused with ${code} when ${when}`, async (test) => {
            const failure = await refusedWith(call(world, test), status[code as keyof typeof status], reason);
            assert.match(failure.message, says);
          });
        }
      }
      for (const [title, check] of Object.entries(abandoned)) it(title, (test) => check(world, test));

      it("may be cancelled at once", async () => {
        await cancelAtOnce(clientOf(world, method.parent.typeName), method);
        await answer(world.controller, world.controller.getStatus, {});
        await answer(world.agent.client, world.agent.client.listOperations, {});
      });
    });
  }
});

function clientOf(world: World, service: string): Client {
  if (service === "pallet.v1.AgentService") return world.agent.client;
  return service === "pallet.v1.EnrollmentService" ? world.enrollment : world.controller;
}

/** Calls with an empty request, which does nothing, and cancels before the answer can be there. */
async function cancelAtOnce(client: Client, method: (typeof methods)[number]): Promise<void> {
  type AnyMethod = (...args: unknown[]) => ClientReadableStream<unknown>;
  const generated = (client as unknown as Record<string, AnyMethod>)[method.localName];
  assert.ok(generated, `the client has no ${method.localName}`);
  const request = codecs.get(method.input.typeName)?.decode(new Uint8Array());
  if (method.methodKind === "unary") {
    const code = await new Promise((resolve) => {
      const call = generated.call(client, request, (error: { code: number } | null) => resolve(error?.code));
      call.cancel();
    });
    assert.equal(code, status.CANCELLED);
  } else {
    const stream = method.methodKind === "server_streaming" ? generated.call(client, request) : generated.call(client);
    const end = endOf(stream);
    stream.cancel();
    assert.equal(await end, status.CANCELLED);
  }
}
