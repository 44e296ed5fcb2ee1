import type { CompletionPlan } from "./plan-completion.ts";
import { renderBash } from "./render-bash.ts";
import { renderFish } from "./render-fish.ts";
import { renderZsh } from "./render-zsh.ts";

/** The shells that complete. */
export const shells = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof shells)[number];

const renderers: Readonly<Record<Shell, (plan: CompletionPlan) => string>> = {
  bash: renderBash,
  zsh: renderZsh,
  fish: renderFish,
};

/** The script of a shell, for it to source or to find by the name of the program. */
export function renderCompletion(shell: Shell, plan: CompletionPlan): string {
  return renderers[shell](plan);
}
