import type { TestContext } from "node:test";
import type { FailureReason } from "../../../proto/gen/pallet/v1/failure.ts";
import type { StatusName } from "../calls.ts";
import type { World } from "./world.ts";

/** What one test of an RPC does; it throws when what it finds is wrong. */
export type Check = (world: World, test: TestContext) => Promise<void>;

/** A call that has to be refused. */
export interface Refusal {
  /** In which case, to finish the test's title. */
  readonly when: string;
  /** Reason of the pallet.v1.Failure that the trailers have to carry. */
  readonly reason: keyof typeof FailureReason;
  /** What its message has to name: the thing, or the remedy. */
  readonly says: RegExp;
  /** Brings the case about, calls, and returns or awaits the call. */
  readonly call: (world: World, test: TestContext) => Promise<unknown>;
}

/** The tests of one RPC. */
export interface RpcChecks {
  /** Keyed by title; at least one. */
  readonly success: Readonly<Record<string, Check>>;
  /** At least one for each status that the contract documents for the RPC. */
  readonly errors?: Readonly<Partial<Record<StatusName, readonly Refusal[]>>>;
  /** What becomes of the work when its caller cancels or its deadline passes, keyed by title. */
  readonly abandoned?: Readonly<Record<string, Check>>;
}

/** The tests of RPCs of one service, by the name of the method. */
export type ServiceChecks = Readonly<Record<string, RpcChecks>>;
