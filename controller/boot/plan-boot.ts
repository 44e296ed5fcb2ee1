import { Failure } from "../../proto/failure.ts";
import type { NodeId } from "../../proto/names/node-id.ts";
import type { ImageDigest } from "../../proto/pack/digest.ts";
import { agentWords } from "../../proto/system/kernel-command-line.ts";
import { isFirstBootWord } from "../images/boot/first-boot-words.ts";
import type { Image } from "../images/catalogue/image.ts";
import { localBootsBeforeLook, wantsLook } from "../nodes/judge-local-boots.ts";
import type { Node } from "../nodes/node.ts";
import type { RootId } from "../roots/root-id.ts";
import { imageForFirmware, specForFirmware } from "./apply-way.ts";
import { type BootSpec, withWords } from "./boot-spec.ts";
import { chooseFirstBootWords } from "./choose-first-boot-words.ts";
import { chooseRootWord } from "./choose-root-word.ts";
import { chooseWay, isForPi5, type Loader } from "./choose-way.ts";
import { kernelPathOf } from "./kernel-path.ts";
import { assertRenderable } from "./render-pxelinux.ts";
import { replaceSerialWords } from "./replace-serial-words.ts";

/** The operator's configuration of booting. Paths are relative to the boot tree; `append` is a list of words. */
export interface BootProfile {
  readonly agent: {
    readonly kernel: string;
    readonly initrd?: string;
    /** What a Raspberry Pi 5 loads instead; absent: the same. */
    readonly pi5?: { readonly kernel: string; readonly initrd: string };
    /** What the node mounts, and which version that is if it is one; absent: what BootEndpoints says. */
    readonly root?: { readonly id?: RootId; readonly nfsPath: string };
    readonly append: readonly string[];
  };
  readonly local: { readonly append: readonly string[] };
  /** Who loads the kernel; for a config that U-Boot asks for, "u-boot" (`forUBoot`). Default "auto". */
  readonly loader?: Loader;
  /** Set when `loader` is "u-boot" only because U-Boot runs already, and asks. */
  readonly uBootAsks?: boolean;
}

/** Length of a fingerprint, and of a token, in base64url: 32 octets. */
const proofCharacters = 43;

/** Slow USB disks take half a minute to appear. */
const mostRootWaitSeconds = 60;

/** What of a node decides what it boots. */
export type BootingNode = Pick<Node, "id" | "bootTarget" | "installation" | "facts"> & Partial<Pick<Node, "name">>;

/** The profile for a config that U-Boot asks for. */
export function forUBoot(profile: BootProfile): BootProfile {
  return { ...profile, loader: "u-boot", uBootAsks: profile.loader !== "u-boot" };
}

/** Where booted nodes find the controller. */
export interface BootEndpoints {
  /** "host:port" of gRPC as nodes reach it. */
  readonly controller: string;
  /** Set when this machine exports the agent's root filesystem. */
  readonly nfsRoot?: {
    /** IPv4 address of the NFS server. */
    readonly server: string;
    /** Absolute path on it, where the boot profile names none. */
    readonly path: string;
  };
}

/** What a node's next boot loads. */
export interface BootPlan {
  readonly spec: BootSpec;
  /** Set when the boot target is unavailable, and the node boots into the agent instead: one sentence that says why. */
  readonly fallback?: string;
  /** Set when the node boots into the agent once, so that somebody looks at its card: one sentence that says why. */
  readonly look?: string;
}

/**
 * Decides what a node's next boot loads. `image` is the one that a local boot target names, undefined when the
 * catalogue does not have it. A node is never left without a boot config: where its local target is unavailable,
 * because the image is gone or says something that no boot config can carry, it gets the agent's, and the plan says so.
 *
 * Throws Failure "invalid" only when the agent's own spec cannot be rendered, which `assertBootProfile` finds out at
 * the start.
 */
export function planBoot(
  node: BootingNode,
  image: Image | undefined,
  profile: BootProfile,
  endpoints: BootEndpoints,
): BootPlan {
  const target = node.bootTarget;
  if (target.kind === "agent") return { spec: planAgent(node, profile, endpoints) };
  if (wantsLook(node)) {
    const look =
      `nothing was heard of ${node.name ?? node.id} in ${localBootsBeforeLook} boots from its card; it boots into the ` +
      "agent once, which looks by which ids the root on the card is found, and then into its own system again";
    return { spec: planAgent(node, profile, endpoints), look };
  }
  const local = planByWay(node, target.imageDigest, image, profile, endpoints);
  if (typeof local !== "string") return { spec: local };
  return { spec: planAgent(node, profile, endpoints), fallback: `${local}; it boots into the agent instead` };
}

/**
 * The other target, for the menu of an operator who asked for one: the agent for a node that boots locally, and the
 * system that it last proved to run for one that boots into the agent. `provedImage` is that system's image. Undefined
 * when there is nothing to offer.
 */
export function planOtherBoot(
  node: Node,
  provedImage: Image | undefined,
  profile: BootProfile,
  endpoints: BootEndpoints,
): BootSpec | undefined {
  if (node.bootTarget.kind === "local") return planAgent(node, profile, endpoints);
  if (node.proved === undefined) return undefined;
  const local = planByWay(node, node.proved.imageDigest, provedImage, profile, endpoints);
  return typeof local === "string" ? undefined : local;
}

