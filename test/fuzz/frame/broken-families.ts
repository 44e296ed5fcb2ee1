import fc from "fast-check";
import { Failure } from "../../../proto/failure.ts";
import { family, unlessRefused } from "./family.ts";

/** Families of parsers that are broken in each way that the frame has to find. */
export const groups = {
  broken: [
    family<string>({ name: "sound", inputs: fc.string(), check: () => {} }),
    family<number>({
      name: "throws",
      inputs: fc.nat(100_000),
      check: (input) => {
        if (input >= 1_000) throw new TypeError(`${input} is too much for it`);
      },
    }),
    family<Uint8Array>({
      name: "never ends",
      inputs: fc.uint8Array({ maxLength: 8 }),
      check: (input) => {
        while (input.length === 5);
      },
    }),
    family<string>({
      name: "waits for ever",
      inputs: fc.constantFrom("a", "b"),
      check: (input) => (input === "b" ? new Promise(() => {}) : undefined),
    }),
    family<bigint>({
      name: "takes all memory",
      inputs: fc.bigInt({ min: 0n, max: 2n ** 64n }),
      check: (input) => {
        const kept: unknown[] = [];
        while (input > 2n ** 60n) kept.push(Buffer.alloc(1 << 20, 1));
      },
    }),
    family<string>({
      name: "repeats what it refuses",
      inputs: fc.nat(10_000).map((length) => "x".repeat(length)),
      check: (input) => {
        unlessRefused(() => {
          throw new Failure("invalid", `not ${input}`);
        });
      },
    }),
    family<string>({
      name: "throws what it does not declare",
      inputs: fc.json(),
      check: (input) => {
        unlessRefused(() => JSON.parse(input.slice(1)), RangeError);
      },
    }),
  ],
};
