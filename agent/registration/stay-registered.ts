import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { messageOf } from "../../proto/failure.ts";
import type { AgentInfo } from "../../proto/node/agent-info.ts";
import type { NodeFacts } from "../../proto/node/node-facts.ts";
import { type BackoffPolicy, backoff } from "../../proto/time/backoff.ts";
import type { Enrollment, Session } from "./enrollment.ts";

/** The inputs of the loop. */
export interface RegistrationParts {
  readonly enrollment: Enrollment;
  /** Notified of what the controller knows this agent by, whenever that changes; undefined: it does not know it. */
  readonly enrolled: (session: Session | undefined) => void;
  readonly readNodeFacts: () => Promise<NodeFacts>;
  /** Decides from fresh facts by which MAC address the node is known. */
  readonly chooseBootMac: (facts: NodeFacts) => Promise<string>;
  readonly readTemperature: () => Promise<number | undefined>;
  readonly agentInfo: () => Promise<AgentInfo>;
  readonly backoff: Required<BackoffPolicy>;
  readonly log: Logger;
}

/**
 * Registers the agent and sends heartbeats until the signal aborts. Whatever goes wrong is tried again forever, with
 * waits that grow to a cap; a controller that does not know the agent (any more) is told everything again, with facts
 * read then. Logs a line when things change, not at every attempt. Never rejects.
 */
export async function stayRegistered(parts: RegistrationParts, signal: AbortSignal): Promise<void> {
  const { log } = parts;
  let session: Session | undefined;
  let waits = backoff(parts.backoff);
  let waitMs = 0;
  let trouble: string | undefined;
  while (await waited(waitMs, signal)) {
    try {
      const step = session === undefined ? await register(parts, signal) : await beat(parts, session, signal);
      if (trouble !== undefined) log.info("the controller is answering again");
      if (step.session === undefined) log.info("the controller does not know this agent; registering again");
      trouble = undefined;
      waits = backoff(parts.backoff);
      if (step.session !== session) parts.enrolled(step.session);
      session = step.session;
      waitMs = step.waitMs;
    } catch (error) {
      if (signal.aborted) return;
      const message = messageOf(error);
      if (message !== trouble) log.warn({ err: error }, "could not reach the controller; retrying");
      trouble = message;
      waitMs = waits.next().value;
    }
  }
}

/** What comes next: the session, unless it is lost, and the wait in milliseconds. */
interface Step {
  readonly session: Session | undefined;
  readonly waitMs: number;
}

async function register(parts: RegistrationParts, signal: AbortSignal): Promise<Step> {
  const [facts, agent] = await Promise.all([parts.readNodeFacts(), parts.agentInfo()]);
  const bootMac = await parts.chooseBootMac(facts);
  const { name, heartbeatIntervalMs } = await parts.enrollment.register(bootMac, facts, agent, signal);
  parts.log.info({ name, bootMac, bootId: facts.bootId, heartbeatIntervalMs }, "registered");
  return {
    session: { bootMac, instanceId: agent.instanceId },
    waitMs: jittered(heartbeatIntervalMs, parts.backoff.random),
  };
}

async function beat(parts: RegistrationParts, session: Session, signal: AbortSignal): Promise<Step> {
  const temperature = await parts.readTemperature();
  const answer = await parts.enrollment.heartbeat(session.bootMac, session.instanceId, temperature, signal);
  return answer === "unknown"
    ? { session: undefined, waitMs: 0 }
    : { session, waitMs: jittered(answer, parts.backoff.random) };
}

/** Between four fifths of the interval and all of it: early rather than late, and not all nodes at once. */
function jittered(intervalMs: number, random: () => number): number {
  return intervalMs * (0.8 + random() / 5);
}

/** Waits; false, at once, when the signal aborts. */
async function waited(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await delay(ms, undefined, { signal });
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}
