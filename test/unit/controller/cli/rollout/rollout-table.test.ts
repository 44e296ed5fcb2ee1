import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { renderBar } from "../../../../../controller/cli/render/render-bar.ts";
import { textWidth } from "../../../../../controller/cli/render/text-width.ts";
import {
  renderRolloutChanges,
  renderRolloutProgress,
} from "../../../../../controller/cli/rollout/render-rollout-lines.ts";
import { renderRolloutSummary } from "../../../../../controller/cli/rollout/render-rollout-summary.ts";
import {
  type RolloutTableOptions,
  renderRolloutTable,
} from "../../../../../controller/cli/rollout/render-rollout-table.ts";
import { renderRollouts } from "../../../../../controller/cli/rollout/render-rollouts.ts";
import { reimagePercent, totalRollout } from "../../../../../controller/cli/rollout/rollout-progress.ts";
import { FailureReason } from "../../../../../proto/gen/pallet/v1/failure.ts";
import { OperationPhase } from "../../../../../proto/gen/pallet/v1/operation.ts";
import { ConfigurationState, ReimagePhase, RolloutState } from "../../../../../proto/gen/pallet/v1/rollout.ts";
import { assertGolden } from "../../../../golden.ts";
import { aFailure, aProof, aReimage, aRollout, aWeakProof, aWrite, ended, motley, now, view } from "../a-rollout.ts";

const plain: RolloutTableOptions = { color: false, unicode: true, width: 100, height: 40, now };

const text = (lines: readonly string[]) => `${lines.join("\n")}\n`;

const GiB = 2n ** 30n;

describe("live table of a rollout", () => {
  for (const [name, options] of [
    ["wide", { width: 120 }],
    ["middling", { width: 80 }],
    ["narrow", { width: 56 }],
    ["very-narrow", { width: 30 }],
    ["colours", { width: 100, color: true }],
    ["ascii", { width: 100, unicode: false }],
    ["low", { width: 100, height: 10 }],
    ["lowest", { width: 100, height: 3 }],
    ["lost", { width: 100, notice: "The controller has not answered for 12s; trying again." }],
  ] as const)
    it(`${name}: as in the golden file`, () => {
      assertGolden(`cli/rollout-table-${name}`, text(renderRolloutTable(view(motley), { ...plain, ...options })));
    });

  it("is never wider or higher than the terminal", () => {
    const many = aRollout([
      ...Array.from({ length: 30 }, (_, index) => aWrite(`node-${index}`, OperationPhase.OPERATION_PHASE_WRITING, GiB)),
      aFailure("a-node-with-a-name-that-is-as-long-as-host-names-may-be-at-most-63", {
        message: "日本\u001b[2J".repeat(40),
      }),
      aProof("done"),
    ]);
    for (let width = 1; width <= 140; width += 1)
      for (const height of [1, 2, 5, 7, 12, 60]) {
        const lines = renderRolloutTable(view(many), { ...plain, width, height });
        assert.ok(lines.length <= height, `${lines.length} lines at height ${height}`);
        if (width < 30) continue; // below that a name and a phase have no room; the terminal wraps
        for (const line of lines) assert.ok(textWidth(line) <= width, `at ${width}: ${line}`);
      }
  });

  it("keeps what failed and what runs in sight when there are more nodes than rows, and sums up the rest", () => {
    const rollout = aRollout([
      ...Array.from({ length: 9 }, (_, index) => aProof(`done-${index}`)),
      ...Array.from({ length: 9 }, (_, index) => aReimage(`waiting-${index}`)),
      aWrite("working", OperationPhase.OPERATION_PHASE_WRITING, GiB),
      aFailure("broken"),
    ]);
    const lines = renderRolloutTable(view(rollout), { ...plain, height: 9 });
    assert.match(lines[2] ?? "", /^broken +failed/);
    assert.match(lines[3] ?? "", /^working +writing/);
    assert.match(lines[4] ?? "", /^waiting-0 +queued/);
    assert.equal(lines[5], "and 17 more: 8 queued, 9 proved");
  });

  it("stays in place while phases change: the bars of all rows begin in one column", () => {
    const lines = renderRolloutTable(view(motley), plain).filter((line) => /[█░]/.test(line));
    assert.equal(new Set(lines.map((line) => line.search(/[█▏▎▍▌▋▊▉░]/))).size, 1);
  });

  it("does not let a node's name reach the terminal as control characters", () => {
    const lines = renderRolloutTable(view(aRollout([aReimage("evil\u001b[2J")])), plain);
    assert.ok(lines.every((line) => line === stripVTControlCharacters(line)));
    assert.ok(lines.some((line) => line.startsWith("evil\\x1b[2J")));
  });
});

