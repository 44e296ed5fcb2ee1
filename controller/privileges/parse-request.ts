import { z } from "zod";
import { Failure } from "../../proto/failure.ts";
import { parseMacAddress } from "../../proto/names/node-id.ts";
import { plainAddress } from "../../proto/names/plain-address.ts";
import type { Image } from "../images/catalogue/image.ts";
import { parseManifest } from "../images/catalogue/parse-manifest.ts";
import type { KnownHost } from "../network/dnsmasq/render-dhcp-hosts.ts";
import { parseIpv4 } from "../network/ipv4.ts";
import { problemOfNodeName } from "../nodes/node-name.ts";
import { parseRootId, type RootId } from "../roots/root-id.ts";

/**
 * What the controller asks its broker to do. Nothing in it is a path to go to, a command line or the text of a configuration:
 * what a request says of these is only held against what the broker has read itself.
 */
export type BrokerRequest =
  | {
      readonly verb: "dnsmasq";
      /** The controller's own settings, which have to be the broker's. */
      readonly dhcp: unknown;
      readonly advertise: string;
      readonly hosts: readonly KnownHost[];
    }
  /** Exports what nfs.rootfs names; the controller's settings have to be the broker's. */
  | { readonly verb: "nfs"; readonly mode: "kernel" | "ganesha"; readonly path: string }
  /** Has the store of nfs.rootfs to itself, to remove versions. */
  | { readonly verb: "roots"; readonly store: string }
  /** Lays out an image; three streams follow: the new content, the old image's manifest, its pack. */
  | { readonly verb: "derive"; readonly old: Image };

/** So many nodes that no controller has them. */
const mostHosts = 100_000;
const text = z.string().max(4096);

const host = z
  .strictObject({
    id: text.transform((given, context) => {
      const id = parseMacAddress(given);
      if (id !== undefined && id === given) return id;
      context.addIssue("must be a MAC address in lower case");
      return z.NEVER;
    }),
    name: text.refine((name) => problemOfNodeName(name) === undefined, "must be the name of a node"),
    accepted: z.boolean(),
    address: text.refine(isIpv4, "must be an IPv4 address").exactOptional(),
    lastSeenAt: z.number().nonnegative(),
  })
  .readonly();
/** Whether it is one, perhaps mapped into IPv6, as the address of a node may be. */
export function isIpv4(address: string): boolean {
  return parseIpv4(plainAddress(address)) !== undefined;
}
const hosts = z.array(host).max(mostHosts).readonly();

const rootId = text.transform((given, context) => {
  const id = parseRootId(given);
  if (id !== undefined) return id;
  context.addIssue("must be the id of a version of the root filesystem");
  return z.NEVER;
});

const request = z.discriminatedUnion("verb", [
  z.strictObject({ verb: z.literal("dnsmasq"), dhcp: z.unknown(), advertise: text, hosts }),
  z.strictObject({ verb: z.literal("nfs"), mode: z.enum(["kernel", "ganesha"]), path: text }),
  z.strictObject({ verb: z.literal("roots"), store: text }),
  z.strictObject({ verb: z.literal("derive"), image: z.unknown() }),
]);

/** Reads a request. Throws Failure `invalid` that says what is wrong with it. */
export function parseRequest(value: unknown): BrokerRequest {
  const parsed = parseAs(request, value, "request");
  if (parsed.verb !== "derive") return parsed;
  try {
    return { verb: "derive", old: parseManifest(JSON.stringify(parsed.image ?? null)) };
  } catch (cause) {
    throw new Failure("invalid", `the request is refused: image: ${Failure.from(cause).message}`, { cause });
  }
}

/** Reads the nodes that dnsmasq is to know from now on. Throws as parseRequest does. */
export function parseHosts(value: unknown): readonly KnownHost[] {
  return parseAs(z.strictObject({ hosts }), value, "list of nodes").hosts;
}

/** Reads which version is to be removed. Throws as parseRequest does. */
export function parseRemoval(value: unknown): RootId {
  return parseAs(z.strictObject({ remove: rootId }), value, "removal").remove;
}

function parseAs<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.slice(0, 3).map(({ path, message }) => `${path.join(".") || "it"}: ${message}`);
  throw new Failure("invalid", `the ${what} is refused: ${problems.join("; ")}`);
}
