import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { describeBoots, describeRecovery } from "../../../../controller/nodes/describe-boots.ts";
import { type BootNews, type BootRun, judgeBoot } from "../../../../controller/nodes/judge-boots.ts";

const second = 1000;
const minute = 60_000;
const agent: BootNews = { kind: "begun", label: "agent", expected: true };
const local: BootNews = { kind: "begun", label: "local", expected: true };
const silentSystem: BootNews = { kind: "begun", label: "local", expected: false };
const loaded: BootNews = { kind: "loaded" };
const broken: BootNews = { kind: "broken" };
const waited: BootNews = { kind: "waited" };
const system: BootNews = { kind: "heard", role: "resident", target: "local" };
const looking: BootNews = { kind: "heard", role: "netboot", target: "local" };
const inAgent: BootNews = { kind: "heard", role: "netboot", target: "agent" };

type Timed = readonly [atMs: number, news: BootNews];

/** What is told of a story, each with its time, and what is known at its end. */
function live(story: readonly Timed[]): { told: readonly string[]; run: BootRun | undefined } {
  let run: BootRun | undefined;
  const told: string[] = [];
  for (const [at, news] of story) {
    const before = run;
    const judged = judgeBoot(run, news, at);
    run = judged.run;
    if (judged.told === "began") told.push(describeBoots(run, at)?.message ?? assert.fail());
    if (judged.told === "ended") told.push(describeRecovery("rack-1", before ?? assert.fail(), at));
  }
  return { told, run };
}

const every = (ms: number, times: number, ...news: readonly BootNews[]): Timed[] =>
  Array.from({ length: times }, (_, index) => news.map((each): Timed => [index * ms, each])).flat();
const then = (story: readonly Timed[], afterMs: number, ...news: readonly BootNews[]): Timed[] => [
  ...story,
  ...news.map((each): Timed => [(story.at(-1)?.[0] ?? 0) + afterMs, each]),
];

describe("the boots of a node", () => {
  const stories: readonly [title: string, story: readonly Timed[], told: readonly string[]][] = [
    [
      "that panics again and again are a loop, which ends when its system is heard",
      then(every(2 * minute, 7, local, loaded), 30 * second, system),
      ["boot loop: 4 boots in 6 min, last got to its kernel", "rack-1 is up, after 7 boots in 13 min"],
    ],
    [
      "that cannot load what its config says are a loop",
      every(3 * second, 8, agent),
      ["boot loop: 4 boots in 18 s, last got to its boot config"],
    ],
    ["that registers each time are none", every(2 * minute, 9, agent, loaded, inAgent), []],
    [
      "whose operator pulls the plug three times, and which then registers, are none",
      then(every(minute, 3, local, loaded), 40 * second, system),
      [],
    ],
    ["whose first boots reboot twice are none", then(every(minute, 3, local, loaded), minute, system, waited), []],
    [
      "that hangs in its kernel are told of once, and again when it is up",
      then(then(every(minute, 1, local, loaded), 10 * minute, waited, waited), 50 * minute, local, loaded, system),
      ["not up: last got to its kernel 10 min ago, not heard since", "rack-1 is up, after 2 boots in 60 min"],
    ],
    [
      "that never gets its kernel, because a transfer has no end, are told of",
      then(every(minute, 1, local), 11 * minute, waited),
      ["not up: last got to its boot config 11 min ago, not heard since"],
    ],
    [
      "whose transfers break off are told of",
      [
        ...every(minute, 1, agent),
        [20 * second, broken],
        [40 * second, broken],
        [minute, broken],
        [2 * minute, inAgent],
      ],
      ["transfers die: 3 broke off in 40 s, last got to its boot config", "rack-1 is up, after one boot in 2 min"],
    ],
    [
      "of which one transfer breaks off, and the next does not, are none",
      every(4 * minute, 3, agent, broken, broken, loaded),
      [],
    ],
    [
      "of a system without a resident agent are no news, however long nothing is heard",
      then(every(minute, 1, silentSystem, loaded), 60 * minute, waited),
      [],
    ],
    ["of such a system, now and then, are no loop", every(20 * minute, 20, silentSystem, loaded), []],
    [
      "of such a system are a loop when they come quickly, until it is left alone",
      then(every(minute, 6, silentSystem, loaded), 16 * minute, waited, waited),
      [
        "boot loop: 5 boots in 4 min, last got to its kernel",
        "rack-1 seems to be up, after 6 boots in 21 min: it has not booted again since",
      ],
    ],
    [
      "of such a system that comes back after a loop are another story",
      then(every(minute, 6, silentSystem, loaded), 20 * minute, silentSystem),
      [
        "boot loop: 5 boots in 4 min, last got to its kernel",
        "rack-1 seems to be up, after 6 boots in 25 min: it has not booted again since",
      ],
    ],
    [
      "that were sent into the agent for a look are not over by that, and not more by it",
      then(
        then(then(every(minute, 3, local, loaded), minute, agent, loaded, looking, looking), minute, local, loaded),
        minute,
        system,
      ),
      ["boot loop: 4 boots in 3 min, last got to its kernel", "rack-1 is up, after 4 boots in 5 min"],
    ],
    ["whose image is gone, so that it boots into the agent, are none", every(minute, 9, agent, loaded, looking), []],
  ];
  for (const [title, story, told] of stories) it(title, () => assert.deepEqual(live(story).told, told));

  it("are nothing of a node that is not booting", () => {
    for (const news of [loaded, broken, waited, system, inAgent]) assert.deepEqual(judgeBoot(undefined, news, 5), {});
  });

  it("tell of at most one beginning and one end of each trouble, alternating, whatever happens and whatever the clock says", () =>
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.oneof(fc.integer({ min: 0, max: 30_000 }), fc.integer({ min: -3_600_000, max: 3_600_000 })),
            fc.constantFrom(agent, local, silentSystem, loaded, broken, waited, system, looking, inAgent),
          ),
          { maxLength: 80 },
        ),
        (steps) => {
          let at = 1e12;
          let run: BootRun | undefined;
          let isTold = false;
          for (const [passed, news] of steps) {
            at += passed;
            const { run: next, told } = judgeBoot(run, news, at);
            if (told !== undefined) assert.equal(told, isTold ? "ended" : "began");
            isTold = told === undefined ? isTold : told === "began";
            assert.equal(next?.trouble !== undefined, isTold);
            assert.equal(describeBoots(next, at) !== undefined, isTold);
            assert.ok(next === undefined || (next.recent.length <= 5 && next.boots >= 0));
            run = next;
          }
          assert.deepEqual(judgeBoot(run, system, at), isTold ? { told: "ended" } : {});
        },
      ),
    ));

  it("never make a trouble of a node whose every boot is heard within its patience", () =>
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(agent, local), fc.integer({ min: 0, max: 9 * minute }), fc.nat(minute)), {
          maxLength: 60,
        }),
        (boots) => {
          let at = 0;
          const story: Timed[] = boots.flatMap(([begun, takes, pause]): Timed[] => {
            const started = at + pause;
            at = started + takes;
            const role = begun === agent ? inAgent : system;
            return [
              [started, begun],
              [started, loaded],
              [at, waited],
              [at, role],
            ];
          });
          assert.deepEqual(live(story), { told: [], run: undefined });
        },
      ),
    ));
});
