import type { NodeFacts } from "../../proto/node/node-facts.ts";
import { judgeKernels, type KernelFinding } from "../../proto/system/judge-kernels.ts";
import type { NewEvent } from "../events/event.ts";

/**
 * What to tell when the kernel that a node runs and the modules on its card have parted, or agree again; undefined when
 * that is as it was. Facts without kernels, of the agent in RAM, say nothing of the card.
 */
export function describeKernelChange(
  name: string,
  before: NodeFacts | undefined,
  now: NodeFacts,
): Pick<NewEvent, "type" | "severity" | "message"> | undefined {
  if (now.kernels === undefined) return undefined;
  const found = findingIn(now);
  const known = before && findingIn(before);
  if (found?.message === known?.message) return undefined;
  if (found === undefined)
    return {
      type: "kernels-agree",
      severity: "info",
      message: `the kernel that ${name} runs and the modules on its card agree again`,
    };
  return { type: "kernels-parted", severity: found.severity, message: `${name} ${found.message}` };
}

function findingIn({ kernel, kernels }: NodeFacts): KernelFinding | undefined {
  return kernels && judgeKernels(kernel, kernels);
}
