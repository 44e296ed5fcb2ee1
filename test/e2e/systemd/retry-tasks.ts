// Has the agent of the machine that this runs in try its failed tasks again, over its unix socket; prints what it reported.
import process from "node:process";
import { credentials } from "@grpc/grpc-js";
import { AgentServiceClient } from "../../../proto/gen/pallet/v1/agent.ts";
import { ask } from "../../../proto/grpc/call.ts";
import { agentSocketPath } from "../../../proto/system/agent-program.ts";

const timeoutMs = 30_000;
const client = new AgentServiceClient(`unix:${agentSocketPath}`, credentials.createInsecure());
const { facts, agent } = await ask(client, client.getNode, {}, { timeoutMs });
await ask(client, client.retryTasks, { expectedBootId: facts?.bootId ?? "" }, { timeoutMs });
process.stdout.write(`${JSON.stringify(agent?.tasks)}\n`);
client.close();
