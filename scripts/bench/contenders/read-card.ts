import { measured } from "../stage/measured.ts";
import { runProgram } from "../stage/started-program.ts";
import type { Contender } from "./contender.ts";

/** No contender but the yardstick of one aim: the card read once from its beginning to the end of the image. */
export const readCard: Contender = {
  id: "read-card",
  title: "for comparison: the card read once, `dd iflag=direct of=/dev/null`",
  verifies: false,
  before: "the image",
  after: "the image",
  absence: async () => undefined,
  run: async (stage) => {
    const amount = ["bs=4M", "iflag=direct,count_bytes", `count=${stage.sizeBytes}`, "status=none"];
    const command = ["dd", `if=${stage.card.device}`, "of=/dev/null", ...amount];
    const figures = await measured(stage, stage.filesGroup, async (place) => {
      await runProgram("dd", place, command);
    });
    return { figures };
  },
};
