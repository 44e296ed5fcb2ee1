import type { Board } from "../../test/rack/board.ts";

/** Lines of a serial console that tell how far a Pi has come. */
const telling = [
  /^U-Boot \d/,
  /^DHCP client bound/,
  /^Retrieving file: /,
  /^Starting kernel/,
  /Linux version /,
  /^pallet-init: /,
  /Kernel panic/,
  /mmcblk0: mmc/,
  /mmcblk0: p1/,
  /^initramfs: root=/,
  /^pallet demo image /,
  /"msg":"(serving|registered|rebooting)"/,
];

const longest = 150;

/** Prints what serial consoles show. */
export interface ConsoleNarration {
  /** Prints nothing until `resume`, which catches up: something else is drawing on the terminal. */
  hold(): void;
  resume(): void;
  end(): void;
}

/** Prints the interesting lines of every board's serial console as they appear. */
export function narrateConsoles(boards: readonly Board[], say: (line: string) => void): ConsoleNarration {
  const read = boards.map(() => 0);
  let held = false;
  const narrate = (): void => {
    if (held) return;
    for (const [index, { console }] of boards.entries()) {
      const fresh = console.text().slice(read[index]);
      const complete = fresh.lastIndexOf("\n") + 1;
      read[index] = (read[index] ?? 0) + complete;
      for (const line of fresh.slice(0, complete).split("\n")) {
        if (telling.some((pattern) => pattern.test(line))) say(`  pi ${index + 1} | ${line.slice(0, longest)}`);
      }
    }
  };
  const timer = setInterval(narrate, 200);
  const resume = (): void => {
    held = false;
    narrate();
  };
  return {
    hold() {
      held = true;
    },
    resume,
    end() {
      clearInterval(timer);
      resume();
    },
  };
}
