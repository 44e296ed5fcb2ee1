// Every word has a value of its own and every value but "unspecified" a word: a contract that grows without its words fails here.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BootTarget, UplinkSource } from "../../../../proto/gen/pallet/v1/controller.ts";
import { EventSeverity } from "../../../../proto/gen/pallet/v1/event.ts";
import { PartitionTable } from "../../../../proto/gen/pallet/v1/image.ts";
import { AgentRole } from "../../../../proto/gen/pallet/v1/node.ts";
import { DiskOutcome, OperationPhase, OperationState } from "../../../../proto/gen/pallet/v1/operation.ts";
import { ProofKind, ReimagePhase, ReimageVerdict, RolloutState } from "../../../../proto/gen/pallet/v1/rollout.ts";
import { agentRoles } from "../../../../proto/node/node-codec.ts";
import { operationStates } from "../../../../proto/operation/operation-codec.ts";
import { operationPhases } from "../../../../proto/operation/progress-codec.ts";
import { bootTargets } from "../../../../proto/words/boot-target.ts";
import { diskOutcomes } from "../../../../proto/words/disk-outcome.ts";
import { eventSeverities } from "../../../../proto/words/event-severity.ts";
import { partitionTableKinds } from "../../../../proto/words/partition-table-kind.ts";
import { proofKinds } from "../../../../proto/words/proof-kind.ts";
import { reimagePhases } from "../../../../proto/words/reimage-phase.ts";
import { reimageVerdicts } from "../../../../proto/words/reimage-verdict.ts";
import { rolloutStates } from "../../../../proto/words/rollout-state.ts";
import { uplinkSources } from "../../../../proto/words/uplink-source.ts";

const tables = {
  BootTarget: [BootTarget, bootTargets],
  UplinkSource: [UplinkSource, uplinkSources],
  EventSeverity: [EventSeverity, eventSeverities],
  PartitionTable: [PartitionTable, partitionTableKinds],
  AgentRole: [AgentRole, agentRoles],
  OperationPhase: [OperationPhase, operationPhases],
  OperationState: [OperationState, operationStates],
  ProofKind: [ProofKind, proofKinds],
  ReimagePhase: [ReimagePhase, reimagePhases],
  DiskOutcome: [DiskOutcome, diskOutcomes],
  ReimageVerdict: [ReimageVerdict, reimageVerdicts],
  RolloutState: [RolloutState, rolloutStates],
} as const;

describe("words of the wire", () => {
  for (const [name, [values, words]] of Object.entries(tables)) {
    it(`have one for each value of ${name}`, () => {
      const { toWire, fromWire } = words as {
        toWire(word: string): number;
        fromWire(value: number): string | undefined;
      };
      const seen = new Set<string>();
      for (const value of Object.values<string | number>(values)) {
        if (typeof value !== "number" || value < 1) continue;
        const word = fromWire(value);
        assert.ok(word !== undefined, `${name} ${value} has no word`);
        assert.equal(toWire(word), value);
        seen.add(word);
      }
      assert.ok(seen.size >= 2);
      assert.equal(fromWire(99), undefined);
    });
  }
});
