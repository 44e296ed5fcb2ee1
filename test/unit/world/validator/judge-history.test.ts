import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Entry, NewEntry } from "../../../world/history/history.ts";
import { type Invariant, invariants } from "../../../world/validator/finding.ts";
import { judgeHistory } from "../../../world/validator/judge-history.ts";

const mac = "02:00:00:00:00:01";
const minute = 60_000;
const reimage = {
  what: "reimage",
  reimage: "r1",
  rollout: "rollout-1",
  node: mac,
  image: "new",
  config: "tasks 1",
} as const;
const task = { what: "task", board: "pi-1", card: "card-1", reimage: "r1", task: "first" } as const;
const tasks = { what: "tasks", reimage: "r1", node: mac } as const;
const written = { kind: "image", image: "new", reimage: "r1", config: "tasks 1" } as const;
/** A hook that runs, and how it ends. */
function hook(when: string, name: string, told: string, is: "succeeded" | "failed" | undefined): readonly NewEntry[] {
  const about = { what: "hook", id: `r1_${when}_${name}`, hook: name, when } as const;
  const begun: NewEntry = { ...about, is: "begun", node: mac, reimage: "r1", told, timestamp: "" };
  return is === undefined ? [begun] : [begun, { ...about, is }];
}
const write = { operation: "o1", reimage: "r1" } as const;

/** A board that is reimaged once, and nothing goes wrong. */
const good: readonly (readonly [string, NewEntry | readonly NewEntry[]])[] = [
  ["board", { what: "board", board: "pi-1", mac, serial: "1" }],
  ["card", { what: "card", card: "card-1", content: { kind: "blank" } }],
  ["inserted", { what: "inserted", board: "pi-1", card: "card-1" }],
  ["discovered", { what: "node", node: mac, target: "agent" }],
  [
    "hooks",
    {
      what: "hooks",
      hooks: [
        { name: "drain", when: "before-reimage" },
        { name: "greet", when: "after-configured" },
        { name: "alarm", when: "after-failed" },
      ],
    },
  ],
  ["profiles", { what: "profiles", edition: "tasks 1", isBroken: false, tasks: ["first"] }],
  ["asked", { what: "rollout", rollout: "rollout-1", ended: false }],
  ["queued", { ...reimage, phase: "queued" }],
  ["preparing", { ...reimage, phase: "preparing" }],
  ["drain", hook("before-reimage", "drain", "preparing", "succeeded")],
  ["writing", { ...reimage, phase: "writing" }],
  ["operation", { what: "operation", board: "pi-1", disk: "/dev/mmcblk0", card: "card-1", ...write }],
  ["touched", { what: "touched", card: "card-1", ...write }],
  ["whole", { what: "whole", card: "card-1", content: written, ...write }],
  ["written", { what: "operation-ended", operation: "o1", how: "succeeded" }],
  ["rebooting", { ...reimage, phase: "rebooting" }],
  ["flipped", { what: "node", node: mac, target: "local", image: "new" }],
  ["up", { what: "up", board: "pi-1", boot: "b2", system: "card", kernelOf: "new" }],
  ["proved", { ...reimage, phase: "proved", boot: "b2", provedConfig: "tasks 1", hasTasks: true }],
  ["waits", { ...tasks, is: "running" }],
  ["task", { ...task, is: "succeeded" }],
  ["configured", { ...tasks, is: "configured" }],
  ["greet", hook("after-configured", "greet", "proved", "succeeded")],
  ["ended", { what: "rollout", rollout: "rollout-1", ended: true }],
  ["quiet", { what: "quiet" }],
  ["stands", { what: "stands", board: "pi-1", mac, in: "card", since: 12 * minute, card: "card-1" }],
  ["shown", { what: "shown", rollout: "rollout-1", state: "succeeded" }],
];

