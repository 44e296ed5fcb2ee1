import { Failure } from "../../../proto/failure.ts";
import type * as wire from "../../../proto/gen/pallet/v1/controller.ts";
import type { SeenDisk as SeenDiskOnWire } from "../../../proto/gen/pallet/v1/rollout.ts";
import { parseMacAddress } from "../../../proto/names/node-id.ts";
import { digestForm, type ImageDigest, parseImageDigest } from "../../../proto/pack/digest.ts";
import { configDigestForm } from "../../../proto/system/installed-system.ts";
import { assertNodeChoice } from "../../nodes/choose-nodes.ts";
import { diskRuleForms, parseDiskRule } from "../../reimage/plan/parse-disk-rule.ts";
import type { RolloutId, RolloutRequest } from "../../reimage/plan/rollout.ts";
import type { SeenDisk } from "../../reimage/plan/seen-disk.ts";
import { idFromWire, required } from "./text-from-wire.ts";

/** What an operator asks to reimage, checked as far as that goes without knowing nodes and images. */
export function rolloutRequestFromWire(request: wire.RolloutRequest | undefined): RolloutRequest {
  const given = required("rollout", request);
  const { nodes, all, imageName, disk, noResident, full, noProfiles, noGrow, growToBytes, onlyChanged } = given;
  const confirmed = {
    ...(given.imageDigest !== "" && { imageDigest: digestFromWire(given.imageDigest) }),
    ...(given.seen.length > 0 && { seen: given.seen.map(seenDiskFromWire) }),
  };
  if (given.retryOf !== "") {
    const options = noResident || full || noProfiles || noGrow || growToBytes !== 0n || onlyChanged;
    if (all || imageName !== "" || disk !== "" || options)
      throw new Failure("invalid", "retry_of takes image and options from that rollout: give none");
    return { nodes: [...nodes], all: false, retryOf: rolloutIdFromWire(given.retryOf), ...confirmed };
  }
  assertNodeChoice({ nodes, all });
  if (disk !== "" && !disk.startsWith("/") && parseDiskRule(disk) === undefined)
    throw new Failure(
      "invalid",
      `"${disk}" is neither a path like /dev/mmcblk0 nor a rule for a disk: ${diskRuleForms}`,
    );
  if (noGrow && growToBytes !== 0n)
    throw new Failure("invalid", "no_grow and grow_to_bytes exclude each other: give one of them");
  return {
    nodes: [...nodes],
    all,
    ...(imageName !== "" && { imageName }),
    ...(disk !== "" && { disk }),
    ...(noResident && { noResident }),
    ...(full && { full }),
    ...(noProfiles && { noProfiles }),
    ...(noGrow && { noGrow }),
    ...(growToBytes !== 0n && { growToBytes: Number(growToBytes) }),
    ...(onlyChanged && { onlyChanged }),
    ...confirmed,
  };
}

function digestFromWire(text: string): ImageDigest {
  const digest = parseImageDigest(text);
  if (digest === undefined) throw new Failure("invalid", `image_digest is not ${digestForm}`);
  return digest;
}

function seenDiskFromWire({ nodeId, disk, sizeBytes, model, serial, cid, content, config }: SeenDiskOnWire): SeenDisk {
  const id = parseMacAddress(nodeId);
  if (id === undefined) throw new Failure("invalid", "seen has a node_id that is no MAC address");
  if (config !== "" && !configDigestForm.test(config))
    throw new Failure("invalid", "seen has a config that is no digest: 64 digits of 0-9 and a-f");
  const about = { nodeId: id, ...(config !== "" && { config }) };
  if (disk === "") return about;
  return {
    ...about,
    disk: { path: disk, identity: { sizeBytes: Number(sizeBytes), model, serial, cid }, content: [...content] },
  };
}

/** An id of a rollout, checked. */
export function rolloutIdFromWire(text: string): RolloutId {
  return idFromWire("rollout_id", text) as RolloutId;
}
