import { open } from "node:fs/promises";
import { Failure } from "../../proto/failure.ts";

/**
 * Refuses, with a Failure `invalid`, an agent that a 64-bit Pi could not start: it must be an ELF file for AArch64
 * (elf(5): magic number, e_machine 183), or a script.
 */
export async function checkAgent(path: string): Promise<void> {
  const head = Buffer.alloc(20);
  try {
    const file = await open(path, "r");
    try {
      await file.read(head, 0, head.length, 0);
    } finally {
      await file.close();
    }
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code === "ENOENT" ? "there is no such file" : (cause as Error).message;
    throw new Failure(
      "invalid",
      `cannot read the agent ${path}: ${why}; name one by --agent (npm run build:binaries makes it)`,
      { cause },
    );
  }
  const isElf = head.toString("latin1", 0, 4) === "\x7fELF";
  if (isElf && head.readUInt16LE(18) === 183) return;
  if (head.toString("latin1", 0, 2) === "#!") return;
  throw new Failure("invalid", `${path} is no program for arm64 Linux: a node could not start it as its agent`, {
    expected: "ELF for AArch64 (machine 183), or a script",
    found: isElf ? `ELF for machine ${head.readUInt16LE(18)}` : "neither",
  });
}
