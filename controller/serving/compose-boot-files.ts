import { type BootFiles, createBootFiles } from "../boot/boot-files.ts";
import { createFirmwareBoot } from "../boot/firmware-boot.ts";
import { findBoard } from "../nodes/find-node.ts";
import { createBootPlanner } from "./boot-planner.ts";
import type { State } from "./open-state.ts";
import { readBootProfile } from "./read-boot-profile.ts";
import type { Stage } from "./stage.ts";

/** Everything that nodes may fetch to boot, from the boot tree, the images and the boot targets of nodes. */
export function composeBootFiles(stage: Stage, { nodes, images, events }: State): BootFiles {
  const { config, adapters, endpoints } = stage;
  const { bootTree, bootProfile } = config;
  const planner = createBootPlanner({
    nodes,
    images,
    events,
    profile: () => readBootProfile(stage),
    endpoints: endpoints.boot,
  });
  const { bootSpecFor, noteBoot, otherSpecFor, specOf } = planner;
  const { loader } = bootProfile;
  return createBootFiles({
    tree: bootTree,
    images,
    bootSpecFor,
    serverAddress: config.advertise,
    ...(bootProfile.menu && { menu: { title: "Pallet", timeoutMs: bootProfile.menuTimeoutMs, otherSpecFor } }),
    ...(loader !== "u-boot" && {
      firmware: createFirmwareBoot({
        loader,
        nodeOf: async (board, address) => findBoard(nodes.list(), board) ?? adapters.macAddressOf(address),
        specOf,
        noteBoot,
        clock: adapters.clock,
      }),
    }),
    recordFetch: nodes.recordFetch,
    log: adapters.log,
  });
}
