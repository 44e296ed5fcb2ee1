import { Failure } from "../../../proto/failure.ts";
import { limits } from "../../../proto/limits.ts";
import { currentTask, sameReports, type TasksReport } from "../../../proto/system/tasks/report-tasks.ts";
import { recordOf } from "../plan/failure-record.ts";
import type { FailureRecord } from "../plan/rollout.ts";
import type { Context } from "./context.ts";
import type { Effect } from "./effect.ts";
import { deadline } from "./effects-on-entry.ts";
import type { Sighting } from "./reimage-event.ts";
import type { Configuration, EndKind, Phase, PhaseOf } from "./reimage-state.ts";
import { amend, type Step, stay } from "./step.ts";

/*
 * The first-boot tasks of a proved node. They are part of the end PROVED and no phase before it: the proof stands whatever
 * comes of them, since the card is fine, and so do boot target, installation and all that they decide. Only the rollout
 * waits for them:
 *
 *   running ── all have succeeded ──▶ configured
 *      │ └──── one has failed, or no news in time ──▶ failed ──┐
 *      └────── cancel requested ──▶ cancelled ─────────────────┴── all have succeeded after all ──▶ configured
 *
 * Which tasks there are is what the system itself reports with its proof.
 */

type Proved = PhaseOf<"proved">;

/** What follows on the end of the tasks, once that is saved; repeated when the controller ends before it is done. */
const followsOnTasks: readonly Effect[] = [
  { type: "queue-hooks", of: "tasks" },
  { type: "settle", of: "tasks" },
];

/** Whether the rollout still waits for the tasks of a proved node. */
export function isConfiguring(phase: Phase): phase is Proved & { readonly configuration: Configuration } {
  return phase.name === "proved" && phase.configuration?.state === "running";
}

/**
 * Whether tasks may still make a proved node a configured one: also when they were given up, and those of a late proof,
 * which run after their rollout has ended.
 */
export function mayBeConfigured(phase: Phase): boolean {
  return phase.name === "proved" && phase.configuration !== undefined && phase.configuration.state !== "configured";
}

/** How the tasks stand that a proving system reports; empty where it has none. */
export function configurationAtProof(
  { now, settings }: Context,
  { tasks }: Sighting,
): { readonly configuration?: Configuration } {
  if (tasks === undefined) return {};
  return { configuration: { state: "running", report: tasks, deadlineAt: now + settings.configureTimeoutMs } };
}

/** The step into the proved end, and on from there if the report that came with the proof says that they have ended. */
export function withTasksOf(context: Context, step: Step, { tasks }: Sighting): Step {
  const { phase } = step.state;
  if (phase.name !== "proved" || tasks === undefined) return step;
  const next = tasksReported({ ...context, state: step.state }, phase, tasks);
  // "settle" says that all before it is done.
  return { state: next.state, effects: [...step.effects.slice(0, -1), ...next.effects, ...step.effects.slice(-1)] };
}

/** What a proved system says of its tasks; one of another reimage, or without a stamp, says nothing of these. */
export function tasksSighted(context: Context, phase: Proved, sighting: Sighting): Step {
  const { configuration } = phase;
  const { tasks, installed, role } = sighting;
  if (configuration === undefined || configuration.state === "configured" || tasks === undefined) return stay(context);
  if (role !== "resident" || installed?.reimageId !== context.state.id) return stay(context);
  return tasksReported(context, phase, tasks);
}

/** Where they stand by a report. Also for the one that came with the proof. */
export function tasksReported(context: Context, phase: Proved, report: TasksReport): Step {
  const { configuration } = phase;
  if (configuration === undefined) return stay(context);
  const { nodeName } = context.state;
  const current = currentTask(report);
  if (report.problem === undefined && current === undefined) {
    const count = report.tasks.length;
    const late = configuration.state === "running" ? "" : ", after all";
    const message = `${nodeName} is configured${late}: its ${count === 1 ? "task has" : `${count} tasks have`} succeeded`;
    const { failure: _, ...before } = configuration;
    return end(context, phase, { ...before, state: "configured", report }, { severity: "info", message });
  }
  if (configuration.state !== "running") return stay(context);
  if (report.problem !== undefined)
    return fails(context, phase, report, new Failure("invalid", `${nodeName} cannot run its tasks: ${report.problem}`));
  if (current?.state === "failed") return fails(context, phase, report, failureOf(nodeName, current));
  if (sameReports(report, configuration.report)) return stay(context);
  const deadlineAt = context.now + context.settings.configureTimeoutMs;
  return amend(context, phase, { configuration: { ...configuration, report, deadlineAt } }, [
    deadline({ deadlineAt }, context.now),
  ]);
}

