// A stand-in for a Kubernetes API server: as much of it as kubectl 1.20 needs to look at nodes, cordon, drain and uncordon them, and
// to make and read secrets. Usage: node stand-in-api.ts ADDRESS PORT FOLDER (port 0: any). It is no cluster: nothing is scheduled, and no
// admission, RBAC or schema is applied. It tells every request as a line of JSON on standard output.
import { readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { createServer } from "node:https";
import path from "node:path";
import process from "node:process";

interface ApiObject {
  readonly kind: string;
  readonly apiVersion: string;
  readonly type?: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [field: string]: unknown };
  readonly spec?: { readonly [field: string]: unknown };
  readonly data?: Readonly<Record<string, string>>;
  readonly stringData?: Readonly<Record<string, string>>;
}

/** What one request comes to. */
interface Answer {
  readonly status: number;
  readonly body: object;
}

const [address = "", port = "", folder = ""] = process.argv.slice(2);
const node = (name: string): ApiObject => ({
  ...{ kind: "Node", apiVersion: "v1", metadata: { name, uid: name, resourceVersion: "1" } },
  spec: {},
});
const pod = (name: string, on: string, owner: string, more: object = {}): ApiObject => ({
  ...{ kind: "Pod", apiVersion: "v1" },
  metadata: {
    ...{ name, namespace: "default", uid: `${name}-${on}`, resourceVersion: "1" },
    ownerReferences: [{ apiVersion: "apps/v1", kind: owner, name: "set", uid: "u", controller: true }],
  },
  spec: { nodeName: on, ...more },
});
const nodes = new Map<string, ApiObject>();
const pods = new Map<string, ApiObject>();
const secrets = new Map<string, ApiObject>();
for (const name of JSON.parse(readFileSync(path.join(folder, "nodes.json"), "utf8")) as string[]) {
  nodes.set(name, node(name));
  for (const each of [
    pod(`web-${name}`, name, "ReplicaSet", { volumes: [{ name: "scratch", emptyDir: {} }] }),
    pod(`agent-${name}`, name, "DaemonSet"),
  ])
    pods.set(each.metadata.name, each);
}

const list = (kind: string, items: Iterable<ApiObject>): Answer => ({
  status: 200,
  body: { kind, apiVersion: "v1", metadata: { resourceVersion: "1" }, items: [...items] },
});
const found = (object: ApiObject | undefined): Answer =>
  object === undefined ? failure(404, "NotFound") : { status: 200, body: object };
