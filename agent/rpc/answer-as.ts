import { Metadata, ServerInterceptingCall, type ServerInterceptor, ServerListenerBuilder, status } from "@grpc/grpc-js";
import { cutText } from "../../proto/cut-text.ts";
import { Failure } from "../../proto/failure.ts";
import { type AgentIds, areSameAgent, expectedAgent, signAnswer } from "../../proto/grpc/agent-ids.ts";
import { failureMetadata } from "../../proto/grpc/failure-metadata.ts";

/**
 * Signs every answer of this agent with its boot and its instance, errors too, and refuses calls that are meant for
 * another one: DHCP hands addresses on, and nobody's disks may be touched for their former owner.
 */
export function answerAs(ids: AgentIds): ServerInterceptor {
  return (_method, call) =>
    new ServerInterceptingCall(call, {
      start(next) {
        const listener = new ServerListenerBuilder().withOnReceiveMetadata((metadata, proceed) => {
          const expected = expectedAgent(metadata);
          if (areSameAgent(expected, ids)) return proceed(metadata);
          const refusal = strangersCall(expected, ids);
          const trailer = failureMetadata(refusal);
          signAnswer(trailer, ids);
          call.sendStatus({ code: status.FAILED_PRECONDITION, details: refusal.message, metadata: trailer });
        });
        next(listener.build());
      },
      sendMetadata(metadata, next) {
        signAnswer(metadata, ids);
        next(metadata);
      },
      sendStatus(answer, next) {
        const metadata = answer.metadata?.clone() ?? new Metadata();
        signAnswer(metadata, ids);
        next({ ...answer, metadata });
      },
    });
}

function strangersCall(expected: Partial<AgentIds>, ids: AgentIds): Failure {
  const isOtherBoot = expected.bootId !== undefined && expected.bootId !== ids.bootId;
  return new Failure(
    "other-agent",
    isOtherBoot
      ? "this call is meant for another boot: the node has rebooted, or another machine had this address before; ask who is here (GetNode)"
      : "this call is meant for another run of the agent, which has ended; ask who is here (GetNode)",
    isOtherBoot
      ? { expected: cutText(expected.bootId, 80), found: ids.bootId }
      : {
          ...(expected.instanceId !== undefined && { expected: cutText(expected.instanceId, 80) }),
          found: ids.instanceId,
        },
  );
}
