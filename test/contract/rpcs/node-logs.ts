// What is tested of the logs of nodes: EnrollmentService's ReportLogs, ControllerService's StreamNodeLogs.
import assert from "node:assert/strict";
import { status } from "@grpc/grpc-js";
import type { StreamNodeLogsRequest } from "../../../proto/gen/pallet/v1/controller.ts";
import { LogLevel, LogRecord, type NodeLogRecord } from "../../../proto/gen/pallet/v1/log.ts";
import { AgentRole } from "../../../proto/gen/pallet/v1/node.ts";
import { until } from "../../until.ts";
import { answer, collect, endOf, firstOf } from "../calls.ts";
import type { Refusal, ServiceChecks } from "./checks.ts";
import { unknownNode } from "./controller-nodes.ts";
import { manyLeave } from "./leaving-callers.ts";
import { aNode, type MadeUpNode, type World } from "./world.ts";

const everything: StreamNodeLogsRequest = {
  afterId: 0n,
  follow: false,
  node: "",
  nodeIds: [] as string[],
  minLevel: LogLevel.LOG_LEVEL_UNSPECIFIED,
  limit: 0,
};

function aRecord(sequence: number, given: Partial<LogRecord> = {}): LogRecord {
  return LogRecord.fromPartial({
    sequence: BigInt(sequence),
    time: new Date(0),
    level: LogLevel.LOG_LEVEL_INFO,
    message: `message ${sequence}`,
    ...given,
  });
}

function report({ enrollment }: World, node: Pick<MadeUpNode, "mac" | "instanceId">, records: readonly LogRecord[]) {
  const request = { bootMac: node.mac, instanceId: node.instanceId, records: [...records], droppedCount: 0n };
  return answer(enrollment, enrollment.reportLogs, request);
}

async function read({ controller }: World, given: Partial<StreamNodeLogsRequest>): Promise<NodeLogRecord[]> {
  const responses = await collect(controller.streamNodeLogs({ ...everything, ...given }));
  return responses.flatMap(({ record }) => record ?? []);
}

const messages = (records: readonly NodeLogRecord[]) => records.map(({ record }) => record?.message);

const spoilt: readonly (readonly [when: string, says: RegExp, records: () => LogRecord[]])[] = [
  [
    "there are more than 1000 records",
    /1001 records.*at most 1000/,
    () => Array.from({ length: 1001 }, (_, index) => aRecord(index + 1)),
  ],
  [
    "there is more than 1 MiB of text",
    /at most 1048576/,
    () => [aRecord(1, { message: "x".repeat(1 << 19) }), aRecord(2, { error: "y".repeat((1 << 19) + 1) })],
  ],
  ["a record has no time", /records\[1\]\.time/, () => [aRecord(1), { ...aRecord(2), time: undefined }]],
  ["a record has no level", /records\[0\]\.level/, () => [aRecord(1, { level: LogLevel.LOG_LEVEL_UNSPECIFIED })]],
  ["a level does not exist", /records\[0\]\.level is 77/, () => [aRecord(1, { level: 77 as LogLevel })]],
  ["a sequence number is 0", /records\[0\]\.sequence is 0/, () => [aRecord(0)]],
  ["sequence numbers do not rise", /records\[1\]\.sequence is 2.*above.*2/, () => [aRecord(2), aRecord(2)]],
  ["fields are no JSON", /records\[0\]\.fields_json/, () => [aRecord(1, { fieldsJson: "{a:1}" })]],
  ["fields are no JSON object", /records\[0\]\.fields_json/, () => [aRecord(1, { fieldsJson: "[1]" })]],
  [
    "fields are too long",
    /records\[0\]\.fields_json has 8193 characters/,
    () => [aRecord(1, { fieldsJson: `{"a":"${"b".repeat(8185)}"}` })],
  ],
];

