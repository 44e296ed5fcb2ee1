// What is tested of ControllerService's TakeBackup and ReportBackup.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { TestContext } from "node:test";
import { status } from "@grpc/grpc-js";
import type { Backup, TakeBackupResponse } from "../../../proto/gen/pallet/v1/controller.ts";
import { execa } from "../../../proto/linux/leashed-execa.ts";
import { until } from "../../until.ts";
import { answer, collect, endOf, firstOf } from "../calls.ts";
import type { ServiceChecks } from "./checks.ts";
import { aNode, type World } from "./world.ts";

const asked = { withImages: false, regular: false };

/** What was answered: the backup, and all of its bytes. */
function join(responses: readonly TakeBackupResponse[]): { readonly backup: Backup; readonly bytes: Buffer } {
  const [first, ...rest] = responses.map(({ part }) => part);
  assert.equal(first?.$case, "backup");
  const pieces = rest.map((part) => {
    assert.equal(part?.$case, "data");
    return part.value;
  });
  return { backup: first.value, bytes: Buffer.concat(pieces) };
}

async function takeAtOnce({ controller }: World, request = asked) {
  return join(await collect(controller.takeBackup(request)));
}

/** Once that of a caller who has left is given up. */
async function take(world: World, request = asked) {
  let taken: Awaited<ReturnType<typeof takeAtOnce>> | undefined;
  await until(async () => {
    taken = await takeAtOnce(world, request).catch((error: { readonly code?: number }) => {
      if (error.code !== status.RESOURCE_EXHAUSTED) throw error;
      return undefined;
    });
    return taken !== undefined;
  }, "another backup is being taken all the time");
  assert.ok(taken);
  return taken;
}

/** More than a connection holds for a reader who does not read, so that the backup is not done. */
async function withMuchToSend({ controllerProgram }: World, test: TestContext): Promise<void> {
  const folder = path.join(path.dirname(controllerProgram.stateDirectory), "profiles");
  await mkdir(folder, { recursive: true });
  const file = path.join(folder, "random.bin");
  await writeFile(file, randomBytes(15 * 1024 * 1024));
  test.after(() => rm(file, { force: true }));
}

async function eventsOf({ controller }: World, type: string) {
  const all = { afterId: 0n, follow: false, node: "", nodeIds: [] as string[], rolloutId: "", limit: 0, by: "" };
  return (await collect(controller.streamEvents(all))).flatMap(({ event }) => (event?.type === type ? [event] : []));
}

/** Tests of TakeBackup and ReportBackup. */
export const controllerBackupChecks: ServiceChecks = {
  TakeBackup: {
    success: {
      "gives an archive that Debian's tar and sha256sum read, with the database as it is": async (world, test) => {
        const { name } = await aNode(world);
        const { backup, bytes } = await take(world, { withImages: true, regular: false });
        assert.deepEqual([...backup.images].toSorted().slice(0, 2).includes("other"), true);
        assert.deepEqual(backup.imagesLeftOut, []);
        const folder = await mkdtemp(path.join(world.folder, "backup-"));
        test.after(() => rm(folder, { recursive: true }));
        await execa("tar", ["--zstd", "-xf", "-", "-C", folder], { input: bytes });
        await execa("sha256sum", ["--check", "--strict", "--quiet", "SHA256SUMS"], { cwd: folder });
        const about = JSON.parse(await readFile(path.join(folder, "pallet-backup.json"), "utf8"));
        assert.equal(about.format, 1);
        assert.equal(about.nodes, backup.nodes);
        const database = new DatabaseSync(path.join(folder, "pallet.sqlite"));
        assert.equal(database.prepare("PRAGMA integrity_check").get()?.["integrity_check"], "ok");
        assert.equal(database.prepare("SELECT count(*) AS n FROM nodes WHERE name = ?").get(name)?.["n"], 1);
        database.close();
        const identity = await readdir(path.join(folder, "identity"));
        // Whatever other tests rotated is beside them.
        for (const file of ["authority.pem", "token.key"]) assert.ok(identity.includes(file), file);
        const stored = path.join(world.controllerProgram.imageDirectory, "other/image.zst");
        assert.deepEqual(await readFile(path.join(folder, "images/other/image.zst")), await readFile(stored));
      },
      "leaves the images out, and says which": async (world) => {
        const { backup, bytes } = await take(world);
        assert.deepEqual(backup.images, []);
        assert.ok(backup.imagesLeftOut.includes("other"));
        const { stdout } = await execa("tar", ["--zstd", "-tf", "-"], { input: bytes });
        assert.doesNotMatch(stdout, /^images\//m);
      },
    },
    errors: {
      RESOURCE_EXHAUSTED: [
        {
          when: "another one is being taken",
          reason: "FAILURE_REASON_INVALID",
          says: /being taken already/,
          async call(world, test) {
            await withMuchToSend(world, test);
            const stream = world.controller.takeBackup(asked);
            const end = endOf(stream);
            await firstOf(stream);
            stream.pause();
            test.after(async () => {
              stream.cancel();
              await end;
            });
            await takeAtOnce(world);
          },
        },
      ],
    },
    abandoned: {
      "cancelled by the caller, it leaves no copy behind, and an event says so": async (world, test) => {
        // Until that of a caller who has left is given up.
        await take(world);
        await withMuchToSend(world, test);
        const before = (await eventsOf(world, "backup-failed")).length;
        const stream = world.controller.takeBackup(asked);
        const end = endOf(stream);
        await firstOf(stream);
        stream.cancel();
        await end;
        const { stateDirectory } = world.controllerProgram;
        await until(
          async () => !(await readdir(stateDirectory)).some((name) => name.startsWith(".unfinished")),
          "the copy of the database is still there",
        );
        await until(
          async () => (await eventsOf(world, "backup-failed")).length > before,
          "nobody was told that the backup failed",
        );
      },
    },
  },

  ReportBackup: {
    success: {
      "notes where it is kept": async (world) => {
        const { backup } = await take(world);
        const report = { id: backup.id, path: "/srv/one.tar.zst", sizeBytes: 5n, failure: "" };
        await answer(world.controller, world.controller.reportBackup, report);
        assert.match((await eventsOf(world, "backup-taken")).at(-1)?.message ?? "", /\/srv\/one\.tar\.zst, 5 bytes/);
      },
      "tells of one that could not be kept": async (world) => {
        const { backup } = await take(world);
        const report = { id: backup.id, path: "", sizeBytes: 0n, failure: "its disk is full" };
        await answer(world.controller, world.controller.reportBackup, report);
        assert.match((await eventsOf(world, "backup-failed")).at(-1)?.message ?? "", /its disk is full/);
      },
    },
    errors: {
      NOT_FOUND: [
        {
          when: "it is reported already",
          reason: "FAILURE_REASON_INVALID",
          says: /no backup .* waits for word of it/,
          async call(world) {
            const { backup } = await take(world);
            const report = { id: backup.id, path: "/x", sizeBytes: 1n, failure: "" };
            await answer(world.controller, world.controller.reportBackup, report);
            await answer(world.controller, world.controller.reportBackup, report);
          },
        },
      ],
    },
  },
};
