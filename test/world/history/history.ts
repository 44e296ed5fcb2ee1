/** What is on a card. */
export type Content =
  | { readonly kind: "blank" }
  /** A system that Pallet did not install; no agent of ours in it. */
  | { readonly kind: "foreign" }
  /** A write has begun and not ended: no partition table. */
  | { readonly kind: "torn" }
  | {
      readonly kind: "image";
      /** The image's name. */
      readonly image: string;
      /** The reimage that its stamp names. */
      readonly reimage: string;
      /** The edition of the profiles that its system was made by, and what hooks gave for it. */
      readonly config?: string;
      readonly gift?: string;
    };

/** What an operator asks of the controller. */
export type Ask =
  /** No nodes: all that are accepted. */
  | {
      readonly ask: "reimage";
      readonly nodes: readonly string[];
      readonly image: string;
      readonly rollout: string;
      readonly noGrow?: boolean;
    }
  | { readonly ask: "cancel"; readonly rollout: string }
  | { readonly ask: "boot"; readonly node: string; readonly target: "agent" | "local"; readonly image?: string }
  | { readonly ask: "reboot"; readonly node: string }
  | { readonly ask: "forget"; readonly node: string }
  /** Those of a rollout that have failed, once more. */
  | { readonly ask: "retry"; readonly of: string; readonly rollout: string }
  | { readonly ask: "retry-tasks"; readonly node: string }
  | { readonly ask: "accept"; readonly node: string };

/** What really happened. Boards by their names, nodes by MAC address, images by name. */
type Truth =
  | { readonly what: "board"; readonly board: string; readonly mac: string; readonly serial: string }
  | { readonly what: "card"; readonly card: string; readonly content: Content }
  | { readonly what: "inserted"; readonly board: string; readonly card: string }
  | { readonly what: "power"; readonly board: string; readonly on: boolean }
  | { readonly what: "address"; readonly board: string; readonly address: string }
  /** What the board was told to boot. */
  | { readonly what: "config"; readonly board: string; readonly label: string; readonly image?: string }
  | {
      readonly what: "up";
      readonly board: string;
      readonly boot: string;
      readonly system: "agent" | "card";
      readonly kernelOf?: string;
    }
  | { readonly what: "down"; readonly board: string; readonly boot: string; readonly why: string }
  | { readonly what: "stuck"; readonly board: string; readonly why: string }
  /** An agent began an operation that writes; nothing has been erased yet. */
  | {
      readonly what: "operation";
      readonly board: string;
      readonly disk: string;
      readonly card: string;
      readonly operation: string;
      readonly reimage: string;
    }
  | { readonly what: "touched"; readonly card: string; readonly operation: string; readonly reimage: string }
  | {
      readonly what: "whole";
      readonly card: string;
      readonly operation: string;
      readonly reimage: string;
      readonly content: Content;
    }
  /** A task of a system that runs. */
  | {
      readonly what: "task";
      readonly board: string;
      readonly card: string;
      readonly reimage: string;
      readonly task: string;
      readonly is: "started" | "succeeded" | "failed";
    }
  /** The operator's profiles say this from now on. */
  | {
      readonly what: "profiles";
      readonly edition: string;
      /** For which images it is; absent: for all. */
      readonly images?: readonly string[];
      /** Whether it cannot be rendered for any node. */
      readonly isBroken: boolean;
      /** The tasks of a system that is made by it. */
      readonly tasks: readonly string[];
    }
  /** The operator's hooks, in their order; none but these are for any node. */
  | {
      readonly what: "hooks";
      readonly hooks: readonly { readonly name: string; readonly when: string; readonly gives?: boolean }[];
    }
  /** A hook runs: begun, or how it ended; one that its controller ended is repeated, one that a kill ended says nothing. */
  | {
      readonly what: "hook";
      readonly id: string;
      readonly hook: string;
      readonly when: string;
      readonly node: string;
      readonly reimage: string;
      /** What it was told of the reimage, and the timestamp of that. */
      readonly told: string;
      readonly timestamp: string;
      readonly is: "begun";
    }
  | {
      readonly what: "hook";
      readonly id: string;
      readonly hook: string;
      readonly when: string;
      readonly is: "succeeded" | "failed" | "ended";
      /** For the profiles of the node, when it has succeeded. */
      readonly gave?: string;
    }
  /** A secret of the profiles was found where none may be. */
  | { readonly what: "leak"; readonly where: string }
  | { readonly what: "operation-ended"; readonly operation: string; readonly how: string }
  | { readonly what: "accident"; readonly text: string }
  /** Nothing passes between a board and the network for so long. */
  | { readonly what: "cut"; readonly board: string; readonly forMs: number }
  /** The controller could not save something: its disk was full. */
  | { readonly what: "not-saved" }
  /** The state of the controller is gone, while it does not run. */
  | { readonly what: "database-lost" }
  | { readonly what: "quiet" }
  /** How a board stands at the end; `since` is when its present boot came up. */
  | {
      readonly what: "stands";
      readonly board: string;
      readonly mac: string;
      readonly in: "agent" | "card" | "nothing";
      readonly since: number;
      readonly card: string;
      readonly address?: string;
    };