describe("progress of a node", () => {
  const percentOf = (...args: Parameters<typeof aWrite>) => {
    const [reimage] = view(aRollout([aWrite(...args)])).reimages;
    assert.ok(reimage);
    return reimagePercent(reimage);
  };

  it("is never above 100 %, whatever an agent reports", () => {
    assert.ok(percentOf("x", OperationPhase.OPERATION_PHASE_WRITING, 9n * GiB) <= 100);
    assert.equal(renderBar(150, 10, { unicode: true }).done, "█".repeat(10));
    assert.equal(renderBar(Number.NaN, 10, { unicode: true }).done, "");
  });

  it("has a full bar only at 100 %", () => {
    assert.notEqual(renderBar(99.99, 10, { unicode: true }).done, "█".repeat(10));
    assert.equal(renderBar(99.99, 10, { unicode: false }).left, ".");
  });

  it("moves forward along the journey, by the table and not by the numbers of the enum", () => {
    const journey = [
      aReimage("x"),
      aReimage("x", { phase: ReimagePhase.REIMAGE_PHASE_NETBOOTING }),
      aReimage("x", { phase: ReimagePhase.REIMAGE_PHASE_CHECKING }),
      aReimage("x", { phase: ReimagePhase.REIMAGE_PHASE_WAITING_TO_WRITE }),
      aWrite("x", OperationPhase.OPERATION_PHASE_ERASING, 0n),
      aWrite("x", OperationPhase.OPERATION_PHASE_COMPARING, GiB / 2n),
      aWrite("x", OperationPhase.OPERATION_PHASE_COMPARING, GiB),
      aWrite("x", OperationPhase.OPERATION_PHASE_WRITING, GiB / 2n),
      aWrite("x", OperationPhase.OPERATION_PHASE_WRITING, 2n * GiB),
      aWrite("x", OperationPhase.OPERATION_PHASE_SYNCING, 2n * GiB),
      aWrite("x", OperationPhase.OPERATION_PHASE_VERIFYING, GiB),
      aWrite("x", OperationPhase.OPERATION_PHASE_CUSTOMISING, 0n),
      aWrite("x", OperationPhase.OPERATION_PHASE_WRITING_TABLE, 0n),
      aReimage("x", { phase: ReimagePhase.REIMAGE_PHASE_REBOOTING }),
      aReimage("x", { phase: ReimagePhase.REIMAGE_PHASE_PROVING }),
      aProof("x"),
    ];
    const percents = view(aRollout(journey)).reimages.map(reimagePercent);
    assert.deepEqual(
      percents,
      percents.toSorted((a, b) => a - b),
    );
    assert.equal(percents.at(-1), 100);
    assert.equal(new Set(percents.slice(4, 9)).size, 5, "it moves within what counts bytes");
  });

  it("adds up: nodes that have ended count as done with", () => {
    const totals = totalRollout(view(ended));
    assert.deepEqual(
      { ...totals },
      {
        nodes: 3,
        proved: 1,
        failed: 1,
        cancelled: 1,
        queued: 0,
        waiting: 0,
        running: 0,
        percent: 100,
        bytesPerSecond: 0,
      },
    );
    assert.equal(totalRollout(view(aRollout([]))).percent, 0);
  });
});

describe("lines for pipes", () => {
  it("tell where every node stands at first, and later only what changed", () => {
    const before = view(motley);
    assertGolden("cli/rollout-lines", text(renderRolloutChanges(undefined, before, now)));
    assert.deepEqual(renderRolloutChanges(before, before, now), []);
    const after = view(aRollout([aProof("rack-2")]));
    assert.deepEqual(renderRolloutChanges(before, after, now), [
      "2026-11-23T00:20:00Z rack-2: proved: runs from /dev/mmcblk0p2",
    ]);
  });

  it("do not change with the bytes alone", () => {
    const at = (bytes: bigint) => view(aRollout([aWrite("a", OperationPhase.OPERATION_PHASE_WRITING, bytes)]));
    assert.deepEqual(renderRolloutChanges(at(1n), at(GiB), now), []);
  });

  it("tell of a write that was begun again", () => {
    const first = view(aRollout([aWrite("a", OperationPhase.OPERATION_PHASE_WRITING, 1n)]));
    const second = view(aRollout([aWrite("a", OperationPhase.OPERATION_PHASE_WRITING, 1n, { attempts: 2 })]));
    assert.match(renderRolloutChanges(first, second, now)[0] ?? "", /writing \/dev\/mmcblk0 \(attempt 2\)$/);
  });

  it("sum up the rollout", () => {
    assert.equal(
      renderRolloutProgress(view(motley), now),
      "2026-11-23T00:20:00Z progress: 55%, 1 failed, 1 cancelled, 4 running, 1 waiting, 1 queued, 1 proved, 164.2 MiB/s",
    );
  });
});

