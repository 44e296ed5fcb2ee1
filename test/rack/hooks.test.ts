// What the management machine does before and after reimages: a real program, and a real receiver on the rack's network.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { ReimagePhase, ReimageVerdict } from "../../proto/gen/pallet/v1/rollout.ts";
import { createConsole } from "../programs/console.ts";
import { ended, spawnLeashed } from "../programs/leashed-process.ts";
import { withoutPallet } from "../programs/without-pallet.ts";
import { requires } from "../requirements.ts";
import { makeTinyImage } from "../tiny-image.ts";
import { until } from "../until.ts";
import { createRack, type Rack } from "./rack.ts";
import { createScratchFolder, type ScratchFolder } from "./scratch-folder.ts";
import { end, reimageOf, startReimage, tell } from "./story.ts";

const secret = Buffer.alloc(32, 7);
const port = 9000;

/** Tells every request as a line of JSON, and refuses the first of all for now. */
const receiver = `
const { createServer } = require("node:http");
let count = 0;
createServer(async (request, response) => {
  let body = "";
  for await (const part of request.setEncoding("utf8")) body += part;
  const { "webhook-id": id, "webhook-timestamp": at, "webhook-signature": signature } = request.headers;
  const status = count++ === 0 ? 503 : 204;
  process.stdout.write(JSON.stringify({ id, at, signature, body, status }) + "\\n");
  response.writeHead(status).end();
}).listen(${port}, process.argv[1], () => process.stdout.write("listening\\n"));
`;

interface Received {
  readonly id: string;
  readonly at: string;
  readonly signature: string;
  readonly body: string;
  readonly status: number;
}

describe("hooks of a rollout", requires("root", "loop devices"), () => {
  let scratch: ScratchFolder;
  let rack: Rack;
  const hears = createConsole("receiver");
  const file = (name: string): string => path.join(scratch.path, name);

  before(async () => {
    scratch = await createScratchFolder("pallet-hooks-");
    await writeFile(file("secret"), `whsec_${secret.toString("base64")}\n`, { mode: 0o600 });
    // Notes what it was told, and does what the node's own file says, if there is one.
    await mkdir(file("told"));
    const script = `#!/bin/sh\ncat >"${file("told")}/$PALLET_NODE"\n[ ! -e "${file("do")}-$PALLET_NODE" ] || . "${file("do")}-$PALLET_NODE"\n`;
    await writeFile(file("drain"), script, { mode: 0o755 });
    rack = await createRack({
      nodes: 2,
      settings: {
        hooks: [
          { name: "drain", when: "before-reimage", command: [file("drain")], timeoutMs: 60_000 },
          { name: "announce", when: "after-proved", webhook: "http://10.77.0.1:9000/hook", secretFile: file("secret") },
        ],
      },
      async prepareNetwork({ namespace, address }) {
        assert.equal(address, "10.77.0.1");
        const command = [`--net=${namespace.path}`, "--", process.execPath, "-e", receiver, address];
        const child = spawnLeashed("nsenter", command, withoutPallet(process.env));
        child.stdout?.setEncoding("utf8").on("data", hears.append);
        child.stderr?.setEncoding("utf8").on("data", hears.append);
        await hears.waitFor(/listening/);
        return async () => {
          child.kill("SIGKILL");
          await ended(child);
        };
      },
    });
    const image = await makeTinyImage({ folder: rack.folder, name: "image" });
    await rack.palletOk("images", "add", image.path, "--name", "image");
    await rack.powerOnAll();
  });
  after(async () => {
    await rack?.close();
    await scratch.remove();
  });

  const received = (): readonly Received[] =>
    hears
      .text()
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line));

  async function nameOf(number: number): Promise<string> {
    const { mac } = rack.board(number);
    const node = (await rack.client.nodes()).find(({ nodeId }) => nodeId === mac);
    return node?.name ?? assert.fail(`no node ${mac}`);
  }

  it("stop the node whose before-hook fails, and tell of the other's proof", { timeout: 300_000 }, () =>
    tell(rack, async () => {
      const [stopped, goesOn] = [await nameOf(1), await nameOf(2)];
      await writeFile(file(`do-${stopped}`), "echo no such node >&2; exit 3\n");
      const id = await startReimage(rack, "--all");
      const rollout = await end(rack, id);
      const { phase, verdict, failure } = reimageOf(rollout, rack.board(1));
      assert.equal(phase, ReimagePhase.REIMAGE_PHASE_FAILED);
      assert.equal(verdict, ReimageVerdict.REIMAGE_VERDICT_UNTOUCHED);
      assert.equal(failure?.found, "no such node");
      assert.match(
        failure?.message ?? "",
        /^the before-reimage hook drain of .*\/drain ended with exit code 3; it said: no such node$/,
      );
      assert.equal(reimageOf(rollout, rack.board(2)).phase, ReimagePhase.REIMAGE_PHASE_PROVED);
      for (const name of [stopped, goesOn]) {
        const { type, data } = JSON.parse(await readFile(path.join(file("told"), name), "utf8"));
        assert.deepEqual([type, data.node.name, data.reimage.phase], ["before-reimage", name, "preparing"]);
      }

      await until(() => received().length === 2, "the webhook did not come again", { withinMs: 60_000 });
      await rack.client.event(({ type, nodeId }) => type === "hook-succeeded" && nodeId === rack.board(2).mac);
      assert.deepEqual(
        received().map(({ status }) => status),
        [503, 204],
      );
      for (const { id: message, at, signature, body } of received()) {
        const { type, data } = JSON.parse(body);
        assert.deepEqual([type, data.node.id, data.node.name], ["after-proved", rack.board(2).mac, goesOn]);
        assert.deepEqual([data.node.image.name, data.reimage.rollout, data.reimage.phase], ["image", id, "proved"]);
        assert.equal(message, received()[0]?.id);
        const expected = createHmac("sha256", secret).update(`${message}.${at}.${body}`).digest("base64");
        assert.equal(signature, `v1,${expected}`);
      }
    }),
  );

  it("that hang are ended by a cancellation, and leave the node as it was", { timeout: 300_000 }, () =>
    tell(rack, async () => {
      const node = await nameOf(2);
      await writeFile(file(`do-${node}`), `sleep 1000 & echo $! >"${file("pid")}"; wait\n`);
      const id = await startReimage(rack, node);
      const pid = async (): Promise<string> => (await readFile(file("pid"), "utf8").catch(() => "")).trim();
      await until(async () => (await pid()) !== "", "the hook was not run");
      assert.match(await rack.palletOk("rollout", "show", id), /preparing/);
      await rack.palletOk("cancel", id);
      const { phase, verdict } = reimageOf(await end(rack, id), rack.board(2));
      assert.equal(phase, ReimagePhase.REIMAGE_PHASE_CANCELLED);
      assert.equal(verdict, ReimageVerdict.REIMAGE_VERDICT_UNTOUCHED);
      const status = async (): Promise<string> => readFile(`/proc/${await pid()}/stat`, "utf8").catch(() => "gone");
      await until(async () => /^gone$|\) Z /.test(await status()), "what the hook began goes on");
      await rm(file(`do-${node}`));
    }),
  );
});
