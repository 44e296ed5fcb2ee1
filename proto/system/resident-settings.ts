// The namespace, not the name z: of that a bundler can leave out what is not used, 45 languages among it.
import * as z from "zod";
import { Failure } from "../failure.ts";
import { type Endpoint, endpointForm, parseEndpoint, renderEndpoint } from "../names/endpoint.ts";
import { type NodeId, parseMacAddress } from "../names/node-id.ts";

/**
 * What a resident agent goes by when the kernel's command line does not say it; see pallet.v1.ResidentSettings. Plain
 * data.
 */
export interface ResidentSettings {
  /** The node that the system was installed on: the card may be in another board since. */
  readonly node: NodeId;
  /** Where the controller may be, in the order in which to try; at least one, at most `maxControllers`. */
  readonly controllers: readonly Endpoint[];
}

/** Where they are in an installed system, beside its stamp. */
export const residentSettingsPath = "/etc/pallet/agent.json";

/** Most addresses of a controller. */
export const maxControllers = 8;

const endpoint = z.string().transform((text, context) => {
  const parsed = parseEndpoint(text);
  if (parsed !== undefined) return parsed;
  context.addIssue(`must be ${endpointForm}`);
  return z.NEVER;
});

const schema = z.object({
  node: z
    .string()
    .transform((text, context) => {
      const mac = parseMacAddress(text);
      if (mac !== undefined) return mac;
      context.addIssue("must be a MAC address like b8:27:eb:00:00:01");
      return z.NEVER;
    })
    .exactOptional(),
  controllers: z.array(endpoint).min(1).max(maxControllers),
});

/** The text of the file: JSON, for people too. */
export function renderResidentSettings({ node, controllers }: ResidentSettings): string {
  return `${JSON.stringify({ node, controllers: controllers.map(renderEndpoint) }, null, 2)}\n`;
}

/** The file as it may be: one that an operator wrote need not name the node. */
export type KeptSettings = Pick<ResidentSettings, "controllers"> & Partial<ResidentSettings>;

/** Parses the text of the file; keys that only newer agents know are ignored. Throws a Failure "invalid". */
export function parseResidentSettings(text: string): KeptSettings {
  const result = schema.safeParse(parseJson(text));
  if (!result.success)
    throw new Failure("invalid", `the settings of the resident agent are broken: ${z.prettifyError(result.error)}`);
  return result.data;
}

/** The text with other controllers in it, and everything else as it was. Throws a Failure "invalid" as parsing does. */
export function replaceControllers(text: string, controllers: readonly Endpoint[]): string {
  parseResidentSettings(text);
  const settings = parseJson(text) as object;
  return `${JSON.stringify({ ...settings, controllers: controllers.map(renderEndpoint) }, null, 2)}\n`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Failure("invalid", "the settings of the resident agent are not JSON", { cause });
  }
}
