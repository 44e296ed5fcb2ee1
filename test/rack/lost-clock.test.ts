// A management machine without a battery for its clock, that comes back in 1970.
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { RolloutState } from "../../proto/gen/pallet/v1/rollout.ts";
import { pemToDer } from "../../proto/identity/pem.ts";
import { execa } from "../../proto/linux/leashed-execa.ts";
import { checkout } from "../programs/checkout.ts";
import { falseTime, requires } from "../requirements.ts";
import { makeTinyImage } from "../tiny-image.ts";
import { until } from "../until.ts";
import { createRack, type Rack } from "./rack.ts";
import { end, isWriting, startReimage, tell } from "./story.ts";

const MiB = 1024 * 1024;
const dayMs = 86_400_000;
const patience = { withinMs: 300_000, everyMs: 500 };

describe("a controller whose machine has lost the time", {
  ...requires("root", "loop devices", "faketime"),
  timeout: 1_200_000,
}, () => {
  let folder: string;
  let rack: Rack;
  let environment: Record<string, string>;
  /** Sets the clock of the controller's machine, as faketime(1) reads it; time goes on from there. */
  const setClock = (to: string): Promise<void> => writeFile(environment["FAKETIME_TIMESTAMP_FILE"] ?? "", `${to}\n`);

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "pallet-clock-"));
    environment = {
      LD_PRELOAD: falseTime,
      FAKETIME_TIMESTAMP_FILE: path.join(folder, "clock"),
      FAKETIME_CACHE_DURATION: "1",
      // Nobody sets the time since the machine's start.
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
      TZ: "UTC",
    };
    await setClock("+0");
    rack = await createRack({ nodes: 2, environment });
    const image = await makeTinyImage({ folder: rack.folder, name: "tiny", bulkBytes: 12 * MiB });
    await rack.palletOk("images", "add", image.path, "--name", "tiny");
    await rack.powerOnAll();
    await rack.palletOk("reimage", rack.board(1).mac, "--image", "tiny", "--yes");
  });
  after(async () => {
    await rack?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const isOnline = (number: number) => async (): Promise<boolean> =>
    (await rack.client.nodes()).find(({ nodeId }) => nodeId === rack.board(number).mac)?.online === true;
  const endOf = async (bundle: string): Promise<number> => {
    const [own] = pemToDer(await readFile(bundle, "utf8"), "CERTIFICATE");
    return new X509Certificate(own ?? "").validToDate.getTime();
  };
  /** Commands of the machine itself. */
  const onMachine = async (...args: readonly string[]): Promise<string> => {
    const program = path.join(checkout, "controller/main.ts");
    const { all } = await execa(process.execPath, [program, ...args], { reject: false, all: true, env: environment });
    return all;
  };

  it("goes on from the time that it has seen, says so, and keeps its nodes", () =>
    tell(rack, async () => {
      await rack.controller.stop();
      await setClock("@1970-01-01 00:00:07");
      const config = path.join(rack.folder, "controller.yaml");
      assert.match(
        await onMachine("serve", "--check", "--config", config),
        /clock: this machine's clock says 1970-01-01T.* it was 20/,
      );
      await rack.startController();
      await rack.controller.log.waitFor(/clock: this machine's clock says 1970-01-01T/);
      assert.match(
        await rack.palletOk("status"),
        /clock: this machine's clock says 1970-01-01T.*Remedy: connect it to a time server/,
      );

      await until(isOnline(1), "the installed node does not come back", patience);
      await until(isOnline(2), "the netbooted node does not come back", patience);
      const bundle = path.join(rack.folder, "anna.pem");
      await rack.palletOk("operator", "add", "anna", "--role", "viewer", "--output", bundle);
      const leftMs = (await endOf(bundle)) - Date.now();
      assert.ok(leftMs > 364 * dayMs && leftMs < 366 * dayMs, `anna's certificate ends in ${leftMs / dayMs} days`);
      const times = (await rack.client.events()).map(({ time }) => time?.getTime() ?? 0);
      assert.deepEqual(
        times,
        times.toSorted((one, other) => one - other),
        "events are in the order of their times",
      );
    }));

  it("ends a rollout in the middle of which its clock is set years ahead, and in the middle of which it is set back", () =>
    tell(rack, async () => {
      const [board, slow] = [rack.board(1), rack.board(2)];
      const [before] = (await rack.client.events()).slice(-1);
      await slow.limitNetwork(2 * MiB);
      const id = await startReimage(rack, board.mac, slow.mac, "--image", "tiny", "--full");
      await rack.client.rollout(id, isWriting(slow, 2 * MiB), { timeoutMs: 300_000 });
      await setClock("+1200d");
      const heardThen = async (): Promise<boolean> =>
        (await rack.client.nodes()).every(({ lastSeenAt }) => (lastSeenAt?.getTime() ?? 0) > Date.now() + 1000 * dayMs);
      await until(heardThen, "the nodes are not heard after the clock was set ahead", patience);
      await setClock("+0");
      const rollout = await end(rack, id, 300_000);
      const failures = rollout.reimages.flatMap(({ failure }) => failure?.message ?? []);
      assert.equal(rollout.state, RolloutState.ROLLOUT_STATE_SUCCEEDED, failures.join("; "));
      const events = (await rack.client.events()).filter(({ id }) => id > (before?.id ?? 0n));
      const wrong = events.filter(({ type, message }) =>
        /silent|refused|token|certificate|trouble/.test(`${type} ${message}`),
      );
      assert.deepEqual(wrong, []);
    }));
});
