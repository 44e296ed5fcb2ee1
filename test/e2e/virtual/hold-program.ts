import type { VirtualBoard } from "../../rack/virtual/virtual-board.ts";

/** A call of a program that does not return. */
export interface HeldProgram {
  /** Resolves when it has been called, which holds whoever called it there. */
  called(): Promise<void>;
}

/**
 * From now on, and until the node's next boot, a program of its netbooted system hangs when it is called. That stops
 * the agent at an instant that would be over in a moment, for as long as a test needs it.
 */
export async function holdProgram(board: VirtualBoard, program: string, timeoutMs: number): Promise<HeldProgram> {
  const sign = `held: ${program}`;
  // The kernel's own lines reach the console in one piece, whatever else is printed (printk, level "alert").
  const script = `#!/bin/sh\\necho "<1>${sign}" >/dev/kmsg\\nexec sleep 1000000\\n`;
  const mark = board.console.mark();
  // Moved over it, because it may be a link to a program that everything else needs.
  const place = `printf '${script}' >/tmp/held && chmod 755 /tmp/held && mv -f /tmp/held ${program} && echo placed`;
  const answer = await board.run("sh", ["-c", place]);
  if (answer.trim() !== "placed") throw new Error(`${program} could not be replaced: ${answer}`);
  return {
    async called() {
      await board.console.waitFor(new RegExp(sign), { from: mark, timeoutMs });
    },
  };
}
