import type { Node } from "../../controller/nodes/node.ts";
import type { ReimageState } from "../../controller/reimage/machine/reimage-state.ts";
import type { Store } from "../../controller/store/open-store.ts";
import type { Recorder } from "./history/history.ts";
import { imageOfDigest } from "./images.ts";

/** What happens to the next saves of journal and nodes. */
export interface StoreFaults {
  /** So many fail, as on a full disk. */
  failing: number;
  /** Called before and after each; may end the controller. */
  onSave(when: "before" | "after"): void;
}

/**
 * A store between the controller and its database that takes down what the controller keeps, which is all that it has
 * really said; and through which nothing gets any more once the controller was killed.
 */
export function observeStore(store: Store, life: AbortSignal, { note }: Recorder, faults: StoreFaults): Store {
  const kept = new Map<string, string>();

  const alive = (): void => {
    if (life.aborted) throw new Error("the controller was killed");
  };

  function saving(write: () => void, say: () => void): void {
    alive();
    faults.onSave("before");
    alive();
    if (faults.failing > 0) {
      faults.failing -= 1;
      throw new Error("database or disk is full");
    }
    write();
    say();
    faults.onSave("after");
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

  function sayReimage(state: ReimageState): void {
    const { id, rolloutId, nodeId, imageDigest, phase } = state;
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
      ...(phase.name === "proved" && phase.proof.kind === "resident" && { boot: phase.proof.bootId }),
    });
  }

  const { nodes, journal, events } = store;
  return {
    ...store,
    nodes: {
      ...nodes,
      save: (node) =>
        saving(
          () => nodes.save(node),
          () => sayNode(node),
        ),
      saveAll(all) {
        alive();
        nodes.saveAll(all);
      },
      remove(id) {
        saving(
          () => nodes.remove(id),
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
          () => sayReimage(reimage),
        ),
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