/** Throws Failure "invalid" naming the value of a profile that no boot config can carry. */
export function assertBootProfile(profile: BootProfile, endpoints: BootEndpoints): void {
  const spec = planAgent({ id: "b8:27:eb:00:00:01" as NodeId }, profile, endpoints);
  assertBootable({ ...spec, label: "local", initrd: "any", commandLine: profile.local.append });
}

function planAgent(
  node: Pick<Node, "id" | "facts">,
  { agent, loader = "auto" }: BootProfile,
  endpoints: BootEndpoints,
): BootSpec {
  const { kernel, initrd } = (isForPi5(loader, node.facts?.model) ? agent.pi5 : undefined) ?? agent;
  const spec: BootSpec = {
    label: "agent",
    kernel,
    ...(initrd !== undefined && { initrd }),
    ...(agent.root?.id !== undefined && endpoints.nfsRoot !== undefined && { root: agent.root.id }),
    commandLine: [...nfsRootWords(endpoints, agent.root?.nfsPath), ...agent.append, ...ownWords(node, endpoints)],
  };
  assertBootable(spec);
  return spec;
}

/** The spec for whoever loads the kernel, or why there is none. */
function planByWay(
  node: BootingNode,
  imageDigest: ImageDigest,
  image: Image | undefined,
  profile: BootProfile,
  endpoints: BootEndpoints,
): BootSpec | string {
  const model = node.facts?.model;
  const { loader = "auto", uBootAsks = false } = profile;
  const way = chooseWay({ loader, uBootAsks, model, image });
  if (way.kind === "none") return way.why;
  const own = way.kind === "firmware" && image !== undefined ? way.own : undefined;
  if (image === undefined || own === undefined) {
    const spec = planLocal(node, imageDigest, image, profile, endpoints);
    if (typeof spec === "string" || way.kind === "firmware") return spec;
    return { ...spec, commandLine: replaceSerialWords(spec.commandLine, model) };
  }
  const spec = planLocal(node, imageDigest, imageForFirmware(image, own), profile, endpoints);
  return typeof spec === "string" ? spec : specForFirmware(spec, image, own);
}

/** The spec, or why there is none. */
function planLocal(
  node: BootingNode,
  imageDigest: ImageDigest,
  image: Image | undefined,
  { local }: BootProfile,
  endpoints: BootEndpoints,
): BootSpec | string {
  if (image === undefined) return `the image ${imageDigest} of its boot target is not in the catalogue`;
  if (image.digest !== imageDigest)
    return `the image ${image.name} is no longer the one that its boot target refers to`;
  try {
    const seen = node.installation?.imageDigest === image.digest ? node.installation.root : undefined;
    const rootWord = chooseRootWord(image, seen);
    if (rootWord === undefined)
      return `the root partition of image ${image.name} has no UUID and no PARTUUID to boot by`;
    const folder = `images/${image.digest}`;
    const firstBoot = chooseFirstBootWords(node, image, rootWord);
    const spec: BootSpec = {
      label: "local",
      kernel: kernelPathOf(image),
      ...(image.boot.initrd !== undefined && { initrd: `${folder}/${image.boot.initrd}` }),
      commandLine: [
        ...imageWords(image.boot.commandLine),
        rootWord,
        ...waitWords(image),
        ...(firstBoot?.words ?? []),
        ...local.append,
        ...ownWords(node, endpoints),
      ],
      ...(firstBoot && { firstBoot: firstBoot.afterwards }),
    };
    assertBootable(spec);
    return spec;
  } catch (error) {
    return `the image ${image.name} cannot be booted over the network: ${Failure.from(error).message}`;
  }
}

/** With room for the words that only rendering adds, anew each time: the authority to believe, and a token. */
function assertBootable(spec: BootSpec): void {
  const proofs = [agentWords.authority, agentWords.token].map((word) => `${word}=${"x".repeat(proofCharacters)}`);
  assertRenderable(withWords(spec, proofs));
}

/**
 * How long to wait for the root. A kernel alone waits for ever, unless it knows a limit (Linux 6.6): then it panics, and
 * restarts by `panic=`. An older one does not know that word and passes it on to init, where it means nothing.
 */
function waitWords({ boot }: Pick<Image, "boot">): readonly string[] {
  return boot.initrd === undefined ? ["rootwait", `rootwait=${mostRootWaitSeconds}`] : ["rootwait"];
}

/** Words that name an image's root and initrd, which come from us, and words that only Pallet may set. */
const notTheImages = /^(root=|rootwait$|initrd=|BOOT_IMAGE=|pallet\.)/;

/** The words of an image's own command line that apply to every boot. */
function imageWords(commandLine: string): readonly string[] {
  return commandLine.split(/\s+/).filter((word) => word !== "" && !notTheImages.test(word) && !isFirstBootWord(word));
}

/** The kernel's own words for a root filesystem over NFS (its documentation: admin-guide/nfs/nfsroot.rst). */
function nfsRootWords({ nfsRoot }: BootEndpoints, path = nfsRoot?.path): readonly string[] {
  if (nfsRoot === undefined) return [];
  return ["root=/dev/nfs", `nfsroot=${nfsRoot.server}:${path},vers=3`, "ip=dhcp", "ro"];
}

/** What the agent, netbooted or resident, reads from /proc/cmdline. Last, so that they win if a word is repeated. */
function ownWords(node: Pick<Node, "id">, { controller }: BootEndpoints): readonly string[] {
  return [`${agentWords.controller}=${controller}`, `${agentWords.node}=${node.id}`];
}
