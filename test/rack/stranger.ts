// A program for a stranger's place on the rack's network: tries to list, wipe, write and reboot a node, at the controller
// and at the node's agent, to have the controller take and unpack its files, and to be the node. Prints, as one line of
// JSON, how each try ended.
//
//   node stranger.ts '{"controller": "HOST:PORT", "agent": "HOST:PORT", …}'
import process from "node:process";
import {
  type Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  credentials,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import { AgentServiceClient, StartOperationRequest } from "../../proto/gen/pallet/v1/agent.ts";
import {
  AcceptNodesRequest,
  AddImageRequest,
  BootTarget,
  ControllerServiceClient,
  DeriveImageRequest,
  RunNodeOperationRequest,
  StartRolloutRequest,
} from "../../proto/gen/pallet/v1/controller.ts";
import { EnrollmentServiceClient, EnrollRequest } from "../../proto/gen/pallet/v1/enrollment.ts";
import { AgentRole } from "../../proto/gen/pallet/v1/node.ts";
import { WipeMethod } from "../../proto/gen/pallet/v1/operation.ts";
import { ask, type UnaryMethod } from "../../proto/grpc/call.ts";
import { createKey, createRequest } from "../../proto/identity/certificate-request.ts";
import { endOf } from "../contract/calls.ts";

/** What a stranger may have found out. */
export interface StrangersKnowledge {
  readonly controller: string;
  readonly agent: string;
  readonly node: string;
  readonly bootId: string;
  readonly device: string;
  readonly image: string;
  /** The token in the boot config of the node's last boot, which crosses the network unencrypted. */
  readonly token: string;
  /** Speaks TLS, with no certificate to show; otherwise in plain text. */
  readonly tls: boolean;
}

const known = JSON.parse(process.argv[2] ?? "") as StrangersKnowledge;
const options = { "grpc.enable_http_proxy": 0 };
const channel = known.tls
  ? credentials.createSsl(null, null, null, { rejectUnauthorized: false, checkServerIdentity: () => undefined })
  : credentials.createInsecure();
const controller = new ControllerServiceClient(known.controller, channel, options);
const enrollment = new EnrollmentServiceClient(known.controller, channel, options);
const agent = new AgentServiceClient(known.agent, channel, options);
const { node, device, bootId, image } = known;

const patienceMs = 20_000;
const limit = (): { deadline: number } => ({ deadline: Date.now() + patienceMs });

function knock<Request, Response>(
  client: Client,
  method: UnaryMethod<Request, Response>,
  request: Request,
): Promise<status> {
  return ask(client, method, request, { timeoutMs: patienceMs }).then(
    () => status.OK,
    (error: ServiceError) => error.code,
  );
}

function upload<Message>(
  stream: ClientDuplexStream<Message, unknown>,
  ...messages: readonly Message[]
): Promise<status> {
  const end = endOf(stream as unknown as ClientReadableStream<unknown>);
  for (const message of messages) stream.write(message);
  stream.end();
  return end;
}

const wipe = { work: { $case: "wipe", value: { device, method: WipeMethod.WIPE_METHOD_SIGNATURES } } } as const;
const write = {
  work: {
    $case: "writeImage",
    value: { device, source: { url: "http://10.77.0.109/image.zst", digest: "0".repeat(64) } },
  },
} as const;
const archive = Buffer.alloc(10_240);

const tries: Record<string, () => Promise<status>> = {
  "list the nodes": () => knock(controller, controller.listNodes, {}),
  "set the boot target": () =>
    knock(controller, controller.setBootTarget, {
      node,
      bootTarget: BootTarget.BOOT_TARGET_AGENT,
      imageName: "",
      force: false,
    }),
  "accept the node": () => knock(controller, controller.acceptNodes, AcceptNodesRequest.fromPartial({ nodes: [node] })),
  "reboot the node": () => knock(controller, controller.rebootNode, { node }),
  "wipe by the controller": () =>
    endOf(controller.runNodeOperation(RunNodeOperationRequest.fromPartial({ node, spec: wipe }), limit())),
  "start a rollout": () =>
    knock(
      controller,
      controller.startRollout,
      StartRolloutRequest.fromPartial({ rollout: { nodes: [node], imageName: image, disk: device } }),
    ),
  "add an image": () =>
    upload(
      controller.addImage(limit()),
      AddImageRequest.fromPartial({ part: { $case: "header", value: { name: "strangers" } } }),
      AddImageRequest.fromPartial({ part: { $case: "chunk", value: archive } }),
    ),
  "have a tar archive unpacked": () =>
    upload(
      controller.deriveImage(limit()),
      DeriveImageRequest.fromPartial({ part: { $case: "header", value: { name: "strangers", from: image } } }),
      DeriveImageRequest.fromPartial({ part: { $case: "chunk", value: archive } }),
    ),
  "remove the image": () => knock(controller, controller.removeImage, { name: image }),
  "list the disks": () => knock(agent, agent.listBlockDevices, {}),
  "wipe by the agent": () =>
    knock(agent, agent.startOperation, StartOperationRequest.fromPartial({ operationId: "strangers", spec: wipe })),
  "write by the agent": () =>
    knock(
      agent,
      agent.startOperation,
      StartOperationRequest.fromPartial({ operationId: "strangers-write", spec: write }),
    ),
  "reboot by the agent": () => knock(agent, agent.reboot, { expectedBootId: bootId }),
};

if (known.tls) {
  const request = (token: string): EnrollRequest =>
    EnrollRequest.fromPartial({
      ...{ token, bootMac: node, bootId, role: AgentRole.AGENT_ROLE_NETBOOT },
      csrDer: Buffer.from(createRequest(createKey())),
    });
  tries["enrol with the token that the node has used"] = () =>
    knock(enrollment, enrollment.enroll, request(known.token));
  tries["enrol without one"] = () => knock(enrollment, enrollment.enroll, request(""));
}

const ends: Record<string, string> = {};
for (const [name, attempt] of Object.entries(tries)) ends[name] = status[await attempt()] ?? "?";
controller.close();
enrollment.close();
agent.close();
process.stdout.write(`${JSON.stringify(ends)}\n`);
