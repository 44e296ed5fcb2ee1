// The command line from elsewhere: through real sshd and ssh, forwarded from outside and from inside, and over a way that dies.
import assert from "node:assert/strict";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { RolloutState } from "../../proto/gen/pallet/v1/rollout.ts";
import { execa } from "../../proto/linux/leashed-execa.ts";
import { bundledPrograms } from "../programs/bundled-programs.ts";
import { ended, spawnLeashed } from "../programs/leashed-process.ts";
import { readBlock } from "../rack/documented/read-documentation.ts";
import { createNetworkNamespace } from "../rack/network.ts";
import type { NetworkNamespace } from "../rack/network-namespace.ts";
import { createRack, type Rack } from "../rack/rack.ts";
import { end, isWriting, tell } from "../rack/story.ts";
import { requires } from "../requirements.ts";
import { makeTinyImage } from "../tiny-image.ts";
import { until } from "../until.ts";

const MiB = 1024 * 1024;
const patience = { withinMs: 120_000, everyMs: 300 };
/** Of the management machine at its uplink, and of a machine elsewhere. */
const [uplink, elsewhere] = ["192.0.2.2", "192.0.2.50"];

describe("a management machine that is reached from elsewhere", {
  ...requires("root", "loop devices", "sshd", "systemd-analyze"),
  timeout: 1_200_000,
}, () => {
  let rack: Rack;
  let program: readonly [string, string];
  let away: NetworkNamespace;
  let bundle: string;
  const undo: (() => Promise<unknown>)[] = [];
  const inside = (space: NetworkNamespace, ...words: readonly string[]): readonly string[] => [
    `--net=${space.path}`,
    "--",
    ...words,
  ];
  const at = (name: string): string => path.join(rack.folder, name);
  /** What every ssh of this test says: its key, and nothing of this machine's. */
  const own = (): readonly string[] => {
    const options = [
      `IdentityFile=${at("key")}`,
      "UserKnownHostsFile=/dev/null",
      "StrictHostKeyChecking=no",
      "BatchMode=yes",
      "LogLevel=ERROR",
    ];
    return ["-F", "none", ...options.flatMap((each) => ["-o", each])];
  };

  /** Starts a program in a namespace; returns what ends it. */
  const start = (space: NetworkNamespace, ...words: readonly string[]) => {
    const child = spawnLeashed("nsenter", [...inside(space, ...words)]);
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding("utf8").on("data", (text) => (said += text));
    const end = ended(child);
    const stop = async (): Promise<void> => {
      child.kill("SIGKILL");
      await end;
    };
    undo.push(stop);
    return { stop, end, said: () => said };
  };
  const listens = (space: NetworkNamespace, port: number): Promise<void> =>
    until(
      async () => (await space.run("ss", ["-Hltn", `sport = :${port}`])) !== "",
      `nothing listens at ${port}`,
      patience,
    );
  const serveSsh = async (space: NetworkNamespace, address: string): Promise<void> => {
    const config = at(`sshd-${address}`);
    const { text } = await readBlock("sshd");
    const test = [
      `HostKey ${at("host")}`,
      `AuthorizedKeysFile ${at("key.pub")}`,
      `ListenAddress ${address}`,
      "StrictModes no",
      "UsePAM no",
      "PidFile none",
    ];
    await writeFile(config, `${text}${test.join("\n")}\n`);
    start(space, "/usr/sbin/sshd", "-D", "-e", "-f", config);
    await listens(space, 22);
  };
  /** The way through a port of the other machine, as the documentation has it. */
  const forward = async () => {
    const { text } = await readBlock("forward");
    const line = text.split("\n").find((each) => each.includes(" -L ")) ?? "";
    const [, options = ""] = /^ssh -f (.*) root@rack\.example\.com$/.exec(line) ?? [];
    const tunnel = start(away, "ssh", ...own(), ...options.split(" "), `root@${uplink}`);
    await listens(away, 7700);
    return tunnel;
  };
  const cli = (...args: readonly string[]) =>
    execa("nsenter", [...inside(away, ...program, ...args, "--bundle", bundle)], { reject: false, all: true });

  before(async () => {
    program = [process.execPath, (await bundledPrograms()).controller];
    rack = await createRack({ nodes: 1 });
    const image = await makeTinyImage({ folder: rack.folder, name: "tiny", bulkBytes: 12 * MiB });
    await rack.palletOk("images", "add", image.path, "--name", "tiny");
    await rack.powerOnAll();
    bundle = at("anna.pem");
    await rack.palletOk("operator", "add", "anna", "--role", "operator", "--output", bundle);

    away = await createNetworkNamespace();
    const { namespace } = rack.network;
    await namespace.run(
      "ip",
      ["-batch", "-"],
      `link add name wan type veth peer name eth0 netns ${away.pid}\naddr add ${uplink}/24 dev wan\nlink set wan up\n`,
    );
    await away.run("ip", ["-batch", "-"], `addr add ${elsewhere}/24 dev eth0\nlink set eth0 up\n`);
    for (const name of ["key", "host"]) await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", at(name)]);
    // Other users of this machine pass through the rack's folder for the key that lets them in.
    await chmod(at("key.pub"), 0o644);
    await mkdir("/run/sshd", { recursive: true, mode: 0o755 });
    await serveSsh(namespace, uplink);
    await serveSsh(away, elsewhere);
  });
  after(async () => {
    for (const step of undo.splice(0).reverse()) await step();
    await away?.close();
    await rack?.close();
  });

  it("takes commands through a port that ssh forwards, by the bundle's controller and at any name", async () => {
    const tunnel = await forward();
    const { exitCode, all } = await cli("--server", "localhost", "nodes", "-o", "name");
    assert.deepEqual([exitCode, all], [0, "node-1a2b01"], all);
    await tunnel.stop();
  });

  it("takes them at its address in the rack, where a VPN leads there", async () => {
    await away.run("ip", ["route", "add", "10.77.0.1/32", "via", uplink]);
    const { exitCode, all } = await cli("--server", "10.77.0.1", "nodes", "-o", "name");
    assert.deepEqual([exitCode, all], [0, "node-1a2b01"], all);
    await away.run("ip", ["route", "del", "10.77.0.1/32"]);
  });

  it("is reached through a tunnel that it opens itself, by a unit that systemd takes", async () => {
    const { text } = await readBlock("reverse tunnel");
    const unit = at("pallet-tunnel.service");
    await writeFile(unit, text);
    const { exitCode, all } = await execa("systemd-analyze", ["verify", "--man=no", unit], {
      reject: false,
      all: true,
    });
    assert.deepEqual([exitCode, all], [0, ""], all);

    const [, command = ""] = /^ExecStart=((?:.*\\\n)*.*)$/m.exec(text) ?? [];
    const words = command.replaceAll("\\\n", " ").trim().split(/\s+/);
    const key = words.indexOf("-i");
    const given = words.toSpliced(key, 2).slice(1, -1);
    const there = given.map((word) => word.replace(/^(localhost:2222):localhost:22$/, `$1:${uplink}:22`));
    const tunnel = start(rack.network.namespace, "ssh", ...own(), ...there, `root@${elsewhere}`);
    await listens(away, 2222);
    const said = await away.run("ssh", [
      ...own(),
      "-p",
      "2222",
      "root@localhost",
      ...program,
      "nodes",
      "-o",
      "name",
      "--socket",
      rack.socket,
    ]);
    assert.equal(said, "node-1a2b01");

    // The other end is gone without a word: it ends by itself, for systemd to start it again.
    await rack.network.namespace.run("ip", ["link", "set", "wan", "down"]);
    const { code } = await tunnel.end;
    assert.equal(code, 255, tunnel.said());
    await rack.network.namespace.run("ip", ["link", "set", "wan", "up"]);
  });

  it("goes on with a rollout while the way to it is dead, and shows the rest when it is back", () =>
    tell(rack, async () => {
      const tunnel = await forward();
      const board = rack.board(1);
      await board.limitNetwork(2 * MiB);
      const watching = start(
        away,
        ...program,
        "--server",
        "localhost",
        "--bundle",
        bundle,
        "reimage",
        board.mac,
        "--image",
        "tiny",
        "--full",
        "--yes",
      );
      await until(
        async () => (await rack.client.rollouts()).length > 0,
        () => `no rollout: ${watching.said()}`,
        patience,
      );
      const [{ rolloutId } = { rolloutId: "" }] = await rack.client.rollouts();
      await rack.client.rollout(rolloutId, isWriting(board, 2 * MiB));
      await tunnel.stop();
      await until(
        async () => /the controller is not answering; retrying/.test(watching.said()),
        watching.said,
        patience,
      );
      await board.limitNetwork(undefined);
      assert.equal((await end(rack, rolloutId, 300_000)).state, RolloutState.ROLLOUT_STATE_SUCCEEDED);
      await forward();
      const { code } = await watching.end;
      assert.equal(code, 0, watching.said());
      assert.match(watching.said(), /1 node proved|proved/);
    }));

  it("says where it did not get through, and by what", async () => {
    const { exitCode, all } = await cli("--server", "localhost:7701", "nodes");
    assert.deepEqual([exitCode, /localhost:7701/.test(all)], [1, true], all);
    assert.doesNotMatch(all, new RegExp((await readFile(bundle, "utf8")).split("\n")[1] ?? "never"));
  });
});