const failure = (code: number, reason: string): Answer => ({
  status: code,
  body: { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", reason, code, message: reason },
});
const success: Answer = { status: 201, body: { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success" } };

const verbs = ["create", "delete", "get", "list", "patch", "update", "watch"];
const resource = (name: string, kind: string, namespaced: boolean, more: object = {}): object => ({
  ...{ name, singularName: "", namespaced, kind, verbs },
  ...more,
});
const discovery: Readonly<Record<string, object>> = {
  "/api": { kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs: [] },
  "/apis": {
    ...{ kind: "APIGroupList", apiVersion: "v1" },
    groups: ["apps/v1", "policy/v1beta1"].map((groupVersion) => {
      const [name = "", version = ""] = groupVersion.split("/");
      return { name, versions: [{ groupVersion, version }], preferredVersion: { groupVersion, version } };
    }),
  },
  "/api/v1": {
    ...{ kind: "APIResourceList", groupVersion: "v1" },
    resources: [
      resource("nodes", "Node", false, { shortNames: ["no"] }),
      resource("pods", "Pod", true, { shortNames: ["po"] }),
      resource("pods/eviction", "Eviction", true, { group: "policy", version: "v1beta1" }),
      resource("secrets", "Secret", true),
    ],
  },
  "/apis/apps/v1": {
    ...{ kind: "APIResourceList", apiVersion: "v1", groupVersion: "apps/v1" },
    resources: [resource("daemonsets", "DaemonSet", true, { shortNames: ["ds"] })],
  },
  "/apis/policy/v1beta1": { kind: "APIResourceList", apiVersion: "v1", groupVersion: "policy/v1beta1", resources: [] },
};

function answer(method: string, url: URL, body: string): Answer {
  const { pathname } = url;
  const known = discovery[pathname];
  if (known !== undefined && method === "GET") return { status: 200, body: known };
  const named = /^\/api\/v1\/nodes\/([^/]+)$/.exec(pathname)?.[1];
  if (named !== undefined) return answerNode(method, named, body);
  if (pathname === "/api/v1/nodes" && method === "GET") return list("NodeList", nodes.values());
  if (pathname === "/api/v1/pods" && method === "GET") {
    const on = /^spec\.nodeName=(.*)$/.exec(url.searchParams.get("fieldSelector") ?? "")?.[1];
    return list(
      "PodList",
      [...pods.values()].filter(({ spec }) => spec?.["nodeName"] === on),
    );
  }
  const [, podName, evicted] = /^\/api\/v1\/namespaces\/default\/pods\/([^/]+)(\/eviction)?$/.exec(pathname) ?? [];
  if (podName !== undefined && evicted === undefined && method === "GET") return found(pods.get(podName));
  if (podName !== undefined && evicted !== undefined && method === "POST")
    return pods.delete(podName) ? success : failure(404, "NotFound");
  if (pathname === "/apis/apps/v1/namespaces/default/daemonsets/set" && method === "GET")
    return {
      status: 200,
      body: { kind: "DaemonSet", apiVersion: "apps/v1", metadata: { name: "set", namespace: "default" } },
    };
  const [, secretName] = /^\/api\/v1\/namespaces\/kube-system\/secrets(?:\/([^/]+))?$/.exec(pathname) ?? [];
  if (secretName !== undefined && method === "GET") return found(secrets.get(secretName));
  if (secretName !== undefined && method === "DELETE")
    return secrets.delete(secretName) ? success : failure(404, "NotFound");
  if (pathname === "/api/v1/namespaces/kube-system/secrets" && method === "POST") return createSecret(body);
  return failure(404, "NotFound");
}

function answerNode(method: string, name: string, body: string): Answer {
  const object = nodes.get(name);
  if (object !== undefined && method === "PATCH") {
    // All that kubectl patches: a strategic merge of plain fields is a merge.
    const { spec = {} } = JSON.parse(body) as Partial<ApiObject>;
    const merged = Object.entries({ ...object.spec, ...spec }).filter(([, value]) => value !== null);
    nodes.set(name, { ...object, spec: Object.fromEntries(merged) });
    return found(nodes.get(name));
  }
  return method === "GET" ? found(object) : failure(405, "MethodNotAllowed");
}

function createSecret(body: string): Answer {
  const { stringData = {}, data = {}, ...object } = JSON.parse(body) as ApiObject;
  const { name } = object.metadata;
  if (secrets.has(name)) return failure(409, "AlreadyExists");
  const encoded = Object.entries(stringData).map(([key, text]) => [key, Buffer.from(text).toString("base64")]);
  const secret = { ...object, data: { ...data, ...Object.fromEntries(encoded) } };
  secrets.set(name, secret);
  return { status: 201, body: secret };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const part of request.setEncoding("utf8")) body += part;
  return body;
}

const certificates = (name: string): Buffer => readFileSync(path.join(folder, name));
const server = createServer(
  {
    ...{ key: certificates("server.key"), cert: certificates("server.crt"), ca: certificates("ca.crt") },
    ...{ requestCert: true, rejectUnauthorized: true },
  },
  async (request, response) => {
    const { method = "", url = "" } = request;
    const body = await bodyOf(request);
    const { status, body: said } = answer(method, new URL(url, "https://there"), body);
    process.stdout.write(`${JSON.stringify({ method, url, status, body })}\n`);
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(said));
  },
);
server.listen(Number(port), address, () => {
  const bound = server.address();
  process.stdout.write(`listening on ${typeof bound === "object" && bound !== null ? bound.port : port}\n`);
});
