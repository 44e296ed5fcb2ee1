// Commands that run other programs for long, ended by Ctrl-C in a terminal and by SIGTERM.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { checkout } from "../programs/checkout.ts";
import { createConsole } from "../programs/console.ts";
import { ended, spawnLeashed } from "../programs/leashed-process.ts";
import { withoutPallet } from "../programs/without-pallet.ts";
import { createRack, type Rack } from "../rack/rack.ts";
import { requires } from "../requirements.ts";
import { makeTinyImage } from "../tiny-image.ts";
import { until } from "../until.ts";
import { processesWith } from "./processes-with.ts";

const ways = {
  "Ctrl-C in a terminal": { end: (pid: number) => process.kill(-pid, "SIGINT"), exitCode: 130 },
  SIGTERM: { end: (pid: number) => process.kill(pid, "SIGTERM"), exitCode: 143 },
} as const;

describe("a command is ended", { ...requires("root", "loop devices"), timeout: 900_000 }, () => {
  let folder = "";
  /** A Debian mirror that takes every question and answers none. */
  let mirror: Server;
  let asked = 0;
  let rack: Rack;
  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), "pallet-commands-"));
    mirror = createServer(() => {
      asked += 1;
    });
    mirror.listen(0, "127.0.0.1");
    await once(mirror, "listening");
    await writeFile(path.join(folder, "agent"), "#!/bin/sh\n");
    await mkdir(path.join(folder, "tree"));
    rack = await createRack({ nodes: 0 });
    const image = await makeTinyImage({ folder, name: "tiny" });
    await rack.palletOk("images", "add", image.path, "--name", "old");
    for (let number = 0; number < 16; number++)
      await writeFile(path.join(folder, `tree/${number}`), Buffer.alloc(64 << 20, number + 1));
  });
  after(async () => {
    mirror.closeAllConnections();
    mirror.close();
    await rack?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const url = () => `http://127.0.0.1:${(mirror.address() as AddressInfo).port}/debian`;
  const isAsked = () => asked > 0;
  const runs = (program: string) => (mark: string) =>
    [...processesWith(mark).values()].some((command) => path.basename(command.split(" ")[0] ?? "") === program);

  for (const [name, words, goesOn] of [
    [
      "rootfs build",
      () => ["--out", path.join(folder, "out"), "--agent", path.join(folder, "agent"), "--mirror", url()],
      isAsked,
    ],
    ["boot-tree build", () => ["--out", path.join(folder, "boot"), "--no-rootfs", "--mirror", url()], isAsked],
    [
      "images derive",
      () => ["next", "--from", "old", "--with", path.join(folder, "tree"), "--socket", rack.socket],
      runs("tar"),
    ],
  ] as const) {
    for (const [way, { end, exitCode }] of Object.entries(ways)) {
      it(`by ${way}: ${name} leaves nothing that runs, and nothing unfinished`, async () => {
        asked = 0;
        const own = await mkdtemp(path.join(folder, "home-"));
        const mark = `COMMAND_OF_A_TEST=${path.basename(own)}`;
        const env = { ...withoutPallet(process.env), HOME: own, XDG_CACHE_HOME: own, TMPDIR: own };
        const command = [path.join(checkout, "controller/main.ts"), ...name.split(" "), ...words()];
        const child = spawnLeashed(process.execPath, command, { ...env, COMMAND_OF_A_TEST: path.basename(own) });
        const log = createConsole(name);
        child.stdout?.setEncoding("utf8").on("data", log.append);
        child.stderr?.setEncoding("utf8").on("data", log.append);
        const gone = ended(child);
        const early = gone.then(({ code, signal }) => {
          throw new Error(`it ended (${signal ?? code}) before it was told:\n${log.tail(20)}`);
        });
        await Promise.race([until(() => goesOn(mark), "it does not go on"), early]);
        early.catch(() => undefined);
        end(child.pid ?? 0);
        assert.deepEqual(await gone, { code: exitCode, signal: null }, log.tail(20));
        assert.doesNotMatch(log.text(), /^\s+at .*:\d+:\d+\)?$/m, "there is a stack trace");
        await until(
          () => processesWith(mark).size === 0,
          () => JSON.stringify([...processesWith(mark)]),
        );
        const left = readdirSync(own, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isDirectory())
          .map(({ name: folderName }) => folderName)
          .filter((folderName) => /^\.?.*-[A-Za-z0-9]{6}$/.test(folderName) || folderName.startsWith("mmdebstrap."));
        assert.deepEqual(left, [], `left in ${JSON.stringify(await readdir(own))}`);
      });
    }
  }
});
