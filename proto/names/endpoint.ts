/** Where a program serves over TCP. */
export interface Endpoint {
  /** Host name or IP address, an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
}

/** TCP port at which a controller serves gRPC unless it is configured otherwise. */
export const defaultControllerPort = 7700;

/** Highest TCP port (RFC 9293). */
const maxPort = 65_535;

/** The expected form, for messages: "… is not ${endpointForm}". */
export const endpointForm = "HOST:PORT (an IPv6 address in brackets, a port from 1 to 65535)";

/** "HOST:PORT", with brackets around an IPv6 address (RFC 3986, section 3.2.2). */
export function renderEndpoint({ host, port }: Endpoint): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * Parses "HOST:PORT", or "HOST" where a default for the port is given. An IPv6 address is in brackets, with a zone
 * perhaps (RFC 4007). Undefined for another text: names with a URI scheme or a path are none.
 */
export function parseEndpoint(text: string, defaultPort?: number): Endpoint | undefined {
  const match = /^(?:\[([\da-f:.]+(?:%[\w.-]+)?)\]|([^\s:/[\]]+))(?::(\d{1,5}))?$/i.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = match?.[3] === undefined ? defaultPort : Number(match[3]);
  return host === undefined || port === undefined || port < 1 || port > maxPort ? undefined : { host, port };
}
