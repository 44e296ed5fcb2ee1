import { setTimeout as after } from "node:timers/promises";
import { execa } from "execa";
import { checkout } from "../programs/checkout.ts";
import { createConsole } from "../programs/console.ts";
import { ended, spawnLeashed } from "../programs/leashed-process.ts";

/** A binary that serves gRPC. */
export interface RunningBinary {
  readonly pid: number;
  /** TCP port of its gRPC. */
  readonly port: number;
  /**
   * What a call answers, through the server's own reflection, by `buf curl`; `method` is "package.Service/Method". Over
   * TCP unless a unix socket is given.
   */
  call(method: string, request?: object, socket?: string): Promise<unknown>;
  /** What health Check answers for a service. */
  health(service: string): Promise<unknown>;
  /** Ends it by SIGTERM; resolves with its exit code. */
  stop(): Promise<number | null>;
}

/**
 * Starts a command that is to log `"msg":"serving"` with the port of its gRPC. It gets an empty environment but for
 * what is given.
 */
export async function startBinary(
  command: readonly [string, ...string[]],
  environment: Readonly<Record<string, string>> = {},
): Promise<RunningBinary> {
  const words = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  // The kernel may be told to reboot by nobody here: not even by a bug.
  const child = spawnLeashed("setpriv", ["--bounding-set=-sys_boot", "--", "env", "-i", ...words, ...command]);
  const log = createConsole(command.join(" "));
  child.stdout?.setEncoding("utf8").on("data", log.append);
  child.stderr?.setEncoding("utf8").on("data", log.append);
  const end = ended(child);
  const early: Promise<never> = end.then(({ code, signal }) => {
    throw new Error(`${command.join(" ")} ended (${signal ?? code}) before it served:\n${log.tail(20)}`);
  });
  const stop = async (): Promise<number | null> => {
    child.kill("SIGTERM");
    const forced = new AbortController();
    void after(20_000, undefined, { signal: forced.signal }).then(
      () => child.kill("SIGKILL"),
      () => {},
    );
    const { code } = await end;
    forced.abort();
    return code;
  };
  // The agent logs a port, the controller the address of its gRPC.
  const serving = log.waitFor(/"(?:port":|grpc":"[^"]*:)(\d+).*"msg":"serving"/, { timeoutMs: 90_000 });
  const [, port = ""] = await Promise.race([serving, early]).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  const call: RunningBinary["call"] = async (method, request = {}, socket = undefined) => {
    // Everything that buf knows of the contracts comes from the server: it works in the root folder, where there are
    // none.
    const door = socket === undefined ? [] : ["--unix-socket", socket];
    const options = ["--protocol", "grpc", "--http2-prior-knowledge", "--data", JSON.stringify(request), ...door];
    const args = ["curl", ...options, `http://127.0.0.1:${port}/${method}`];
    const { stdout } = await execa("buf", args, { cwd: "/", preferLocal: true, localDir: checkout });
    return JSON.parse(stdout);
  };
  return { pid: child.pid ?? 0, port: Number(port), call, stop, health: (service) => checkHealth(port, service) };
}

async function checkHealth(port: string, service: string): Promise<unknown> {
  const { credentials, loadPackageDefinition } = await import("@grpc/grpc-js");
  const { loadSync } = await import("@grpc/proto-loader");
  const { protoPath } = await import("grpc-health-check");
  const loaded = loadPackageDefinition(loadSync(protoPath, { enums: String })) as unknown as {
    grpc: { health: { v1: { Health: new (...args: unknown[]) => HealthClient } } };
  };
  const client = new loaded.grpc.health.v1.Health(`127.0.0.1:${port}`, credentials.createInsecure());
  try {
    return await new Promise((resolve, reject) => {
      client.check({ service }, (error, answer) => (error === null ? resolve(answer) : reject(error)));
    });
  } finally {
    client.close();
  }
}

interface HealthClient {
  check(request: { service: string }, done: (error: Error | null, answer: unknown) => void): void;
  close(): void;
}
