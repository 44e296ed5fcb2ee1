import type { Plan } from "./accidents.ts";

/** The plan without what it takes not to fail in the same way. */
export async function shrink(plan: Plan, stillFails: (plan: Plan) => Promise<boolean>): Promise<Plan> {
  let smallest = plan;
  for (let index = plan.happens.length - 1; index >= 0; index -= 1) {
    const without = { ...smallest, happens: smallest.happens.filter((_, each) => each !== index) };
    if (await stillFails(without)) smallest = without;
  }
  return smallest;
}
