import { Failure } from "../../../proto/failure.ts";
import type * as wire from "../../../proto/gen/pallet/v1/controller.ts";
import { planEdits } from "../../../proto/system/config/plan-edits.ts";
import type { Image } from "../../images/catalogue/image.ts";
import type { Node } from "../../nodes/node.ts";
import { checkProfiles } from "../../profiles/check-profiles.ts";
import { renderConfig } from "../../profiles/describe-config.ts";
import { judgeProfiles } from "../../reimage/plan/judge-profiles.ts";
import { resolveImage } from "../../reimage/resolve-request.ts";
import { configToWire } from "../wire/config-to-wire.ts";
import { problemToWire, profileToWire } from "../wire/profile-to-wire.ts";
import { type CallHost, handleUnary } from "./handle-call.ts";
import type { ControllerParts } from "./parts.ts";

type ProfileDoors = Pick<wire.ControllerServiceServer, "listProfiles" | "checkProfiles" | "renderNodeConfig">;

/** The doors to the profiles. */
export function createProfileDoors(
  host: CallHost,
  { profiles, nodes, images }: Pick<ControllerParts, "profiles" | "nodes" | "images">,
): ProfileDoors {
  const accepted = (): Node[] => nodes.list().filter((node) => node.accepted);

  /** The image that a node has, as far as the catalogue has it still. */
  const ownImageOf = async ({ installation, bootTarget }: Node): Promise<Image | undefined> => {
    const digest = bootTarget.kind === "local" ? bootTarget.imageDigest : installation?.imageDigest;
    return digest === undefined ? undefined : images.getByDigest(digest);
  };
  const imageNameOf = async (node: Node): Promise<string> =>
    ((await ownImageOf(node)) ?? (await images.list())[0])?.name ?? "";

  return {
    listProfiles: handleUnary(host, async (_request: wire.ListProfilesRequest) => {
      const read = await profiles.look();
      const set = profiles.setOf(read.profiles);
      const known = accepted();
      return {
        directory: profiles.directory,
        profiles: read.profiles.map((profile) => {
          const theirs = known.filter((node) => set.isFor(profile, node));
          return profileToWire(
            profile,
            theirs.map(({ name }) => name),
          );
        }),
        problems: read.problems.map(problemToWire),
      };
    }),

    checkProfiles: handleUnary(host, async (_request: wire.CheckProfilesRequest) => {
      const check = await checkProfiles(profiles, accepted(), imageNameOf);
      return { ...check, directory: profiles.directory, problems: check.problems.map(problemToWire) };
    }),

    renderNodeConfig: handleUnary(host, async ({ node: named, imageName }: wire.RenderNodeConfigRequest) => {
      const node = nodes.require(named);
      const own = imageName === "" ? await ownImageOf(node) : undefined;
      const image = own ?? (await resolveImage(imageName === "" ? {} : { imageName }, images));
      const system = await (await profiles.read()).systemFor(node, image.name);
      if (system instanceof Failure) throw system;
      const none = { imageName: image.name, config: undefined, yaml: "", edits: [], refusals: [] };
      if (system === undefined) return none;
      const judged = judgeProfiles(image, system, false);
      const { abilities } = image;
      const edits =
        judged === undefined && abilities !== undefined
          ? planEdits(system.config, abilities, { digest: system.summary.digest })
          : [];
      return {
        ...none,
        config: configToWire(system.summary),
        yaml: renderConfig(system.config, system.fromHooks),
        edits: edits.map(({ path, does }) => ({ path, does })),
        refusals: judged === undefined ? [] : [judged.message],
      };
    }),
  };
}
