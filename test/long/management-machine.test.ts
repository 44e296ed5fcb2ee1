// From a bare Debian and a stick with packages to a Pi proved on its card, by what the documentation says and nothing else; with
// the power of that machine gone twice, and Pallet upgraded, in the middle of the rollout.
import assert from "node:assert/strict";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { checkoutCache } from "../../controller/artefacts/checkout-cache.ts";
import { execa } from "../../proto/linux/leashed-execa.ts";
import { buildDemoImage, type DemoImage } from "../../scripts/demo-image/build-demo-image.ts";
import { type MachineWithStick, makeMachineWithStick } from "../e2e/setup/machine-with-stick.ts";
import { createRackSwitch, type RackSwitch } from "../e2e/setup/rack-switch.ts";
import { createVirtualBoard, type VirtualBoard } from "../rack/virtual/virtual-board.ts";
import { requires } from "../requirements.ts";
import { until } from "../until.ts";

const MiB = 1024 * 1024;
/** Whose packages are upgraded: where packages were complete for the first time. What boards boot has changed since. */
const previousCommit = "e02cf19e";
/** One emulated machine and one that boots, on two cores that may have other things to do. */
const patience = { withinMs: 1_200_000, everyMs: 1000 };
/** What `controller rollouts --json` says of the one board. */
interface Reimage {
  readonly phase: string;
  readonly attempts: number;
  readonly progress: {
    readonly phase: string;
    readonly resumed: number;
    readonly read: { readonly done: number };
  } | null;
  readonly failure: { readonly message: string } | null;
  readonly proof: { readonly imageDigest: string; readonly rootDevice: string } | null;
}

