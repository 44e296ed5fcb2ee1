import type { LabelRequirement } from "../nodes/parse-label-selector.ts";

/**
 * The moments of a reimage at which hooks run. Which end leads to which moment is decided in
 * controller/reimage/executors/run-hooks.ts.
 */
export const hookMoments = ["before-reimage", "after-proved", "after-configured", "after-failed"] as const;
export type HookMoment = (typeof hookMoments)[number];

/** What a hook does: a program with its arguments, without a shell, or an HTTP POST that is signed. */
export type HookAction =
  | { readonly kind: "command"; readonly command: readonly [string, ...string[]] }
  | {
      readonly kind: "webhook";
      readonly url: string;
      /** Absolute path of the file with the secret of the signature. */
      readonly secretFile: string;
    };

/** What a before-reimage hook gives for the profiles of its node, by name. */
export interface HookGifts {
  /** Known to templates, as hook.NAME. */
  readonly values: readonly string[];
  /** For files and tasks alone, by secretFrom and secretsFrom. */
  readonly secrets: readonly string[];
}

/** What hooks have given for one node. It has secrets: it is kept in memory alone, and shown nowhere. */
export interface GivenValues {
  readonly values: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
}

/** A hook as it is configured. */
export interface Hook {
  /** No other hook has it. */
  readonly name: string;
  readonly when: HookMoment;
  /** What the labels of a node have to be; none means every node. */
  readonly labels: readonly LabelRequirement[];
  /** How long it may take, of a webhook with all its tries, in milliseconds. */
  readonly timeoutMs: number;
  readonly action: HookAction;
  /** Absent for a hook whose answer nobody reads. */
  readonly gives?: HookGifts;
}

/** One hook that is to run for one node at one moment. Plain data that survives JSON. */
export interface HookCall {
  /** The same however often it is tried, over restarts of the controller too. Letters, digits, "-" and "_". */
  readonly id: string;
  /** The name of the hook. */
  readonly hook: string;
  readonly when: HookMoment;
  readonly nodeId: string;
  readonly nodeName: string;
  readonly rolloutId: string;
  /** What it is told: one line of JSON. */
  readonly body: string;
}

/**
 * Carries out a hook. Resolves with what it answered, where it gives values: at most `limits.hooks.answerBytes`. Throws a
 * Failure (hook-failed), or the signal's reason when it aborts; nothing of it runs then.
 */
export type RunHook = (hook: Hook, call: HookCall, signal: AbortSignal) => Promise<string | undefined>;
