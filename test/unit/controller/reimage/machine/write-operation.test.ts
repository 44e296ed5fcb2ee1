import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { judgeOccupant, writeOperationId } from "../../../../../controller/reimage/machine/write-operation.ts";
import type { ReimageId } from "../../../../../controller/reimage/plan/rollout.ts";

const own = randomUUID() as string as ReimageId;
const other = randomUUID() as string as ReimageId;

for (const [operation, whose] of [
  [writeOperationId(own, 1), "own"],
  [writeOperationId(own, 12), "own"],
  [writeOperationId(other, 1), "left-behind"],
  [`by-hand-${randomUUID()}`, "foreign"],
  [own, "foreign"],
  ["", "foreign"],
] as const)
  test(`the operation "${operation}" is ${whose}`, () => assert.equal(judgeOccupant(own, operation), whose));
