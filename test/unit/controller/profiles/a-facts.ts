import type { NodeFacts } from "../../../../proto/node/node-facts.ts";

/** What a Raspberry Pi measures about itself, changed as a test wants it. */
export function aFacts(change: Partial<NodeFacts> = {}): NodeFacts {
  return {
    model: "Raspberry Pi 4 Model B Rev 1.4",
    serial: "10000000abcdef01",
    memoryBytes: 2 ** 32,
    architecture: "arm64",
    kernel: "6.1.0",
    bootId: "00000000-0000-0000-0000-000000000001",
    interfaces: [],
    root: { source: "", disk: "", filesystemType: "" },
    ...change,
  } as NodeFacts;
}