/** What the controller said, or kept. */
type Said =
  | { readonly what: "controller"; readonly is: "up" | "killed" | "stopped" }
  | {
      readonly what: "node";
      readonly node: string;
      readonly target: "agent" | "local";
      readonly image?: string;
      readonly proved?: string;
      /** Of the board that the record is about, as far as that is known. */
      readonly serial?: string;
    }
  | { readonly what: "forgotten"; readonly node: string }
  | {
      readonly what: "reimage";
      readonly reimage: string;
      readonly rollout: string;
      readonly node: string;
      readonly image: string;
      readonly phase: string;
      /** Of an end that is not proved. */
      readonly message?: string;
      /** What it says of the card then: "untouched", "no-system", "unproved" or "unknown". */
      readonly verdict?: string;
      /** Of a proof: the boot. */
      readonly boot?: string;
      /** Of a proof: the edition of the profiles that it names. */
      readonly provedConfig?: string;
      /** Of a proof: whether the system has tasks, for which the rollout waits. */
      readonly hasTasks?: boolean;
      /** The edition of the profiles that was confirmed. */
      readonly config?: string;
    }
  /** Where the tasks of a proved node stand. */
  | {
      readonly what: "tasks";
      readonly reimage: string;
      readonly node: string;
      readonly is: string;
      /** Why they are given up. */
      readonly message?: string;
    }
  /** How the controller shows a rollout in the end. */
  | { readonly what: "shown"; readonly rollout: string; readonly state: string }
  | { readonly what: "rollout"; readonly rollout: string; readonly ended: boolean }
  | { readonly what: "event"; readonly type: string; readonly node?: string; readonly message: string }
  | { readonly what: "answered"; readonly request: Ask; readonly refusal?: string };

/** One line of a history; `at` in milliseconds of the world's time since its beginning. */
export type Entry = { readonly at: number } & (Truth | Said);

/** An entry without its time. */
export type NewEntry = Truth | Said;

/** Takes down what happens. */
export interface Recorder {
  note(entry: NewEntry): void;
  /** Tells of every entry from now on. */
  listen(listener: (entry: Entry) => void): void;
  readonly entries: readonly Entry[];
}

export function createRecorder(clock: { now(): number }): Recorder {
  const startedAt = clock.now();
  const entries: Entry[] = [];
  const listeners: ((entry: Entry) => void)[] = [];
  return {
    entries,
    note(entry) {
      const noted: Entry = { at: clock.now() - startedAt, ...entry };
      entries.push(noted);
      for (const listener of listeners) listener(noted);
    },
    listen: (listener) => void listeners.push(listener),
  };
}
