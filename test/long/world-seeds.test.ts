// The model of the world (test/world), with seeds that `npm test` does not play.
import { test } from "node:test";
import { assertSeeds } from "../world/judge-seeds.ts";

test("2,000 racks to which anything may happen", () => assertSeeds(100_001, 2_000));
