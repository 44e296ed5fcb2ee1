import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { messageOf } from "../../proto/failure.ts";
import { renderEndpoint } from "../../proto/names/endpoint.ts";
import type { AgentInfo } from "../../proto/node/agent-info.ts";
import type { NodeFacts } from "../../proto/node/node-facts.ts";
import { type RootIds, sameRootIds } from "../../proto/node/root-ids.ts";
import { type InstalledKernels, sameKernels } from "../../proto/system/judge-kernels.ts";
import { sameReports, type TasksReport } from "../../proto/system/tasks/report-tasks.ts";
import { type BackoffPolicy, backoff } from "../../proto/time/backoff.ts";
import type { Bell } from "../../proto/time/bell.ts";
import type { ControllerList } from "./controller-list.ts";
import type { Enrollment, Session } from "./enrollment.ts";

/** How long the last report of a stopping agent may take, in milliseconds. */
const lastReportMs = 1_000;
/** Kinds of trouble that are told apart: those of a round through all addresses, and some more. */
const mostTroubles = 32;

/** The inputs of the loop. */
export interface RegistrationParts {
  readonly enrollment: Enrollment;
  /** Where `enrollment` goes; it follows the current one. */
  readonly controllers: ControllerList;
  /** Notified of the controller's addresses whenever it has taken a registration. */
  readonly told?: (controllers: ControllerList) => Promise<void>;
  /** Notified of what the controller knows this agent by, whenever that changes; undefined: it does not know it. */
  readonly enrolled: (session: Session | undefined) => void;
  readonly readNodeFacts: () => Promise<NodeFacts>;
  /** Decides from fresh facts by which MAC address the node is known. */
  readonly chooseBootMac: (facts: NodeFacts) => Promise<string>;
  readonly agentInfo: () => Promise<AgentInfo>;
  /** How far the tasks of this system are now; undefined where there are none. */
  readonly tasks?: {
    current(): TasksReport | undefined;
    /** Rings when that has changed: it is told at once. */
    readonly changed: Bell;
  };
  readonly backoff: Required<BackoffPolicy>;
  readonly log: Logger;
}

/**
 * Registers the agent and sends heartbeats until the signal aborts. Whatever goes wrong is tried again forever, with
 * waits that grow to a cap. With several addresses of the controller, each is tried once before such a wait, in the order
 * of the list; the agent sticks to the one that answers. A controller that does not know the agent (any more) is told everything again, with facts
 * read then. So it is when the ids of the root have changed since: the controller names the root of the next boot by
 * them, and a first boot changes them after the agent has registered; and when its kernels or modules have, or its tasks
 * have gone on. Logs a line
 * when things change, not at every attempt. Never rejects.
 */
export async function stayRegistered(parts: RegistrationParts, signal: AbortSignal): Promise<void> {
  const { log, controllers } = parts;
  let known: Known | undefined;
  let waits = backoff(parts.backoff);
  let waitMs = 0;
  const troubles = new Set<string>();
  while (await waited(waitMs, signal, known && parts.tasks?.changed)) {
    const at = controllers.current();
    try {
      const step = known === undefined ? await register(parts, signal) : await beat(parts, known, signal);
      controllers.answered();
      if (troubles.size > 0) log.info({ controller: at && renderEndpoint(at) }, "the controller is answering again");
      if (step.known === undefined) log.info("the controller does not know this agent; registering again");
      troubles.clear();
      waits = backoff(parts.backoff);
      if (step.known?.session !== known?.session) parts.enrolled(step.known?.session);
      known = step.known;
      waitMs = step.waitMs;
    } catch (error) {
      if (signal.aborted) break;
      const controller = at && renderEndpoint(at);
      const trouble = `${controller}: ${messageOf(error)}`;
      if (!troubles.has(trouble)) log.warn({ err: error, controller }, "could not reach the controller; retrying");
      if (troubles.size >= mostTroubles) troubles.clear();
      troubles.add(trouble);
      waitMs = controllers.failed() ? 0 : waits.next().value;
    }
  }
  if (known !== undefined) await reportLastChange(parts, known);
}

