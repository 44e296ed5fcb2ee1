import { z } from "zod";
import { Failure, messageOf } from "../../proto/failure.ts";

/** Where it lies. */
export const journalFile = "/var/lib/pallet/setup.json";

/** The version of its format. */
const version = 1;

const schema = z.object({
  version: z.literal(version),
  /** applying, undoing: begun, and perhaps not ended. */
  phase: z.enum(["applying", "applied", "undoing"]),
  choice: z.object({
    uplink: z.string().optional(),
    /** Its MAC address, in setups of a version that notes it. */
    uplinkMac: z.string().optional(),
    address: z.string(),
    prefixLength: z.number().int(),
  }),
  /** The rack's interface: its MAC address, and what it was called before. */
  rack: z.object({ mac: z.string(), name: z.string(), isUp: z.boolean(), addresses: z.array(z.string()) }),
  /**
   * Every path that was written or may have been, in that order, with the digests of all that a setup wrote there: what
   * is there and has none of these is somebody else's.
   */
  files: z.array(
    z.object({
      path: z.string(),
      digests: z.array(z.string()),
      /** The file that was there before, and that an undo puts back. */
      replaced: z.object({ text: z.string(), mode: z.number().int() }).exactOptional(),
    }),
  ),
  /** Folders that were made for them, outermost first. */
  folders: z.array(z.string()),
  /** How it was before the first change. */
  former: z.object({
    forwards: z.boolean(),
    active: z.array(z.string()),
    /** Whether there was the controller's user; absent of a setup that knew none. */
    user: z.boolean().optional(),
  }),
});

/** What a setup noted before it changed anything: enough to undo it, and to go on where it was. */
export type Journal = Readonly<z.infer<typeof schema>>;

/** Reads it. Throws Failure "unsupported" for one of a newer version, "invalid" for what is none. */
export function parseJournal(text: string): Journal {
  const remedy = `it says what "controller setup" changed here; put it back from a backup, or undo the setup by hand and remove it`;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Failure("invalid", `${journalFile} is damaged (${messageOf(cause)}): ${remedy}`, { cause });
  }
  const found = z.object({ version: z.number() }).safeParse(value);
  if (found.success && found.data.version > version)
    throw new Failure(
      "unsupported",
      `${journalFile} was written by a newer version of Pallet (format ${found.data.version}, this one knows ${version}): use that version`,
    );
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new Failure("invalid", `${journalFile} is damaged (${issue?.path.join(".")}: ${issue?.message}): ${remedy}`);
}

export function renderJournal(journal: Omit<Journal, "version">): string {
  return `${JSON.stringify({ version, ...journal }, undefined, 2)}\n`;
}