/** Tests of ReportLogs. */
export const reportLogsChecks: ServiceChecks = {
  ReportLogs: {
    success: {
      "makes the records readable, each once however often it comes, and tells what is missing": async (world) => {
        const node = await aNode(world);
        await report(world, node, [aRecord(1), aRecord(2)]);
        await report(world, node, [aRecord(1), aRecord(2), aRecord(3), aRecord(6)]);
        const records = await read(world, { node: node.name });
        assert.deepEqual(
          records.map(({ record, missingBefore }) => [record?.sequence, missingBefore]),
          [
            [1n, 0n],
            [2n, 0n],
            [3n, 0n],
            [6n, 2n],
          ],
        );
        for (const { nodeId, nodeName, instanceId, agentRole } of records) {
          const told = { nodeId, nodeName, instanceId, agentRole };
          const { mac, name } = node;
          const expected = { nodeId: mac, nodeName: name, instanceId: node.instanceId };
          assert.deepEqual(told, { ...expected, agentRole: AgentRole.AGENT_ROLE_NETBOOT });
        }
      },
      "knows the time by its own clock, whatever the node's says": async (world) => {
        const node = await aNode(world);
        const before = Date.now();
        await report(world, node, [aRecord(1, { age: { seconds: 60n, nanos: 0 } }), aRecord(2)]);
        const after = Date.now();
        const [old, fresh] = await read(world, { node: node.name });
        const oldAt = (old?.time?.getTime() ?? 0) + 60_000;
        assert.ok(oldAt >= before && oldAt <= after, `${old?.time?.toISOString()}`);
        assert.ok((fresh?.time?.getTime() ?? 0) >= before);
        assert.equal(old?.record?.time?.getTime(), 0);
      },
      "keeps no control characters, and cuts what is too long": async (world) => {
        const node = await aNode(world);
        const nasty = "\u001b[2J\u009b31m\r\u202e\u2028";
        await report(world, node, [
          aRecord(1, {
            message: `a${nasty}\nb${"x".repeat(5000)}`,
            fieldsJson: JSON.stringify({ [nasty]: nasty }),
            error: `Error: ${nasty}\n\tat ${nasty}${"y".repeat(20_000)}`,
          }),
        ]);
        const [kept] = await read(world, { node: node.name });
        const { message = "", fieldsJson = "", error = "" } = kept?.record ?? {};
        for (const text of [message, fieldsJson, error.replaceAll("\n", "")])
          assert.doesNotMatch(text, /[\p{Cc}\u2028\u202e]/u);
        assert.doesNotMatch(message, /\n/);
        assert.deepEqual(JSON.parse(fieldsJson), { [nasty]: nasty });
        assert.match(error, /^Error: [^\n]*\n {2}at /);
        assert.deepEqual([message.length <= 4096, error.length <= 16_384], [true, true]);
      },
      "is what a real agent does by itself, from its first words on": async (world) => {
        const { agentNode, controllerProgram } = world;
        let records: NodeLogRecord[] = [];
        await until(async () => {
          records = await read(world, { node: agentNode.name });
          return messages(records).includes("registered");
        }, "the agent's log did not arrive");
        assert.equal(records[0]?.record?.sequence, 1n);
        const serving = records.find(({ record }) => record?.message === "serving");
        assert.equal(JSON.parse(serving?.record?.fieldsJson ?? "{}").port, agentNode.agent?.port);
        assert.equal(serving?.instanceId, agentNode.agent?.instanceId);
        const node = await aNode(world);
        await report(world, node, [aRecord(1, { level: LogLevel.LOG_LEVEL_WARN, message: "the card is slow" })]);
        await controllerProgram.log.waitFor(
          new RegExp(`"node":"${node.name}".*the agent of ${node.name}: the card is slow`),
        );
      },
    },
    errors: {
      NOT_FOUND: [
        {
          when: "the node is not known",
          reason: "FAILURE_REASON_INVALID",
          says: /register/,
          call: (world) => report(world, { mac: "02:00:00:00:00:0e", instanceId: "any" }, [aRecord(1)]),
        },
        {
          when: "another instance of the agent has registered",
          reason: "FAILURE_REASON_INVALID",
          says: /register/,
          call: async (world) => report(world, { ...(await aNode(world)), instanceId: "the-one-before" }, [aRecord(1)]),
        },
      ],
      RESOURCE_EXHAUSTED: [
        {
          when: "the node logs more than its share, and everything that came before it is kept",
          reason: "FAILURE_REASON_INVALID",
          says: /more than its share/,
          async call(world) {
            const node = await aNode(world);
            const batch = (index: number) =>
              Array.from({ length: 1000 }, (_, each) => aRecord(index * 1000 + each + 1));
            for (let index = 0; index < 6; index += 1) await report(world, node, batch(index));
            for (let index = 6; ; index += 1) await report(world, node, batch(index));
          },
        },
      ],
      INVALID_ARGUMENT: [
        {
          when: "it has more items than a batch can",
          reason: "FAILURE_REASON_INVALID",
          says: /more than 2048 fields and items/,
          call: async (world) =>
            report(
              world,
              await aNode(world),
              Array.from({ length: 100_000 }, () => LogRecord.fromPartial({})),
            ),
        },
        {
          when: "the MAC address is malformed",
          reason: "FAILURE_REASON_INVALID",
          says: /boot_mac/,
          call: (world) => report(world, { mac: "b8:27:eb", instanceId: "any" }, []),
        },
        ...spoilt.map(
          ([when, says, records]): Refusal => ({
            when,
            reason: "FAILURE_REASON_INVALID",
            says,
            call: async (world) => report(world, await aNode(world), records()),
          }),
        ),
      ],
    },
  },
};

