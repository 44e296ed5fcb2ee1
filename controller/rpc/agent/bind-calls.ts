import { InterceptingCall, type Interceptor, type Metadata } from "@grpc/grpc-js";
import { type AgentIds, answeringAgent, areSameAgent, expectAgent } from "../../../proto/grpc/agent-ids.ts";

/** The calls of one connection, bound to the agent that they are meant for. */
export interface BoundCalls {
  /** Says in every call for whom it is meant, and looks who answers. */
  readonly interceptor: Interceptor;
  /**
   * Whether another agent has answered, well or badly: then nothing counts that comes over this connection. To be asked
   * before an answer or an error is believed.
   */
  answeredByAnother(): boolean;
}

/**
 * Binds the calls of a connection to an agent; without `expected` anyone may answer.
 *
 * Agents from before this sign no answer. Theirs are believed, because they are asked who they are first (GetNode) over
 * the same TCP connection, which only one process has at its other end.
 */
export function bindCalls(expected: Partial<AgentIds> = {}): BoundCalls {
  let isAnothers = false;
  const look = (metadata: Metadata): void => {
    isAnothers ||= !areSameAgent(expected, answeringAgent(metadata));
  };
  return {
    answeredByAnother: () => isAnothers,
    interceptor: (options, nextCall) =>
      new InterceptingCall(nextCall(options), {
        start(metadata, _listener, next) {
          expectAgent(metadata, expected);
          next(metadata, {
            onReceiveMetadata(answer, pass) {
              look(answer);
              pass(answer);
            },
            onReceiveStatus(answer, pass) {
              look(answer.metadata);
              pass(answer);
            },
          });
        },
      }),
  };
}