describe("the first-boot tasks of proved nodes", () => {
  const { CONFIGURATION_STATE_RUNNING, CONFIGURATION_STATE_CONFIGURED, CONFIGURATION_STATE_FAILED } =
    ConfigurationState;
  const join = {
    reason: FailureReason.FAILURE_REASON_TOOL_FAILED,
    message:
      'rack-3 is proved, but its task join failed: exit code 7; mend the cause, then "controller tasks retry rack-3"',
    found: "joining\nthe cluster is not there",
  };
  const rollout = (...reimages: Parameters<typeof aRollout>[0]) => view(aRollout(reimages));
  const running = {
    ...aProof("rack-1"),
    configuration: { state: CONFIGURATION_STATE_RUNNING, tasks: 4, succeeded: 1, task: "update" },
  };
  const configured = {
    ...aProof("rack-2"),
    configuration: { state: CONFIGURATION_STATE_CONFIGURED, tasks: 2, succeeded: 2 },
  };
  const failed = {
    ...aProof("rack-3"),
    configuration: { state: CONFIGURATION_STATE_FAILED, tasks: 2, succeeded: 1, task: "join", failure: join },
  };

  it("are shown in the live table, those that failed first where there is no room for all", () => {
    const table = renderRolloutTable(rollout(running, configured, failed), { ...plain, width: 120 }).join("\n");
    assert.match(table, /^rack-1 +configuring .* 96%/m);
    assert.match(table, /^rack-2 +configured .*100%/m);
    assert.match(table, /^rack-3 +tasks failed +rack-3 is proved, but its task join failed/m);
    assert.match(table, /1 failed, 1 running, 1 proved/);
    const low = renderRolloutTable(rollout(configured, running, failed), { ...plain, height: 7 }).join("\n");
    assert.match(low, /^rack-3/m);
    assert.match(low, /and 2 more: 1 running, 1 proved/);
  });

  it("are told as they go on, in a pipe", () => {
    const lines = (next: Parameters<typeof aRollout>[0][number]) =>
      renderRolloutChanges(undefined, rollout(next), now).join("\n");
    assert.match(lines(running), /rack-1: configuring: task update \(1 of 4 have succeeded\)$/);
    assert.match(lines(configured), /rack-2: configured$/);
    assert.match(lines(failed), /rack-3: tasks failed: rack-3 is proved, but its task join/);
  });

  it("are in the summary, with what a failed one wrote last", () => {
    const ended = view(aRollout([configured, failed], { state: RolloutState.ROLLOUT_STATE_FAILED }));
    assertGolden("cli/rollout-summary-tasks", text(renderRolloutSummary(ended, plain, now)));
  });
});

describe("summary of a rollout", () => {
  it("tells what became of every node, why, on what evidence, and what to do", () => {
    assertGolden("cli/rollout-summary", text(renderRolloutSummary(view(ended), plain, now)));
  });

  it("names a weak proof as such, in every form", () => {
    const rollout = view(
      aRollout([aProof("rack-1"), aWeakProof("rack-2")], { state: RolloutState.ROLLOUT_STATE_SUCCEEDED }),
    );
    assertGolden("cli/rollout-summary-weak", text(renderRolloutSummary(rollout, plain, now)));
    assert.match(renderRolloutTable(rollout, plain).join("\n"), /^rack-2 +proved \(weak\)/m);
    assert.match(
      renderRolloutChanges(undefined, rollout, now).join("\n"),
      /rack-2: proved \(weak: it fetched the image's kernel, and TCP port 22 of 10\.77\.0\.12 is open\)$/m,
    );
  });

  it("keeps a tool's many lines apart and harmless", () => {
    const rollout = view(aRollout([aFailure("rack-4", { message: "mkfs failed:\nline \u001b[31mtwo" })]));
    const lines = renderRolloutSummary(rollout, plain, now);
    assert.ok(lines.includes("rack-4: mkfs failed:"));
    assert.ok(lines.includes("  line \\x1b[31mtwo"));
  });
});

describe("list of rollouts", () => {
  it("shows ids in full", () => {
    assertGolden(
      "cli/rollouts-narrow",
      text(renderRollouts([view(motley), view(ended)], { ...plain, width: 60 }, now)),
    );
  });
});
