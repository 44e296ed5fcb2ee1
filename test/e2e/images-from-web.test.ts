// Images that the real command line fetches from real web servers into a real controller.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { execa } from "../../proto/linux/leashed-execa.ts";
import { type ControllerProgram, startController } from "../contract/processes.ts";
import { bundledPrograms } from "../programs/bundled-programs.ts";
import { ended, spawnLeashed } from "../programs/leashed-process.ts";
import { runCommandLine } from "../rack/run-command-line.ts";
import { makeTinyImage } from "../tiny-image.ts";
import { startWebServer } from "../unit/controller/cli/download/a-web-server.ts";
import { aList, anEntry } from "../unit/controller/cli/os-list/a-list.ts";
import { until } from "../until.ts";

const timeout = 120_000;
const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

/** A port of 127.0.0.1 that nobody has. */
async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

/** A way to a port that breaks, as many times as told, after that many bytes of an answer. */
async function startBreakingWay(port: number, breaks: { times: number; afterBytes: number }) {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    const cut = (): void => {
      near.destroy();
      far.destroy();
    };
    let bytes = 0;
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", cut).on("close", cut);
    }
    near.on("data", (part: Buffer) => far.write(part));
    far.on("data", (part: Buffer) => {
      bytes += part.length;
      if (breaks.times === 0 || bytes < breaks.afterBytes) {
        near.write(part);
        return;
      }
      breaks.times -= 1;
      near.write(part, cut);
    });
    far.on("end", () => near.end());
  });
  return {
    port: await listen(server),
    breaks,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

describe("images from the web", () => {
  let folder: string;
  let main: string;
  let controller: ControllerProgram;
  let busybox: ReturnType<typeof spawnLeashed>;
  let way: Awaited<ReturnType<typeof startBreakingWay>>;
  let raw: Buffer;
  let packed: Buffer;
  const images = (...args: readonly string[]) =>
    runCommandLine([process.execPath, main, "images", ...args, "--socket", controller.socket]);
  const ok = async (...args: readonly string[]) => {
    const result = await images(...args);
    assert.equal(result.exitCode, 0, `${result.stdout}${result.stderr}`);
    return result;
  };
  const names = async () =>
    (JSON.parse((await ok("--json")).stdout) as { name: string; digest: string }[]).map(({ name, digest }) => [
      name,
      digest,
    ]);
  /** Nothing but images, and none but these. */
  const assertOnly = async (...wanted: readonly string[]) => {
    await until(
      async () => (await readdir(controller.imageDirectory)).every((name) => !name.startsWith(".")),
      "something was left behind",
    );
    assert.deepEqual((await readdir(controller.imageDirectory)).toSorted(), wanted);
    assert.deepEqual(
      (await names()).map(([name]) => name),
      wanted,
    );
  };
  const url = (name: string) => `http://127.0.0.1:${way.port}/${name}`;

  before(async () => {
    ({ controller: main } = await bundledPrograms());
    folder = await mkdtemp(path.join(os.tmpdir(), "pallet-web-"));
    const image = await makeTinyImage({ folder, name: "tiny", bulkBytes: 4 * 2 ** 20 });
    raw = await readFile(image.path);
    const served = path.join(folder, "served");
    await mkdir(served);
    packed = Buffer.from((await execa("xz", ["-0", "--stdout", image.path], { encoding: "buffer" })).stdout);
    await writeFile(path.join(served, "tiny.img.xz"), packed);
    const entry = { url: "tiny.img.xz", extract_sha256: sha256(raw), image_download_sha256: sha256(packed) };
    const list = aList(
      anEntry({ ...entry, name: "Tiny" }),
      anEntry({ ...entry, name: "Liar", extract_sha256: "ab".repeat(32) }),
      { name: "More", description: "", subitems_url: "more.json" },
    );
    await writeFile(path.join(served, "list.json"), list);
    await writeFile(path.join(served, "more.json"), aList(anEntry({ ...entry, name: "Tiny too" })));
    // Old enough to tell its version by (RFC 9110 section 8.8.2.2).
    const then = new Date("2026-01-01");
    for (const name of await readdir(served)) await utimes(path.join(served, name), then, then);
    const port = await freePort();
    busybox = spawnLeashed("busybox", ["httpd", "-f", "-p", `127.0.0.1:${port}`, "-h", served]);
    way = await startBreakingWay(port, { times: 0, afterBytes: 0 });
    await until(async () => (await fetch(url("list.json")).catch(() => undefined))?.ok === true, "no web server");
    controller = await startController();
  });
  after(async () => {
    way?.close();
    busybox?.kill("SIGKILL");
    await controller?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it("come through a way that breaks, from busybox, and are the same", { timeout }, async () => {
    way.breaks.times = 2;
    way.breaks.afterBytes = 1_500_000;
    const { stderr } = await ok("add", url("tiny.img.xz"), "--sha256", sha256(packed));
    assert.equal(stderr.match(/broke off after \d+ bytes/g)?.length, 2, stderr);
    assert.equal(way.breaks.times, 0);
    assert.deepEqual(await names(), [["tiny", sha256(raw)]]);
    await ok("remove", "tiny");
    await assertOnly();
  });

  it("are found in a list, and added with what it vouches for", { timeout }, async () => {
    const { stdout } = await ok("search", "tiny", "--from", url("list.json"));
    assert.match(stdout, /^NAME .*\nTiny .*\nTiny too .* More\n$/);
    await ok("add", "tiny too", "--from", url("list.json"), "--name", "listed");
    assert.deepEqual(await names(), [["listed", sha256(raw)]]);
    await ok("remove", "listed");
  });

  it("are found in a list in a folder, without a network", { timeout }, async () => {
    await ok("add", "Tiny too", "--from", path.join(folder, "served/list.json"));
    assert.deepEqual(await names(), [["tiny", sha256(raw)]]);
    await ok("remove", "tiny");
  });

  for (const [title, argv, message] of [
    [
      "are another image than the list says",
      () => ["Liar", "--from", url("list.json")],
      /tiny was not added: .*\n {2}expected: abab.*\n {2}found: {4}[0-9a-f]{64}/,
    ],
    [
      "are another file than --sha256 says",
      () => [url("tiny.img.xz"), "--sha256", "ab".repeat(32)],
      /tiny\.img\.xz has another SHA-256 than was given for it/,
    ],
    ["are not there", () => [url("none.img")], /404, there is no such file/],
    ["are a list", () => [url("list.json"), "--name", "list"], /partition table/],
  ] as const)
    it(`leave nothing behind when they ${title}`, { timeout }, async () => {
      const { exitCode, stderr } = await images("add", ...argv());
      assert.equal(exitCode, 1);
      assert.match(stderr, message);
      await assertOnly();
    });

  it("leave nothing behind when the command line is killed in the middle", { timeout }, async () => {
    const server = await startWebServer((_, response) => {
      response.writeHead(200, { "content-length": packed.length }).write(packed.subarray(0, -1));
    });
    const args = [main, "images", "add", server.url("/tiny.img.xz"), "--socket", controller.socket];
    const command = spawnLeashed(process.execPath, args);
    await until(
      async () => (await readdir(controller.imageDirectory)).some((name) => name.startsWith(".")),
      "the image is not received",
    );
    command.kill("SIGKILL");
    await ended(command);
    await assertOnly();
    await server.close();
  });

  it("come from a server whose certificate is of one's own authority, if that is named", { timeout }, async () => {
    const [key, cert] = [path.join(folder, "key.pem"), path.join(folder, "cert.pem")];
    const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"];
    const made = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", cert];
    await execa("openssl", ["req", "-x509", "-days", "2", ...made, ...names]);
    const server = createHttpsServer({ key: await readFile(key), cert: await readFile(cert) }, (request, response) => {
      if (request.url === "/plain") response.writeHead(302, { location: url("tiny.img.xz") }).end();
      else response.writeHead(200, { "content-length": packed.length }).end(packed);
    });
    const address = `https://127.0.0.1:${await listen(server)}`;
    try {
      const refused = await images("add", `${address}/tiny.img.xz`);
      assert.equal(refused.exitCode, 1);
      assert.match(refused.stderr, /its certificate is not trusted \(.*\): .* set NODE_EXTRA_CA_CERTS to the file/);
      const trusting = (path: string) => {
        const command = [process.execPath, main, "images", "add", `${address}${path}`, "--name", "secure"];
        return runCommandLine(["env", `NODE_EXTRA_CA_CERTS=${cert}`, ...command, "--socket", controller.socket]);
      };
      const downgraded = await trusting("/plain");
      assert.equal(downgraded.exitCode, 1);
      assert.match(downgraded.stderr, /redirects from https to http/);
      await assertOnly();
      assert.equal((await trusting("/tiny.img.xz")).exitCode, 0);
      await assertOnly("secure");
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
