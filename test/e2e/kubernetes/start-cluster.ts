import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { checkout } from "../../programs/checkout.ts";
import { createConsole } from "../../programs/console.ts";
import { ended, spawnLeashed } from "../../programs/leashed-process.ts";
import { withoutPallet } from "../../programs/without-pallet.ts";

/** A request that the stand-in got. */
export interface ApiRequest {
  readonly method: string;
  readonly url: string;
  readonly status: number;
  readonly body: string;
}

/** A stand-in for a Kubernetes API server that runs, and what it was asked for. */
export interface StandInCluster {
  /** Path of a kubeconfig with a client certificate; mode 0600. */
  readonly kubeconfig: string;
  /** All so far, in their order. */
  requests(): readonly ApiRequest[];
  close(): Promise<void>;
}

const run = promisify(execFile);

/**
 * Starts the stand-in with nodes of these names.
 *
 * @param folder an empty one, for its certificates
 * @param network the namespace to listen in, as a path; default: this one's
 */
export async function startCluster(
  folder: string,
  nodes: readonly string[],
  { address = "127.0.0.1", network }: { readonly address?: string; readonly network?: string } = {},
): Promise<StandInCluster> {
  const file = (name: string): string => path.join(folder, name);
  await writeFile(file("nodes.json"), JSON.stringify(nodes));
  await makeCertificates(folder, address);
  const program = [process.execPath, path.join(checkout, "test/e2e/kubernetes/stand-in-api.ts"), address, "0", folder];
  const [command = "", ...args] = network === undefined ? program : ["nsenter", `--net=${network}`, "--", ...program];
  const child = spawnLeashed(command, args, withoutPallet(process.env));
  const hears = createConsole("stand-in API server");
  child.stdout?.setEncoding("utf8").on("data", hears.append);
  child.stderr?.setEncoding("utf8").on("data", hears.append);
  await hears.waitFor(/listening on \d+/);
  const [, port = ""] = /listening on (\d+)/.exec(hears.text()) ?? [];
  const kubeconfig = file("kubeconfig");
  await writeFile(kubeconfig, await renderKubeconfig(folder, `https://${address}:${port}`), { mode: 0o600 });
  return {
    kubeconfig,
    requests: () =>
      hears
        .text()
        .split("\n")
        .filter((line) => line.startsWith("{"))
        .map((line) => JSON.parse(line)),
    async close() {
      child.kill("SIGKILL");
      await ended(child);
    },
  };
}

async function makeCertificates(folder: string, address: string): Promise<void> {
  const openssl = (...args: string[]) => run("openssl", args, { cwd: folder });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await openssl(
    "req",
    "-x509",
    ...key,
    "-keyout",
    "ca.key",
    "-out",
    "ca.crt",
    "-subj",
    "/CN=stand-in",
    "-days",
    "3650",
  );
  for (const [name, extension] of [
    ["server", `subjectAltName=IP:${address}`],
    ["client", "extendedKeyUsage=clientAuth"],
  ] as const) {
    await openssl("req", ...key, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/O=hooks/CN=${name}`);
    await writeFile(path.join(folder, `${name}.ext`), extension);
    const signing = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "3650"];
    await openssl("x509", "-req", "-in", `${name}.csr`, ...signing, "-extfile", `${name}.ext`, "-out", `${name}.crt`);
  }
}

async function renderKubeconfig(folder: string, server: string): Promise<string> {
  const base64 = async (name: string): Promise<string> => (await readFile(path.join(folder, name))).toString("base64");
  return JSON.stringify({
    ...{ apiVersion: "v1", kind: "Config", "current-context": "rack" },
    clusters: [{ name: "rack", cluster: { server, "certificate-authority-data": await base64("ca.crt") } }],
    users: [
      {
        name: "hooks",
        user: { "client-certificate-data": await base64("client.crt"), "client-key-data": await base64("client.key") },
      },
    ],
    contexts: [{ name: "rack", context: { cluster: "rack", user: "hooks" } }],
  });
}
