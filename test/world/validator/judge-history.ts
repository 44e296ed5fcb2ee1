import type { Entry } from "../history/history.ts";
import type { Finding } from "./finding.ts";
import { judgeEnd } from "./judge-end.ts";
import { judgeHooks } from "./judge-hooks.ts";
import { judgeSystems } from "./judge-systems.ts";
import { judgeTargets } from "./judge-targets.ts";
import { judgeVerdicts } from "./judge-verdicts.ts";
import { judgeWrites } from "./judge-writes.ts";

/**
 * Everything that is wrong with a history, the earliest first. It knows what happened to boards and cards, and what the
 * controller kept; of how the controller decides it knows nothing, and shares no code with it.
 */
export function judgeHistory(history: readonly Entry[]): readonly Finding[] {
  return [judgeVerdicts, judgeWrites, judgeTargets, judgeHooks, judgeSystems, judgeEnd]
    .flatMap((judge) => judge(history))
    .sort((one, other) => one.at - other.at);
}
