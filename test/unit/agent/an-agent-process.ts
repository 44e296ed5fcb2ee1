import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { credentials } from "@grpc/grpc-js";
import { AgentServiceClient } from "../../../proto/gen/pallet/v1/agent.ts";

/** A line of the agent's log. */
export type LogLine = Record<string, unknown> & { readonly msg: string };

/** The real program, as a process of its own. */
export interface AgentProcess {
  readonly child: ChildProcess;
  /** Its TCP port; 0 without one. */
  readonly port: number;
  /** Its unix socket. */
  readonly socket: string;
  /** By the unix socket. */
  readonly client: AgentServiceClient;
  readonly log: readonly LogLine[];
  /** Resolves with the first line, past or to come, that has this message. */
  logged(message: string): Promise<LogLine>;
  /** Resolves with the exit code when it has ended. */
  end(): Promise<number | null>;
  /** Sends SIGTERM and resolves with the exit code. */
  stop(): Promise<number | null>;
}

const main = path.resolve(import.meta.dirname, "../../../agent/main.ts");

/** Starts `agent/main.ts` on a free port and resolves when it serves. */
export async function anAgentProcess(
  test: Pick<TestContext, "after">,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<AgentProcess> {
  const folder = mkdtempSync(path.join(tmpdir(), "pallet-agent-"));
  const socket = path.join(folder, "agent.sock");
  const own = ["--port", "0", "--kernel-command-line", "/dev/null", "--socket", socket];
  const identity = ["--identity-file", path.join(folder, "identity/agent.pem")];
  const child = spawn(process.execPath, [main, ...own, ...identity, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
    // A process group of its own, as a shell gives it in a terminal.
    detached: true,
    env: { ...process.env, ...env },
  });
  const exited = once(child, "exit");
  const log: LogLine[] = [];
  const waiting = new Set<{ message: string; resolve: (line: LogLine) => void; reject: (error: Error) => void }>();
  createInterface({ input: child.stdout }).on("line", (text) => {
    const line = JSON.parse(text) as LogLine;
    log.push(line);
    for (const one of waiting) if (one.message === line.msg) one.resolve(line);
  });
  exited.then(() => {
    for (const { message, reject } of waiting) reject(new Error(`the agent ended without logging "${message}"`));
  });
  const logged = (message: string): Promise<LogLine> => {
    const { promise, resolve, reject } = Promise.withResolvers<LogLine>();
    const past = log.find((line) => line.msg === message);
    if (past) resolve(past);
    else waiting.add({ message, resolve, reject });
    return promise;
  };
  const end = async (): Promise<number | null> => {
    const [code] = (await exited) as [number | null];
    return code;
  };
  let client: AgentServiceClient | undefined;
  test.after(() => {
    client?.close();
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });
  const port = Number((await logged("serving"))["port"] ?? 0);
  client = new AgentServiceClient(`unix:${socket}`, credentials.createInsecure());
  return {
    child,
    port,
    socket,
    client,
    log,
    logged,
    end,
    stop() {
      child.kill("SIGTERM");
      return end();
    },
  };
}
