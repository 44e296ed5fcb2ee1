import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { status } from "@grpc/grpc-js";
import { Failure } from "../../../../../proto/failure.ts";
import type { StreamNodeLogsRequest } from "../../../../../proto/gen/pallet/v1/controller.ts";
import { LogLevel, NodeLogRecord } from "../../../../../proto/gen/pallet/v1/log.ts";
import { AgentRole } from "../../../../../proto/gen/pallet/v1/node.ts";
import { assertGolden } from "../../../../golden.ts";
import { jsonLines, run } from "../a-console.ts";
import { type AController, openStream, refusal, startController, stream } from "../a-controller.ts";

function aRecord(id: number, given: object, record: object): NodeLogRecord {
  return NodeLogRecord.fromPartial({
    id: BigInt(id),
    nodeId: "b8:27:eb:00:00:01",
    nodeName: "rack-1",
    instanceId: "0b9d",
    agentRole: AgentRole.AGENT_ROLE_NETBOOT,
    time: new Date(Date.UTC(2026, 10, 23, 0, 18, id, 250)),
    record: { sequence: BigInt(id), time: new Date(id * 1000), level: LogLevel.LOG_LEVEL_INFO, ...record },
    ...given,
  });
}

const records: readonly NodeLogRecord[] = [
  aRecord(1, {}, { message: "serving", fieldsJson: '{"port":7710,"address":"0.0.0.0","version":"0.1.0"}' }),
  aRecord(
    7,
    { missingBefore: 5n },
    {
      level: LogLevel.LOG_LEVEL_WARN,
      message: "operation ended early \u001b[2J",
      fieldsJson:
        '{"state":"failed","why":"the card\\u001b[31m is worn","err":{"type":"Failure","reason":"device-error"},"a b":"c"}',
      error: "Error: write /dev/mmcblk0: EIO\n  at write (x.ts:1)\ncaused by: Error: EIO\u009b31m",
    },
  ),
  aRecord(
    8,
    { nodeId: "b8:27:eb:00:00:02", nodeName: "", agentRole: AgentRole.AGENT_ROLE_RESIDENT },
    { level: LogLevel.LOG_LEVEL_FATAL, message: "the agent hit a bug and is exiting", fieldsJson: "no json" },
  ),
];

describe("node logs", () => {
  let controller: AController;
  const asked: StreamNodeLogsRequest[] = [];

  before(async () => {
    controller = await startController({
      streamNodeLogs: stream((request) => {
        asked.push(request);
        return records.map((record) => ({ record }));
      }),
    });
  });
  after(() => controller.close());

  for (const [title, argv] of [
    ["of one node", ["node", "logs", "rack-1"]],
    ["of all nodes", ["node", "logs"]],
  ] as const) {
    const name = argv.length === 3 ? "node-logs" : "node-logs-of-all";
    it(`${title}: as in the golden file, to a pipe`, async () => {
      const { code, stdout, stderr } = await run(argv, { socket: controller.socket });
      assert.deepEqual([code, stderr], [0, ""]);
      assertGolden(`cli/${name}`, stdout);
    });
    it(`${title}: lets no control character of a node reach the terminal`, async () => {
      for (const json of [[], ["--json"]]) {
        const { stdout } = await run([...argv, ...json], { socket: controller.socket });
        assert.doesNotMatch(stdout, /(?!\n)\p{Cc}/u);
      }
    });
  }

  it("as JSON, one object a line", async () => {
    const { stdout } = await run(["node", "logs", "rack-1", "--json"], { socket: controller.socket });
    const [first, second, third] = jsonLines(stdout);
    assert.deepEqual(first, {
      id: 1,
      time: "2026-11-23T00:18:01.250Z",
      nodeTime: "1970-01-01T00:00:01.000Z",
      nodeId: "b8:27:eb:00:00:01",
      nodeName: "rack-1",
      agentRole: "netboot",
      instanceId: "0b9d",
      sequence: 1,
      missingBefore: 0,
      level: "info",
      message: "serving",
      fields: { port: 7710, address: "0.0.0.0", version: "0.1.0" },
      error: null,
    });
    assert.deepEqual([second?.["missingBefore"], second?.["level"]], [5, "warn"]);
    assert.deepEqual(third?.["fields"], { fieldsJson: "no json" });
  });

  it("asks for what was said", async () => {
    await run(["node", "logs", "rack-1", "--level", "warn", "--limit", "7"], { socket: controller.socket });
    const expected = {
      afterId: 0n,
      follow: false,
      node: "rack-1",
      minLevel: LogLevel.LOG_LEVEL_WARN,
      limit: 7,
      nodeIds: [],
    };
    assert.deepEqual(asked.at(-1), expected);
    await run(["node", "logs"], { socket: controller.socket });
    const all = { ...expected, node: "", minLevel: LogLevel.LOG_LEVEL_UNSPECIFIED, limit: 100 };
    assert.deepEqual(asked.at(-1), all);
  });

  it("refuses a level that does not exist, with exit code 2", async () => {
    const { code, stderr } = await run(["node", "logs", "--level", "loud"], { socket: controller.socket });
    assert.equal(code, 2);
    assert.match(stderr, /trace, debug, info, warn, error, fatal/);
  });

  it("says when there is nothing, to a person", async () => {
    const empty = await startController({ streamNodeLogs: stream(() => []) });
    try {
      const terminal = { columns: 100, rows: 30 };
      const { code, stdout, stderr } = await run(["node", "logs", "rack-1"], { socket: empty.socket, terminal });
      assert.deepEqual([code, stdout], [0, ""]);
      assert.match(stderr, /nothing was logged/);
    } finally {
      await empty.close();
    }
  });

  it("--follow goes on after a restart of the controller, with nothing twice", async () => {
    const served = await startController({
      streamNodeLogs: openStream(() => records.slice(0, 1).map((record) => ({ record }))),
    });
    let later: StreamNodeLogsRequest | undefined;
    let isRestarted = false;
    try {
      const { code, stdout } = await run(["node", "logs", "rack-1", "--follow", "--json"], {
        socket: served.socket,
        onWrite(told, press) {
          const count = told.stdout.split("\n").length - 1;
          if (count === 2) press("SIGINT");
          if (count !== 1 || isRestarted) return;
          isRestarted = true;
          void served.restart({
            streamNodeLogs: openStream((request) => {
              later = request;
              return records.slice(1, 2).map((record) => ({ record }));
            }),
          });
        },
      });
      assert.equal(code, 130);
      assert.deepEqual(
        jsonLines(stdout).map(({ id }) => id),
        [1, 7],
      );
      assert.deepEqual([later?.afterId, later?.limit], [1n, 0]);
    } finally {
      await served.close();
    }
  });

  it("tells a refusal in the controller's words", async () => {
    const refusing = await startController({
      streamNodeLogs: (call) => {
        call.emit("error", refusal(status.NOT_FOUND, new Failure("invalid", 'there is no node "x"')));
      },
    });
    try {
      const { code, stderr } = await run(["node", "logs", "x"], { socket: refusing.socket });
      assert.deepEqual([code, stderr], [1, 'error: there is no node "x"\n']);
    } finally {
      await refusing.close();
    }
  });
});
