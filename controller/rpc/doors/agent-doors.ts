import { randomUUID } from "node:crypto";
import type { BlockDevice } from "../../../proto/disk/block-device.ts";
import { blockDeviceToWire } from "../../../proto/disk/block-device-codec.ts";
import { findLineage } from "../../../proto/disk/device-tree.ts";
import { refuseProtected } from "../../../proto/disk/protected-disk.ts";
import { Failure } from "../../../proto/failure.ts";
import type * as wire from "../../../proto/gen/pallet/v1/controller.ts";
import type { OperationId } from "../../../proto/operation/operation.ts";
import { operationToWire } from "../../../proto/operation/operation-codec.ts";
import type { AgentPort } from "../../agents/agent-port.ts";
import { reachAgentOf, withAgentOf } from "../../agents/reach-agent.ts";
import { rootPartitionOf } from "../../images/catalogue/image.ts";
import { holdsSystem } from "../../nodes/holds-system.ts";
import { assertAccepted } from "../../nodes/judge-acceptance.ts";
import { refusalOfRetry } from "../../nodes/judge-retry.ts";
import type { Node } from "../../nodes/node.ts";
import { assertNoReimage } from "../../reimage/plan/being-reimaged.ts";
import { boardReportToWire } from "../wire/board-report-to-wire.ts";
import { type NodeOperationSpec, nodeOperationFromWire } from "../wire/operation-spec-from-wire.ts";
import { type CallContext, type CallHost, handleServerStream, handleUnary } from "./handle-call.ts";
import type { ControllerParts } from "./parts.ts";

/** The doors that lead through to a node's agent. */
export function createAgentDoors(
  host: CallHost,
  {
    nodes,
    images,
    rollouts,
    agents,
    events,
    protectedDisks,
  }: Pick<ControllerParts, "nodes" | "images" | "rollouts" | "agents" | "events" | "protectedDisks">,
): Pick<
  wire.ControllerServiceServer,
  "getBoardReport" | "listNodeDisks" | "runNodeOperation" | "rebootNode" | "retryTasks"
> {
  const tell = (
    node: Node,
    type: "node-operation-started" | "node-rebooted" | "tasks-retried",
    message: string,
  ): void => {
    events.append({ type, severity: "info", nodeId: node.id, nodeName: node.name, message });
  };

  /** Throws a Refusal for a node that is pending, or that a rollout is at work on. */
  function assertMayBeMoved(node: Node): void {
    assertAccepted(node);
    assertNoReimage(node, rollouts.activeRolloutOf);
  }

  /** Throws the Failure of a disk that the configuration protects. What else a disk must be, its agent judges. */
  function assertUnprotected(devices: readonly BlockDevice[], device: string): void {
    const [disk] = findLineage(devices, device);
    const refusal = disk && refuseProtected(device, disk, protectedDisks);
    if (refusal !== undefined) throw refusal;
  }

  /** Whether the operation erases what the node's own system is on. */
  async function isOnSystemDisk({ id }: Node, device: string, devices: readonly BlockDevice[]): Promise<boolean> {
    const digest = nodes.get(id)?.installation?.imageDigest ?? nodes.get(id)?.proved?.imageDigest;
    const image = digest && (await images.getByDigest(digest));
    const root = image && rootPartitionOf(image);
    return root !== undefined && holdsSystem(devices, device, root);
  }

  async function* runOperation(
    { node: named, spec: given }: wire.RunNodeOperationRequest,
    { signal }: CallContext,
  ): AsyncGenerator<wire.RunNodeOperationResponse> {
    const node = nodes.require(named);
    const spec = nodeOperationFromWire(given);
    if (spec.kind !== "identify") assertMayBeMoved(node);
    const { port: agent } = await reachAgentOf(node, agents, { signal });
    try {
      // Checked again after the wait: a rollout may have started in the meantime.
      if (spec.kind !== "identify") assertMayBeMoved(nodes.require(node.id));
      const id = `by-hand-${randomUUID()}` as OperationId;
      const erased = spec.kind === "identify" || spec.kind === "unmount" ? undefined : spec.device;
      const devices = erased === undefined ? [] : await agent.listBlockDevices(signal);
      if (erased !== undefined) assertUnprotected(devices, erased);
      const takesSystem = erased !== undefined && (await isOnSystemDisk(node, erased, devices));
      await agent.startOperation(id, spec, signal);
      // From its first moment on there may be nothing left to boot.
      if (takesSystem) nodes.systemErased(node.id);
      tell(node, "node-operation-started", `${node.name}: ${describe(spec)}`);
      for await (const operation of agent.watchOperation(id, signal)) yield { operation: operationToWire(operation) };
    } finally {
      agent.close();
    }
  }

  return {
    getBoardReport: handleUnary(host, async ({ node: named }: wire.GetBoardReportRequest, { signal }) => {
      const node = nodes.require(named);
      const ask = (agent: AgentPort) => agent.reportBoard(signal);
      const items = await withAgentOf(node, agents, ask, { signal }).catch((error: unknown) => Failure.from(error));
      signal.throwIfAborted();
      return boardReportToWire(nodes.requestsOf(node.id), items);
    }),

    listNodeDisks: handleUnary(host, async ({ node }: wire.ListNodeDisksRequest, { signal }) => {
      const ask = (agent: AgentPort) => agent.listBlockDevices(signal);
      const devices = await withAgentOf(nodes.require(node), agents, ask, { signal });
      return { devices: devices.map(blockDeviceToWire) };
    }),

    runNodeOperation: handleServerStream(host, runOperation),

    rebootNode: handleUnary(host, async ({ node: named }: wire.RebootNodeRequest, { signal }) => {
      const node = nodes.require(named);
      assertMayBeMoved(node);
      // Reached, it is in the boot that registered; should it reboot by itself in the meantime, that was what was
      // wanted.
      await withAgentOf(node, agents, (agent, { facts }) => agent.reboot(facts.bootId, signal), { signal });
      tell(node, "node-rebooted", `${node.name} was told to reboot; it boots ${node.bootTarget.kind}`);
      return {};
    }),

    retryTasks: handleUnary(host, async ({ node: named }: wire.ControllerServiceRetryTasksRequest, { signal }) => {
      const node = nodes.require(named);
      assertAccepted(node);
      const refusal = refusalOfRetry(node);
      if (refusal !== undefined) throw refusal;
      await withAgentOf(node, agents, (agent, { facts }) => agent.retryTasks(facts.bootId, signal), { signal });
      tell(node, "tasks-retried", `${node.name} was told to try its failed tasks again`);
      return {};
    }),
  };
}

function describe(spec: NodeOperationSpec): string {
  switch (spec.kind) {
    case "make-filesystem":
      return `making a ${spec.type} filesystem on ${spec.device}`;
    case "wipe":
      return `wiping ${spec.device} (${spec.method})`;
    case "unmount":
      return `unmounting ${spec.device}`;
    case "identify":
      return `blinking the LED for ${Math.round(spec.durationMs / 1000)} s`;
  }
}
