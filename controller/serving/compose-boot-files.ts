import type { NodeId } from "../../proto/names/node-id.ts";
import { agentWords } from "../../proto/system/kernel-command-line.ts";
import { type BootFiles, createBootFiles } from "../boot/boot-files.ts";
import { createFirmwareBoot } from "../boot/firmware-boot.ts";
import { readServedRoots } from "../boot/read-served-root.ts";
import { renderBootWords } from "../identity/render-boot-words.ts";
import { findBoard } from "../nodes/find-node.ts";
import { readRoot } from "../roots/read-roots.ts";
import { createBootPlanner } from "./boot-planner.ts";
import type { Roots } from "./open-roots.ts";
import type { State } from "./open-state.ts";
import { readBootProfile } from "./read-boot-profile.ts";
import type { Stage } from "./stage.ts";

/** Everything that nodes may fetch to boot, from the boot tree, the images and the boot targets of nodes. */
export function composeBootFiles(
  stage: Stage,
  { nodes, images, events, identity }: State,
  { ledger }: Pick<Roots, "ledger">,
): BootFiles {
  const { config, adapters, endpoints } = stage;
  const { bootTree, bootProfile } = config;
  const planner = createBootPlanner({
    nodes,
    images,
    events,
    rootTold: ledger.told,
    profile: () => readBootProfile(stage),
    endpoints: endpoints.boot,
  });
  const { bootSpecFor, noteBoot, otherSpecFor, specOf } = planner;
  const { loader } = bootProfile;
  const { authority, tokens } = identity;
  const wordsFor = (mac: NodeId): readonly string[] =>
    config.insecure
      ? [agentWords.insecure]
      : renderBootWords({ fingerprint: authority.current().fingerprint, token: tokens.mint(mac) });
  return createBootFiles({
    tree: bootTree,
    images,
    async rootFolder(id) {
      const { store } = await readServedRoots(config.nfs);
      return store && (await readRoot(store, id))?.folder;
    },
    bootSpecFor,
    wordsFor,
    serverAddress: config.advertise,
    ...(bootProfile.menu && { menu: { title: "Pallet", timeoutMs: bootProfile.menuTimeoutMs, otherSpecFor } }),
    ...(loader !== "u-boot" && {
      firmware: createFirmwareBoot({
        loader,
        // Eight digits of a serial number may be two boards'; the address on the wire is what U-Boot would say, too.
        nodeOf: async (board, address) =>
          board !== undefined && "mac" in board
            ? board.mac
            : ((await adapters.macAddressOf(address)) ?? findBoard(nodes.list(), board)),
        specOf,
        noteBoot,
        wordsFor,
        clock: adapters.monotonicClock,
      }),
    }),
    recordFetch: nodes.recordFetch,
    log: adapters.log,
  });
}
