import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { type ServerWritableStream, status } from "@grpc/grpc-js";
import { Failure } from "../../../../../proto/failure.ts";
import type {
  ReportBackupRequest,
  TakeBackupRequest,
  TakeBackupResponse,
} from "../../../../../proto/gen/pallet/v1/controller.ts";
import { type ConsoleOptions, type Outcome, run } from "../a-console.ts";
import { type AController, answer, refusal, startController } from "../a-controller.ts";

const backup = {
  ...{ id: "b-1", takenAt: new Date(0), nodes: 3, images: [], imagesLeftOut: ["debian"] },
  leftOut: ["/usr/local/bin/page, which hook page runs"],
};
const content = "all that the controller is";

describe("controller backup", () => {
  let controller: AController;
  let folder: string;
  let breaksOff: boolean;
  let asked: TakeBackupRequest[];
  let reports: ReportBackupRequest[];
  const file = (...parts: readonly string[]): string => path.join(folder, ...parts);
  const backUp = (args: readonly string[], options: ConsoleOptions = {}): Promise<Outcome> =>
    run(["backup", ...args], { socket: controller.socket, ...options });

  before(async () => {
    controller = await startController({
      takeBackup(call: ServerWritableStream<TakeBackupRequest, TakeBackupResponse>) {
        asked.push(call.request);
        call.write({ part: { $case: "backup", value: backup } });
        for (const part of content.match(/.{1,10}/g) ?? [])
          call.write({ part: { $case: "data", value: Buffer.from(part) } });
        if (breaksOff) call.emit("error", refusal(status.INTERNAL, new Failure("internal", "its disk gives errors")));
        else call.end();
      },
      reportBackup: answer((request: ReportBackupRequest) => {
        reports.push(request);
        return {};
      }),
    });
  });
  after(() => controller.close());
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "pallet-backup-"));
    [breaksOff, asked, reports] = [false, [], []];
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("writes a file that only its owner may read, says what is not in it, and tells the controller where it is", async () => {
    const { code, stdout, stderr } = await backUp([file("b.tar.zst"), "--with-images"]);
    assert.equal(code, 0, stderr);
    assert.equal(await readFile(file("b.tar.zst"), "utf8"), content);
    assert.equal((await stat(file("b.tar.zst"))).mode & 0o777, 0o600);
    assert.deepEqual(asked, [{ withImages: true, regular: false }]);
    assert.deepEqual(reports, [{ id: "b-1", path: file("b.tar.zst"), sizeBytes: 26n, failure: "" }]);
    assert.match(
      stdout,
      /b\.tar\.zst: 3 nodes, 26 B\n {2}not in it: debian \(images; --with-images\)\n {2}not in it: \/usr\/local/,
    );
    assert.match(stderr, /whoever has it can be this controller/);
    assert.deepEqual(await readdir(folder), ["b.tar.zst"]);
  });

  it("leaves nothing where it breaks off, and does not touch a file that is there", async () => {
    breaksOff = true;
    const broken = await backUp([file("b.tar.zst")]);
    assert.equal(broken.code, 1);
    assert.match(broken.stderr, /its disk gives errors/);
    assert.deepEqual(await readdir(folder), []);
    assert.match(reports[0]?.failure ?? "", /its disk gives errors/);
    await writeFile(file("mine"), "mine");
    const refused = await backUp([file("mine")]);
    assert.match(refused.stderr, /cannot write .*mine: there is such a file already/);
    assert.equal(asked.length, 1, "the controller was asked for nothing");
    assert.equal(await readFile(file("mine"), "utf8"), "mine");
  });

  it("keeps the newest in a folder, and removes none when the new one is not whole", async () => {
    const names = [1, 2, 3].map((day) => `pallet-2020010${day}-031500.tar.zst`);
    for (const name of [...names, "notes.txt", ".pallet-20200101-031500.tar.zst.0a1b2c3d.part"])
      await writeFile(file(name), "x");
    breaksOff = true;
    assert.equal((await backUp(["--into", folder, "--keep", "2"])).code, 1);
    assert.deepEqual(
      (await readdir(folder)).filter((name) => /^pallet-/.test(name)),
      names,
    );
    breaksOff = false;
    const { code, stdout } = await backUp(["--into", folder, "--keep", "2", "--json"]);
    assert.equal(code, 0);
    const { file: made, removed } = JSON.parse(stdout);
    assert.deepEqual(removed, names.slice(0, 2));
    assert.deepEqual((await readdir(folder)).toSorted(), ["notes.txt", names[2], path.basename(made)].toSorted());
    assert.equal(asked.at(-1)?.regular, true);
  });

  it("goes to standard output, which then has nothing else, but to no terminal", async () => {
    const { code, stdout, stderr } = await backUp(["-"]);
    assert.deepEqual([code, stdout], [0, content]);
    assert.match(stderr, /^backup: 3 nodes/);
    const terminal = await backUp(["-"], { terminal: { columns: 80, rows: 24 } });
    assert.equal(terminal.code, 2);
    assert.match(terminal.stderr, /standard output is a terminal/);
  });

  for (const [title, args, says] of [
    ["neither a file nor a folder", [], /give a file, or --into a folder/],
    ["both", ["x", "--into", "y"], /give a file, or --into a folder/],
    ["a number without a folder", ["x", "--keep", "3"], /--keep goes with --into/],
    ["JSON and the backup at once", ["-", "--json"], /both want standard output/],
    ["another machine", ["x", "--server", "rack"], /on the management machine alone.*ssh/],
  ] as const) {
    it(`refuses ${title}`, async () => {
      const { code, stderr } = await run(["backup", ...args]);
      assert.equal(code, 2);
      assert.match(stderr, says);
    });
  }
});