/** The same with other entries in the place of some; `undefined` takes one away, a list puts more there. */
function historyWith(changes: Readonly<Record<string, NewEntry | readonly NewEntry[] | undefined>>): readonly Entry[] {
  return good.flatMap(([name, entry], index) => {
    const changed = name in changes ? changes[name] : entry;
    const entries = changed === undefined ? [] : Array.isArray(changed) ? changed : [changed];
    return (entries as readonly NewEntry[]).map((each): Entry => ({ at: index * 5 * minute, ...each }));
  });
}

const entry = (name: string): NewEntry => {
  const [, found] = good.find(([each]) => each === name) ?? assert.fail(`there is no ${name}`);
  return found as NewEntry;
};
const cancelled = (message: string): NewEntry => ({ ...reimage, phase: "cancelled", message });
const inAgent: NewEntry = { what: "stands", board: "pi-1", mac, in: "agent", since: 12 * minute, card: "card-1" };

const broken: readonly (readonly [string, Invariant, readonly Entry[]])[] = [
  ["is proved before its write is over", "proved-is-true", historyWith({ whole: undefined })],
  [
    "is proved by a boot of the agent",
    "proved-is-true",
    historyWith({ up: { what: "up", board: "pi-1", boot: "b2", system: "agent" } }),
  ],
  [
    "is proved with the stamp of another",
    "proved-is-true",
    historyWith({ proved: { ...reimage, reimage: "r2", phase: "proved", boot: "b2" } }),
  ],
  [
    "says untouched after it wrote",
    "untouched-is-true",
    historyWith({ proved: { ...reimage, phase: "cancelled", message: "", verdict: "untouched" } }),
  ],
  [
    "says that there is no system where there is one",
    "verdict-names-the-card",
    historyWith({ proved: cancelled("its disk has no partition table") }),
  ],
  [
    "says that the image is there where it is not",
    "verdict-names-the-card",
    historyWith({ whole: undefined, proved: cancelled("its disk holds the image") }),
  ],
  [
    "has two writers",
    "one-writer",
    historyWith({ operation: [entry("operation"), { ...entry("operation"), operation: "o2" } as NewEntry] }),
  ],
  ["writes before it may", "writes-are-asked-for", historyWith({ writing: { ...reimage, phase: "checking" } })],
  [
    "writes to another board",
    "writes-are-asked-for",
    historyWith({ board: { what: "board", board: "pi-1", mac: "02:00:00:00:00:02", serial: "1" } }),
  ],
  [
    "writes to the data disk",
    "writes-are-asked-for",
    historyWith({ operation: { ...entry("operation"), card: "disk-1" } as NewEntry }),
  ],
  [
    "begins to write after its end",
    "no-write-after-the-end",
    historyWith({ writing: [entry("writing"), cancelled("")] }),
  ],
  [
    "goes on to write after its end",
    "no-write-after-the-end",
    historyWith({ touched: [entry("touched"), cancelled("")] }),
  ],
  ["flips before the write is over", "local-only-onto-its-image", historyWith({ whole: undefined })],
  ["leaves a proved node in the agent", "intact-stays-in-service", historyWith({ stands: inAgent })],
  [
    "leaves a board without anything",
    "nobody-is-lost",
    historyWith({ stands: { ...inAgent, in: "nothing" } as NewEntry }),
  ],
  [
    "leaves a board that restarts",
    "nobody-is-lost",
    historyWith({ stands: { ...inAgent, since: 125 * minute } as NewEntry }),
  ],
  ["never ends", "every-run-ends", historyWith({ ended: undefined })],
  ["has a node without a verdict", "every-run-ends", historyWith({ proved: undefined })],
  ["does not count a late proof", "late-proof-counts", historyWith({ proved: cancelled("") })],
  [
    "begins before a hook has succeeded",
    "hooks-come-first",
    historyWith({ drain: hook("before-reimage", "drain", "preparing", undefined) }),
  ],
  [
    "has written although a hook failed",
    "hooks-come-first",
    historyWith({
      drain: hook("before-reimage", "drain", "preparing", "failed"),
      proved: { ...reimage, phase: "failed", message: "", verdict: "unproved" },
    }),
  ],
  ["does not tell an end", "every-end-is-told", historyWith({ greet: undefined })],
  [
    "tells of an end that did not come",
    "hooks-have-a-reason",
    historyWith({ greet: hook("after-failed", "alarm", "failed: nothing", "succeeded") }),
  ],
  [
    "tells an end twice",
    "hooks-have-a-reason",
    historyWith({
      greet: [
        ...hook("after-configured", "greet", "proved", "succeeded"),
        ...hook("after-configured", "greet", "proved", "succeeded"),
      ],
    }),
  ],
  [
    "runs a hook for a node that it is not for",
    "hooks-have-a-reason",
    historyWith({ greet: hook("after-configured", "other", "proved", "succeeded") }),
  ],
  [
    "writes what the profiles do not say any more",
    "config-is-as-confirmed",
    historyWith({ writing: [{ ...(entry("profiles") as object), edition: "none" } as NewEntry, entry("writing")] }),
  ],
  [
    "writes another config than was confirmed",
    "config-is-as-confirmed",
    historyWith({
      whole: { what: "whole", card: "card-1", content: { ...written, config: "plain 1" }, ...write },
    }),
  ],
  [
    "writes what a hook gave for another node",
    "config-is-as-confirmed",
    historyWith({ whole: { what: "whole", card: "card-1", content: { ...written, gift: "r2" }, ...write } }),
  ],
  [
    "proves another config than was confirmed",
    "config-is-as-confirmed",
    historyWith({ proved: { ...(entry("proved") as object), provedConfig: "plain 1" } as NewEntry }),
  ],
  ["calls a node configured too early", "configured-is-true", historyWith({ task: { ...task, is: "failed" } })],
  [
    "proves a system without its tasks",
    "configured-is-true",
    historyWith({ proved: { ...(entry("proved") as object), hasTasks: false } as NewEntry }),
  ],
  [
    "does not hear of the last task",
    "late-tasks-count",
    historyWith({ configured: { ...tasks, is: "failed", message: "nothing was heard" } }),
  ],
  [
    "tries again what was proved",
    "retry-spares-the-proved",
    historyWith({
      ended: [
        { what: "answered", request: { ask: "retry", of: "rollout-1", rollout: "rollout-2" } },
        { ...reimage, reimage: "r2", rollout: "rollout-2", phase: "queued" },
      ],
    }),
  ],
  [
    "shows a success that it is not",
    "rollout-says-it",
    historyWith({ configured: { ...tasks, is: "failed", message: "its task first failed" } }),
  ],
  ["tells a secret", "secrets-stay-secret", historyWith({ quiet: { what: "leak", where: "pallet.sqlite" } })],
  [
    "moves the target of a node that it has nothing to do with",
    "nobody-else-moves-a-target",
    historyWith({
      quiet: [
        { what: "node", node: "02:00:00:00:00:09", target: "local", image: "new" },
        { what: "node", node: "02:00:00:00:00:09", target: "agent" },
      ],
    }),
  ],
];

describe("the validator", () => {
  it("has nothing against a history in which nothing goes wrong", () => {
    assert.deepEqual(judgeHistory(historyWith({})), []);
  });

  for (const [what, invariant, history] of broken) {
    it(`finds a history that ${what}`, () => {
      const found = judgeHistory(history).map((finding) => finding.invariant);
      assert.ok(found.includes(invariant), `found only: ${found.join(", ") || "nothing"}`);
    });
  }

  it("is shown to find each kind", () => {
    const shown = new Set(broken.map(([, invariant]) => invariant));
    assert.deepEqual(
      Object.keys(invariants).filter((each) => !shown.has(each as Invariant)),
      [],
    );
  });
});
