import type { Node } from "../../controller/nodes/node.ts";
import type { ReimageState } from "../../controller/reimage/machine/reimage-state.ts";
import type { Store } from "../../controller/store/open-store.ts";
import type { NodeId } from "../../proto/names/node-id.ts";
import type { Recorder } from "./history/history.ts";
import { imageOfDigest } from "./images.ts";

/** What happens to the next saves of journal and nodes. */
export interface StoreFaults {
  /** So many fail, as on a full disk. */
  failing: number;
  /** Called before and after each; may end the controller. */
  onSave(when: "before" | "after", of: SaveKind): void;
}

/** What is saved: the end of a reimage or of its tasks, hooks that wait or one that has run, or anything else. */
export type SaveKind = "end" | "hooks" | "other";

/**
 * A store between the controller and its database that takes down what the controller keeps, which is all that it has
 * really said; and through which nothing gets any more once the controller was killed.
 */
export function observeStore(
  store: Store,
  life: AbortSignal,
  { note }: Recorder,
  { faults, editionOfDigest }: { readonly faults: StoreFaults; readonly editionOfDigest: (digest: string) => string },
): Store {
  const kept = new Map<string, string>();
  /**
   * What saveAll has saved and is not in the database yet. Most is what was heard of nodes every few seconds, and SQLite
   * would take a third of a world's processor time for it; that it is there whenever somebody looks is what counts.
   */
  const held = new Map<NodeId, Node>();
  const putHeld = (): void => {
    store.nodes.saveAll([...held.values()]);
    held.clear();
  };

  const alive = (): void => {
    if (life.aborted) throw new Error("the controller was killed");
  };

  function saving(write: () => void, say: () => void, of: SaveKind = "other"): void {
    alive();
    faults.onSave("before", of);
    alive();
    if (faults.failing > 0) {
      faults.failing -= 1;
      note({ what: "not-saved" });
      throw new Error("database or disk is full");
    }
    write();
    say();
    faults.onSave("after", of);
    alive();
  }

  function sayNode({ id, bootTarget, proved, board, facts }: Node): void {
    const serial = board?.serial ?? facts?.serial;
    const image = bootTarget.kind === "local" ? nameOf(bootTarget.imageDigest) : undefined;
    const said = {
      what: "node",
      node: id,
      target: bootTarget.kind,
      ...(image !== undefined && { image }),
      ...(proved && { proved: nameOf(proved.imageDigest) }),
      ...(serial !== undefined && { serial }),
    } as const;
    const text = JSON.stringify(said);
    if (kept.get(id) === text) return;
    kept.set(id, text);
    note(said);
  }

  function sayTasks({ id, nodeId, phase }: ReimageState): void {
    if (phase.name !== "proved" || phase.configuration === undefined) return;
    const { state, failure } = phase.configuration;
    const key = `tasks of ${id}`;
    if (kept.get(key) === state) return;
    kept.set(key, state);
    note({ what: "tasks", reimage: id, node: nodeId, is: state, ...(failure && { message: failure.message }) });
  }

  function sayReimage(state: ReimageState): void {
    const { id, rolloutId, nodeId, imageDigest, phase, config } = state;
    const key = `${id}/${phase.name}/${state.step}`;
    if (kept.get(id) === key) return;
    kept.set(id, key);
    note({
      ...{ what: "reimage", reimage: id, rollout: rolloutId, node: nodeId, image: nameOf(imageDigest) },
      phase: phase.name,
      ...((phase.name === "failed" || phase.name === "cancelled") && {
        message: phase.failure.message,
        ...("verdict" in phase && { verdict: String(phase.verdict) }),
      }),
      ...(phase.name === "proved" &&
        phase.proof.kind === "resident" && {
          boot: phase.proof.bootId,
          ...(phase.proof.config !== undefined && { provedConfig: editionOfDigest(phase.proof.config) }),
        }),
      ...(phase.name === "proved" && { hasTasks: phase.configuration !== undefined }),
      ...(config !== undefined && { config: editionOfDigest(config.digest) }),
    });
  }

  /** Whether it says more of an end than what was kept before: its first save, not that its last effects are done. */
  function saysEnd({ id, step, phase }: ReimageState): boolean {
    if (phase.name === "proved" && phase.configuration !== undefined && phase.configuration.state !== "running")
      return kept.get(`tasks of ${id}`) !== phase.configuration.state;
    const hasEnded = phase.name === "proved" || phase.name === "failed" || phase.name === "cancelled";
    return hasEnded && kept.get(id) !== `${id}/${phase.name}/${step}`;
  }

  const { nodes, journal, events, hooks } = store;
  return {
    ...store,
    nodes: {
      ...nodes,
      save: (node) =>
        saving(
          () => {
            held.delete(node.id);
            nodes.save(node);
          },
          () => sayNode(node),
        ),
      saveAll(all) {
        alive();
        for (const node of all) held.set(node.id, node);
      },
      remove(id) {
        saving(
          () => {
            held.delete(id);
            nodes.remove(id);
          },
          () => note({ what: "forgotten", node: id }),
        );
        kept.delete(id);
      },
    },
    journal: {
      ...journal,
      create: (entry) =>
        saving(
          () => journal.create(entry),
          () => {
            note({ what: "rollout", rollout: entry.rollout.id, ended: false });
            for (const reimage of entry.reimages) sayReimage(reimage);
          },
        ),
      saveRollout: (rollout) =>
        saving(
          () => journal.saveRollout(rollout),
          () => {
            if (rollout.endedAt !== undefined) note({ what: "rollout", rollout: rollout.id, ended: true });
          },
        ),
      saveReimage: (reimage) =>
        saving(
          () => journal.saveReimage(reimage),
          () => {
            sayReimage(reimage);
            sayTasks(reimage);
          },
          saysEnd(reimage) ? "end" : "other",
        ),
    },
    hooks: {
      ...hooks,
      add: (calls) =>
        saving(
          () => hooks.add(calls),
          () => undefined,
          "hooks",
        ),
      remove: (id) =>
        saving(
          () => hooks.remove(id),
          () => undefined,
          "hooks",
        ),
    },
    close() {
      putHeld();
      store.close();
    },
    events: {
      ...events,
      add(event) {
        alive();
        const { type, nodeId, message } = event;
        note({ what: "event", type, message, ...(nodeId !== undefined && { node: nodeId }) });
        return events.add(event);
      },
    },
  };
}

function nameOf(digest: string): string {
  return imageOfDigest(digest)?.name ?? digest.slice(0, 12);
}