/** Nothing was heard of the tasks for too long. */
export function tasksSilent(context: Context, phase: Proved): Step {
  const { state, now, settings } = context;
  if (!isConfiguring(phase)) return stay(context);
  const { configuration } = phase;
  if (now < configuration.deadlineAt) {
    // The clock was set back: the wait must not last until it has caught up.
    const deadlineAt = Math.min(configuration.deadlineAt, now + settings.configureTimeoutMs);
    return amend(context, phase, { configuration: { ...configuration, deadlineAt } }, [deadline({ deadlineAt }, now)]);
  }
  const { report } = configuration;
  const { name = "", state: is = "waiting" } = currentTask(report) ?? {};
  const message =
    `${state.nodeName} is proved, but nothing new was heard of its tasks for ${settings.configureTimeoutMs / 1000} s ` +
    `(reimage.configureTimeoutMs); last seen: task ${name} ${is}`;
  return fails(context, phase, report, new Failure("node-silent", message));
}

/** Nobody waits for them any more; the node goes on with them. */
export function tasksGivenUp(context: Context, phase: Proved): Step {
  if (!isConfiguring(phase)) return stay(context);
  const message = `the rollout was cancelled while ${context.state.nodeName}, which is proved, ran its tasks; they go on there`;
  const failure: FailureRecord = { reason: "cancelled", message };
  const next = { ...phase.configuration, state: "cancelled", failure } as const;
  return end(context, phase, next, { severity: "warning", message });
}

/** What still has to follow on the end of the tasks. */
export function unsettledTasks({ configuration }: Proved): readonly Effect[] {
  return configuration?.settled === false ? followsOnTasks : [];
}

/** An end, and all that follows on it, is done. */
export function settles(context: Context, phase: Proved, of: EndKind): Step {
  if (of === "end") return amend(context, phase, { settled: true });
  const { configuration } = phase;
  if (configuration?.endedAt === undefined) return stay(context);
  return amend(context, phase, { configuration: { ...configuration, settled: true } });
}

/** The controller was away, which is not the node's fault: the time starts again. */
export function resumeTasksWait(context: Context, phase: Proved & { readonly configuration: Configuration }): Step {
  const deadlineAt = context.now + context.settings.configureTimeoutMs;
  return amend(context, phase, { configuration: { ...phase.configuration, deadlineAt } });
}

function failureOf(
  nodeName: string,
  task: { readonly name: string; readonly problem?: string; readonly output?: string },
) {
  const { name, problem = "for an unknown reason", output } = task;
  return new Failure(
    "tool-failed",
    `${nodeName} is proved, but its task ${name} failed: ${problem}; mend the cause, then "controller tasks retry ${nodeName}"`,
    output === undefined ? {} : { found: lastLines(output) },
  );
}

/** As many whole lines from the end as evidence may have. */
function lastLines(output: string): string {
  const end = output.slice(-limits.agents.evidenceCharacters.most);
  return end === output ? output : end.slice(end.indexOf("\n") + 1);
}

function fails(context: Context, phase: Proved, report: TasksReport, failure: Failure): Step {
  const { configuration } = phase;
  if (configuration === undefined) return stay(context);
  const next = { ...configuration, state: "failed", report, failure: recordOf(failure) } as const;
  return end(context, phase, next, { severity: "error", message: failure.message });
}

function end(
  context: Context,
  phase: Proved,
  configuration: Configuration,
  told: { readonly severity: "info" | "warning" | "error"; readonly message: string },
): Step {
  const event = configuration.state === "configured" ? "reimage-configured" : "reimage-unconfigured";
  const tell: Effect = { type: "record-event", event, ...told };
  const ended = { ...configuration, endedAt: context.now, settled: false };
  return amend(context, phase, { configuration: ended }, [tell, ...followsOnTasks]);
}
