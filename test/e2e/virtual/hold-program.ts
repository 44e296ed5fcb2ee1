import { basename } from "node:path";
import type { VirtualBoard } from "../../rack/virtual/virtual-board.ts";

/** A call of a program that does not return. */
export interface HeldProgram {
  /** Resolves when it has been called, which holds whoever called it there. */
  called(): Promise<void>;
}

/**
 * From now on, and until the node's next boot, a program of its netbooted system hangs when it is called. That stops
 * the agent at an instant that would be over in a moment, for as long as a test needs it.
 *
 * @param call which of its calls hangs; the ones before do what they did
 */
export async function holdProgram(
  board: VirtualBoard,
  program: string,
  timeoutMs: number,
  call = 1,
): Promise<HeldProgram> {
  const sign = `held: ${program}`;
  // Under its own name, which tells a program of many names what it is.
  const original = `/tmp/original/${basename(program)}`;
  const lines = [
    "#!/bin/sh",
    "calls=$(($(cat /tmp/calls 2>/dev/null || echo 0) + 1))",
    "echo $calls >/tmp/calls",
    `[ $calls -lt ${call} ] && exec ${original} "$@"`,
    // The kernel's own lines reach the console in one piece, whatever else is printed (printk, level "alert").
    `echo "<1>${sign}" >/dev/kmsg`,
    "exec sleep 1000000",
  ];
  const mark = board.console.mark();
  const place = [
    `mkdir -p /tmp/original && cp -L ${program} ${original}`,
    `printf '${lines.join("\\n")}\\n' >/tmp/held && chmod 755 /tmp/held`,
    // Moved over it, because it may be a link to a program that everything else needs.
    `mv -f /tmp/held ${program} && echo placed`,
  ].join(" && ");
  const answer = await board.run("sh", ["-c", place]);
  if (answer.trim() !== "placed") throw new Error(`${program} could not be replaced: ${answer}`);
  return {
    async called() {
      await board.console.waitFor(new RegExp(sign), { from: mark, timeoutMs });
    },
  };
}