describe("a bare Debian and a stick with Pallet", { ...requires("root", "qemu"), timeout: 3_000_000 }, () => {
  let image: DemoImage;
  let made: MachineWithStick;
  let rackSwitch: RackSwitch;
  let board: VirtualBoard;

  const run: MachineWithStick["run"] = (...command) => made.run(...command);
  const reimage = async (): Promise<Reimage | undefined> => {
    // No controller answers while it starts.
    const said = await run("controller", "rollouts", "--json").catch(() => "[]");
    return JSON.parse(said)[0]?.reimages[0];
  };
  /** Waits for what the controller says of the reimage; says at last what that and the machine said. */
  const reimageIs = async (what: string, holds: (reimage: Reimage) => boolean): Promise<void> => {
    let last: Reimage | undefined;
    const isSo = async (): Promise<boolean> => {
      last = await reimage();
      assert.equal(last?.failure?.message, undefined);
      return last !== undefined && holds(last);
    };
    await until(
      isSo,
      () => `it does not come to ${what}: ${JSON.stringify(last)}\n${board.console.tail(20)}`,
      patience,
    );
  };
  const powerOn = async (): Promise<void> => {
    await made.machine.powerOn();
    await rackSwitch.plugIn(made.machine);
  };
  const cutPower = async (): Promise<void> => {
    await rackSwitch.unplug();
    await made.machine.powerOff();
  };

  before(async () => {
    image = await buildDemoImage({ cacheDirectory: checkoutCache("demo-image"), name: "debian-demo", version: "1" });
    made = await makeMachineWithStick(previousCommit);
    // As people get it, but compressed no longer than it takes.
    await execa("xz", ["--stdout", "--threads=0", "-0", image.imagePath], {
      stdout: { file: path.join(made.stick, "image.img.xz") },
      buffer: false,
    });
    rackSwitch = await createRackSwitch();
    board = await createVirtualBoard(rackSwitch.network, 1, made.folder, { uBoot: made.uBoot, cardBytes: 512 * MiB });
    await powerOn();
  });
  after(async () => {
    await board?.close();
    await made?.close();
    await rackSwitch?.close();
  });

  it("become a machine that lacks nothing to serve a rack, without a network", async () => {
    await made.asDocumented("management machine");
    const [version, ...others] = new Set(await made.versions());
    assert.match(version ?? "", new RegExp(`\\.${previousCommit}$`));
    assert.deepEqual(others, []);
  });

  it("start a rollout to a blank Pi, which goes on when the power was gone in the middle of the write", async () => {
    await board.powerOn();
    const registered = async (): Promise<boolean> =>
      /registered/.test(await run("controller", "events").catch(() => ""));
    await until(registered, () => `it does not register:\n${board.console.tail(20)}`, patience);
    // What is left to fetch has to last for a restart and an upgrade, however slow this machine is.
    await board.limitNetwork(MiB / 16);
    const session = made.asDocumented("first rollout").then(
      () => "every node is proved",
      (error: Error) => error.message,
    );
    await Promise.race([
      reimageIs("a write", ({ progress }) => (progress?.read.done ?? 0) > 0),
      session.then((end) => assert.fail(`it ended before the power was gone: ${end}`)),
    ]);
    await cutPower();
    await powerOn();
    await session;
    await reimageIs("a resumed write", ({ progress }) => (progress?.resumed ?? 0) > 0);
  });

  it("are upgraded in the middle of that write, though dpkg is killed in it twice; the write goes on, from the root that the Pi booted with", async () => {
    const roots = async (): Promise<{ readonly all: readonly string[]; readonly current: string }> => ({
      all: (await run("ls", "/var/lib/pallet/rootfs/versions")).split("\n"),
      current: (await run("readlink", "/var/lib/pallet/rootfs/current")).replace("versions/", ""),
    });
    const mainProcess = (): Promise<string> => run("systemctl", "show", "-P", "MainPID", "pallet-controller");
    const states = async (): Promise<readonly string[]> =>
      (await run("sh", "-c", "dpkg --status pallet-controller pallet-rack | sed -n 's/^Status: .* //p'")).split("\n");
    /** Larger than this are the programs, and the agent in the root filesystem: who writes one is killed (setrlimit(2)). */
    const killed = "ulimit -f 50000";
    const former = await roots();
    const formerProcess = await mainProcess();
    assert.deepEqual(former.all, [former.current]);

    await assert.rejects(run("bash", "-c", `${killed}; apt install --yes /mnt/stick/newer/*.deb`));
    assert.deepEqual(await states(), ["half-installed", "installed"]);
    await run("bash", "-c", "dpkg --unpack /mnt/stick/newer/*.deb");
    assert.deepEqual(await states(), ["unpacked", "unpacked"]);
    assert.equal(await mainProcess(), formerProcess, "the controller runs on until the new one is whole");
    const readBefore = (await reimage())?.progress?.read.done ?? 0;
    await reimageIs("more of the write", ({ progress }) => (progress?.read.done ?? 0) > readBefore);

    const resumedBefore = (await reimage())?.progress?.resumed ?? 0;
    await assert.rejects(run("bash", "-c", `${killed}; dpkg --configure -a`));
    assert.deepEqual(await states(), ["installed", "half-configured"]);
    assert.deepEqual(await roots(), former, "what boards boot is whole");
    await reimageIs("a write resumed by the new program", ({ progress }) => (progress?.resumed ?? 0) > resumedBefore);
    const [version, ...others] = new Set(await made.versions());
    assert.doesNotMatch(version ?? "", new RegExp(previousCommit));
    assert.deepEqual(others, []);

    await run("dpkg", "--configure", "-a");
    await run("bash", "-c", "apt install --yes /mnt/stick/newer/*.deb");
    assert.deepEqual(await states(), ["installed", "installed"]);
    const now = await roots();
    assert.deepEqual([now.all.length, now.all.includes(former.current)], [2, true], now.all.join());
    assert.notEqual(now.current, former.current);
    assert.equal((await reimage())?.phase, "writing");
    await board.limitNetwork(undefined);
  });

  it("have the Pi proved on its card, though the power was gone while they waited for the proof", async () => {
    await reimageIs("a reboot", ({ phase }) => phase === "rebooting");
    await cutPower();
    await powerOn();
    const answers = (): Promise<boolean> =>
      run("controller", "status").then(
        () => true,
        () => false,
      );
    await until(answers, "no controller answers", patience);
    // Its exit code is 0 only if every node is proved.
    await run("controller", "watch");
    const { attempts, proof, phase } = (await reimage()) ?? {};
    assert.equal(phase, "proved");
    assert.equal(attempts, 1, "it was written in one attempt");
    assert.equal(proof?.imageDigest, image.digest);
    assert.equal(proof?.rootDevice, "/dev/mmcblk0p2");
  });
});