/** What the controller knows of this agent. */
interface Known {
  readonly session: Session;
  /** Where it was told, as "HOST:PORT". */
  readonly at: string | undefined;
  readonly rootIds: RootIds | undefined;
  readonly kernels: InstalledKernels | undefined;
  readonly tasks: TasksReport | undefined;
}

/** What comes next: what the controller knows, unless it has forgotten, and the wait in milliseconds. */
interface Step {
  readonly known: Known | undefined;
  readonly waitMs: number;
}

async function register(parts: RegistrationParts, signal: AbortSignal): Promise<Step> {
  const [facts, agent] = await Promise.all([parts.readNodeFacts(), parts.agentInfo()]);
  const bootMac = await parts.chooseBootMac(facts);
  const at = parts.controllers.current();
  const { name, heartbeatIntervalMs, controllers } = await parts.enrollment.register(bootMac, facts, agent, signal);
  const controller = at && renderEndpoint(at);
  parts.log.info({ name, bootMac, bootId: facts.bootId, heartbeatIntervalMs, controller }, "registered");
  parts.controllers.replace(controllers);
  await parts.told?.(parts.controllers);
  return {
    known: {
      session: { bootMac, instanceId: agent.instanceId },
      at: controller,
      rootIds: facts.root?.ids,
      kernels: facts.kernels,
      tasks: agent.tasks,
    },
    waitMs: jittered(heartbeatIntervalMs, parts.backoff.random),
  };
}

async function beat(parts: RegistrationParts, known: Known, signal: AbortSignal): Promise<Step> {
  const facts = await parts.readNodeFacts();
  const { session } = known;
  if (haveChanged(known.rootIds, facts.root?.ids)) {
    parts.log.info({ was: known.rootIds, now: facts.root?.ids }, "the ids of this system's root have changed");
    const again = await register(parts, signal);
    return { ...again, known: again.known && { ...again.known, session } };
  }
  if (facts.kernels !== undefined && (known.kernels === undefined || !sameKernels(known.kernels, facts.kernels))) {
    parts.log.info({ was: known.kernels, now: facts.kernels }, "the kernels or modules of this system have changed");
    const again = await register(parts, signal);
    return { ...again, known: again.known && { ...again.known, session } };
  }
  const at = parts.controllers.current();
  const hasNewTasks = parts.tasks !== undefined && !sameReports(known.tasks, parts.tasks.current());
  if (hasNewTasks || (at !== undefined && renderEndpoint(at) !== known.at)) {
    // A controller that knows this agent already, under another address, has to say which addresses it has now.
    const again = await register(parts, signal);
    return { ...again, known: again.known && { ...again.known, session } };
  }
  const answer = await parts.enrollment.heartbeat(
    session.bootMac,
    session.instanceId,
    facts.temperatureCelsius,
    signal,
  );
  return answer === "unknown"
    ? { known: undefined, waitMs: 0 }
    : { known, waitMs: jittered(answer, parts.backoff.random) };
}

/** A system that reboots after its first boot's changes stops its services first, this agent among them. */
async function reportLastChange(parts: RegistrationParts, known: Known): Promise<void> {
  try {
    if (!haveChanged(known.rootIds, (await parts.readNodeFacts()).root?.ids)) return;
    await register(parts, AbortSignal.timeout(lastReportMs));
  } catch (error) {
    parts.log.warn({ err: error }, "could not report the changed ids of this system's root");
  }
}

/** What cannot be read any more has not changed. */
function haveChanged(before: RootIds | undefined, now: RootIds | undefined): boolean {
  return now !== undefined && (before === undefined || !sameRootIds(before, now));
}

/** Between four fifths of the interval and all of it: early rather than late, and not all nodes at once. */
function jittered(intervalMs: number, random: () => number): number {
  return intervalMs * (0.8 + random() / 5);
}

/** Waits, no longer than until the bell rings; false, at once, when the signal aborts. */
async function waited(ms: number, signal: AbortSignal, news: Bell | undefined): Promise<boolean> {
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  try {
    await Promise.race([delay(ms, undefined, { signal: either }), ...(news ? [news.next(either)] : [])]);
    return !signal.aborted;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  } finally {
    over.abort();
  }
}