/** Tests of StreamNodeLogs. */
export const nodeLogChecks: ServiceChecks = {
  StreamNodeLogs: {
    success: {
      "gives what matters so much, after an id, or the last of it": async (world) => {
        const node = await aNode(world);
        const levels = [LogLevel.LOG_LEVEL_INFO, LogLevel.LOG_LEVEL_WARN, LogLevel.LOG_LEVEL_ERROR];
        await report(
          world,
          node,
          levels.map((level, index) => aRecord(index + 1, { level })),
        );
        const all = await read(world, { node: node.mac });
        assert.deepEqual(messages(all), ["message 1", "message 2", "message 3"]);
        const warnings = await read(world, { node: node.name, minLevel: LogLevel.LOG_LEVEL_WARN });
        assert.deepEqual(messages(warnings), ["message 2", "message 3"]);
        assert.deepEqual(messages(await read(world, { node: node.name, limit: 1 })), ["message 3"]);
        assert.deepEqual(messages(await read(world, { node: node.name, afterId: all[1]?.id ?? 0n })), ["message 3"]);
        const other = await aNode(world);
        await report(world, other, [aRecord(1)]);
        const ofBoth = await read(world, { afterId: all[2]?.id ?? 0n });
        assert.ok(ofBoth.some(({ nodeName }) => nodeName === other.name));
      },
      "with follow, gives what arrives later, too": async (world) => {
        const node = await aNode(world);
        await report(world, node, [aRecord(1)]);
        const stream = world.controller.streamNodeLogs({ ...everything, node: node.name, follow: true });
        await firstOf(stream, ({ record }) => record?.record?.sequence === 1n);
        const second = firstOf(stream, ({ record }) => record?.record?.sequence === 2n);
        await report(world, node, [aRecord(2)]);
        await second;
        stream.cancel();
      },
      "gives nothing of a node that was forgotten meanwhile": async (world) => {
        const { controller } = world;
        const node = await aNode(world);
        await report(world, node, [aRecord(1)]);
        const [{ id = 0n } = {}] = await read(world, { node: node.name });
        await answer(controller, controller.forgetNode, { node: node.name, force: true });
        const left = await read(world, { afterId: id - 1n });
        assert.ok(left.every(({ nodeId }) => nodeId !== node.mac));
      },
    },
    errors: {
      NOT_FOUND: [unknownNode((world, node) => read(world, { node }))],
      INVALID_ARGUMENT: [
        {
          when: "the level does not exist",
          reason: "FAILURE_REASON_INVALID",
          says: /min_level is 9/,
          call: (world) => read(world, { minLevel: 9 as LogLevel }),
        },
      ],
    },
    abandoned: {
      "cancelled by its followers, and past their deadline, the controller goes on": async (world) => {
        const { controller } = world;
        const node = await aNode(world);
        await report(world, node, [aRecord(1)]);
        const following = { ...everything, node: node.name, follow: true };
        const late = endOf(controller.streamNodeLogs(following, { deadline: Date.now() + 300 }));
        await manyLeave(20, () => controller.streamNodeLogs(following));
        assert.equal(await late, status.DEADLINE_EXCEEDED);
        await report(world, node, [aRecord(2)]);
        assert.equal((await read(world, { node: node.name })).length, 2);
      },
    },
  },
};
