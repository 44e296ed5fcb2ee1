// A handful of what world.test.ts plays, for the quick check.
import { test } from "node:test";
import { assertSeeds } from "./judge-seeds.ts";

test("a few racks to which anything may happen", () => assertSeeds(10_001, 6));
