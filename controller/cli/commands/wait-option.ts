import { Option } from "commander";
import { waitsFor } from "../rollout/watch-rollout.ts";

/** `--wait proved|configured`: until when a rollout is watched. */
export function waitOption(): Option {
  return new Option(
    "--wait <what>",
    "watch until no more nodes can be proved, or until their first-boot tasks have ended, too: configured, which is the default",
  ).choices(waitsFor);
}
