// A bare Debian and a stick with packages: by what the documentation says and nothing else, they become a machine that serves
// a rack, which survives a power cut and an upgrade. test/long/management-machine.test.ts goes on from there to a virtual Pi.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { requires } from "../requirements.ts";
import { until } from "../until.ts";
import { earlierVersion } from "./setup/earlier-package.ts";
import { type MachineWithStick, makeMachineWithStick } from "./setup/machine-with-stick.ts";

const patience = { withinMs: 600_000, everyMs: 1000 };

describe("a bare Debian and a stick with Pallet", { ...requires("root", "setup"), timeout: 3_000_000 }, () => {
  let made: MachineWithStick;
  const answers = (): Promise<boolean> =>
    made.run("controller", "status").then(
      () => true,
      () => false,
    );
  /** Versions of what boards boot, and which one new boots get. */
  const roots = async (): Promise<{ readonly all: readonly string[]; readonly current: string }> => ({
    all: (await made.run("ls", "/var/lib/pallet/rootfs/versions")).split("\n"),
    current: (await made.run("readlink", "/var/lib/pallet/rootfs/current")).replace("versions/", ""),
  });

  before(async () => {
    made = await makeMachineWithStick();
    await made.machine.powerOn();
  });
  after(() => made?.close());

  it("become a machine that lacks nothing to serve a rack, without a network", async () => {
    // Its last command fails where something is missing.
    await made.asDocumented("management machine");
    assert.deepEqual(await made.versions(), [earlierVersion, earlierVersion]);
    await until(answers, "the controller does not answer", patience);
  });

  it("serve it again after a power cut, by themselves", async () => {
    await made.machine.powerOff();
    await made.machine.powerOn();
    await until(answers, "the controller does not answer", patience);
    await made.run("controller", "serve", "--check");
  });

  it("are upgraded while it serves: the controller goes on as the new one, new boots get the new root", async () => {
    const former = await roots();
    assert.deepEqual(former.all, [former.current]);
    await made.run("bash", "-c", "apt install --yes /mnt/stick/newer/*.deb");
    const [version, ...others] = new Set(await made.versions());
    assert.notEqual(version, earlierVersion);
    assert.deepEqual(others, []);
    const now = await roots();
    assert.notEqual(now.current, former.current);
    await until(answers, "the controller does not answer", patience);
    await made.run("controller", "serve", "--check");
    const program = await made.run("sh", "-c", "readlink /proc/$(systemctl show -P MainPID pallet-controller)/exe");
    assert.equal(program, "/usr/bin/controller", "the program that was replaced is not the one that runs");
  });
});
