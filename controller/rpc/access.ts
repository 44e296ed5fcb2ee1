import { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import {
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  type ServerUnaryCall,
} from "@grpc/grpc-js";
import { ControllerServiceService } from "../../proto/gen/pallet/v1/controller.ts";
import { EnrollmentServiceService } from "../../proto/gen/pallet/v1/enrollment.ts";
import { nodeOf } from "../../proto/identity/identity.ts";
import type { PeerVerdict } from "../../proto/identity/judge-peer.ts";
import type { NodeId } from "../../proto/names/node-id.ts";
import type { Caller } from "../callers/caller.ts";
import type { ControllerIdentity } from "../identity/open-identity.ts";
import { unproved } from "../refusal/refusal.ts";
import { statusOf } from "./doors/status.ts";
import { judgeCall } from "./judge-call.ts";

type AuthenticatedCall = Pick<ServerUnaryCall<unknown, unknown>, "getAuthContext">;

/** Those who come over TLS. */
export type RemoteCaller = Extract<Caller, { kind: "operator" | "agent" | "anonymous" }>;

/** Who calls over TLS, and whether he may. */
export interface Access {
  /** Refuses calls before anything of them is read. */
  readonly interceptor: ServerInterceptor;
  /** What the certificate that the caller presented proves. */
  peerOf(call: AuthenticatedCall): PeerVerdict;
  callerOf(call: AuthenticatedCall): RemoteCaller;
  /** Who is at the other end of a new connection; what he may do is judged call by call. */
  callerBehind(socket: Pick<TLSSocket, "getPeerX509Certificate">): RemoteCaller;
  close(): void;
}

const paths: ReadonlySet<string> = new Set(
  [ControllerServiceService, EnrollmentServiceService].flatMap((service) =>
    Object.values(service).map(({ path }) => path as string),
  ),
);

/**
 * @param nodeProved notified of each call in which a node proves who it is, and by which authority (fingerprint)
 */
export function createAccess({
  identity: { operators, judge },
  nodeProved,
}: {
  readonly identity: Pick<ControllerIdentity, "operators" | "judge">;
  readonly nodeProved?: ((nodeId: NodeId, authority: string) => void) | undefined;
}): Access {
  /** Calls of operators that are not over. */
  const open = new Map<string, Set<ServerInterceptingCallInterface>>();

  function peerOf(call: AuthenticatedCall): PeerVerdict {
    const raw = call.getAuthContext().sslPeerCertificate?.raw;
    return judge(raw && new X509Certificate(raw), "client");
  }

  function callerProvedBy(peer: PeerVerdict): RemoteCaller {
    if (peer.kind !== "known") return { kind: "anonymous" };
    const { identity, fingerprint } = peer;
    const nodeId = nodeOf(identity);
    if (nodeId !== undefined) return { kind: "agent", nodeId };
    const role = identity.kind === "operator" ? roleOf(identity.name, fingerprint) : undefined;
    if (identity.kind !== "operator" || role === undefined) return { kind: "anonymous" };
    return { kind: "operator", name: identity.name, role };
  }

  const roleOf: ControllerIdentity["operators"]["roleOf"] = (name, fingerprint) => operators.roleOf(name, fingerprint);

  const stopListening = operators.onShutOut((name) => {
    const { code, details, metadata } = statusOf(
      unproved(`the certificate of operator ${name} does not count any more`),
    );
    for (const call of open.get(name) ?? []) call.sendStatus({ code, details, metadata });
  });

  const interceptor: ServerInterceptor = ({ path }, call) => {
    const peer = peerOf(call);
    const refusal = paths.has(path) || path.startsWith("/grpc.") ? judgeCall(path, peer, roleOf) : undefined;
    if (refusal !== undefined) {
      const { code, details, metadata } = statusOf(refusal);
      const refuse = (): void => call.sendStatus({ code, details, metadata });
      return new ServerInterceptingCall(call, { start: (next) => next({ onReceiveMetadata: refuse }) });
    }
    if (peer.kind !== "known") return new ServerInterceptingCall(call);
    const who = peer.identity;
    const nodeId = nodeOf(who);
    if (nodeId !== undefined) nodeProved?.(nodeId, peer.authority);
    if (who.kind !== "operator") return new ServerInterceptingCall(call);
    const calls = open.get(who.name) ?? new Set();
    open.set(who.name, calls.add(call));
    const ended = (): void => {
      calls.delete(call);
      if (calls.size === 0) open.delete(who.name);
    };
    // It is called when the call is over, however it ended.
    return new ServerInterceptingCall(call, { start: (next) => next({ onCancel: ended }) });
  };

  return {
    interceptor,
    peerOf,
    callerBehind: (socket) => callerProvedBy(judge(socket.getPeerX509Certificate(), "client")),
    callerOf: (call) => callerProvedBy(peerOf(call)),
    close: stopListening,
  };
}
