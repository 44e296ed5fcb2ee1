import { experimental } from "@grpc/grpc-js";
import { parseEndpoint, renderEndpoint } from "../../../proto/names/endpoint.ts";

type ResolverConstructor = Parameters<typeof experimental.registerResolver>[1];
type Resolver = InstanceType<ResolverConstructor>;

const scheme = "pallet-agent";

/** Channel option with the local IP address to connect from. */
export const sourceAddressOption = "pallet.source_address";

/**
 * A target that is connected to from the address in the channel's `sourceAddressOption`.
 *
 * grpc-js has no option for that. It passes the addresses that a resolver gives to net.connect() as they are, with what
 * else is in them; the test that connects from another address fails when an update changes it.
 */
export function targetFromSource(address: string, port: number): string {
  return `${scheme}:${renderEndpoint({ host: address, port })}`;
}

const AgentResolver: ResolverConstructor = class implements Resolver {
  readonly #tell: () => void;
  #hasTold = false;

  constructor(...[{ path }, listener, options]: ConstructorParameters<ResolverConstructor>) {
    const endpoint = parseEndpoint(path);
    if (endpoint === undefined) throw new TypeError(`${path} is not an agent's address and port`);
    const address = { ...endpoint, localAddress: String(options[sourceAddressOption]) };
    this.#tell = () => void listener(experimental.statusOrFromValue([{ addresses: [address] }]), {}, null, "");
  }

  updateResolution(): void {
    if (this.#hasTold) return;
    this.#hasTold = true;
    process.nextTick(this.#tell);
  }

  destroy(): void {
    this.#hasTold = false;
  }

  static getDefaultAuthority({ path }: Parameters<ResolverConstructor["getDefaultAuthority"]>[0]): string {
    return path;
  }
};

experimental.registerResolver(scheme, AgentResolver);
