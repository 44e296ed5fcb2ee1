// What the controller does to agents during a write, as a program for the controller's network: starts one operation on
// each agent and tells every change of phase as a line of JSON. It is there because a rollout continues to reboots.
// Arguments: the orders and, unless everything is plain, the folder of the certificate authority by which the controller
// proves to agents who it is.
import { readFile } from "node:fs/promises";
import process from "node:process";
import { credentials } from "@grpc/grpc-js";
import type { AgentAddress } from "../../controller/agents/agent-port.ts";
import { openAuthority } from "../../controller/identity/authority.ts";
import { openAuthorityFiles } from "../../controller/identity/authority-files.ts";
import { createPeerJudge } from "../../controller/identity/peer-judge.ts";
import { createAgentConnector } from "../../controller/rpc/agent/agent-client.ts";
import { type AgentTls, createAgentTls } from "../../controller/rpc/agent/agent-tls.ts";
import type { OperationId } from "../../proto/operation/operation.ts";
import { systemClock } from "../../proto/time/clock.ts";
import { parseCpuSeconds } from "./measure/parse-counters.ts";
import type { AgentOrder, PhaseChange } from "./stage/agent-order.ts";

/** Bytes of a profile's files, as JSON has them. */
const asBytes = (_: string, value: unknown): unknown =>
  typeof value === "object" && value !== null && "type" in value && value.type === "Buffer" && "data" in value
    ? Buffer.from(value.data as readonly number[])
    : value;
const orders = JSON.parse(process.argv[2] ?? "[]", asBytes) as readonly AgentOrder[];
const authorityFolder = process.argv[3];
async function openTls(folder: string): Promise<AgentTls> {
  const authority = await openAuthority(await openAuthorityFiles(folder), { clock: systemClock });
  return createAgentTls({ authority, judge: createPeerJudge({ authority, clock: systemClock }) });
}
const tls = authorityFolder === undefined ? undefined : await openTls(authorityFolder);
const connector = createAgentConnector({ credentials: credentials.createInsecure(), tls });

async function drive({ address, port, spec, cpuStat }: AgentOrder, index: number): Promise<void> {
  const agent = connector.connect({ address, port } satisfies AgentAddress);
  const tell = async (change: Omit<PhaseChange, "agent" | "atMs" | "cpuSeconds">): Promise<void> => {
    const atMs = performance.timeOrigin + performance.now();
    const cpuSeconds = parseCpuSeconds(await readFile(cpuStat, "utf8"));
    process.stdout.write(`${JSON.stringify({ agent: index, atMs, cpuSeconds, ...change } satisfies PhaseChange)}\n`);
  };
  try {
    // The first call waits for the connection; it is not a part of the write.
    await agent.getNode();
    const id = `bench-${process.pid}-${index}` as OperationId;
    await tell({ phase: "asked" });
    await agent.startOperation(id, spec);
    let phase = "asked";
    for await (const operation of agent.watchOperation(id)) {
      if (operation.failure !== undefined) throw operation.failure;
      if (operation.state !== "running") {
        await tell({ phase: operation.state, progress: operation.progress });
      } else if (operation.progress.phase !== phase) {
        phase = operation.progress.phase;
        await tell({ phase });
      }
    }
  } finally {
    agent.close();
  }
}

await Promise.all(orders.map(drive));
