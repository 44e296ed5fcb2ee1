// The main job, by the real command line: from blank cards to a proved rack, and again onto another image.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import type { BoardReport } from "../../controller/cli/view/board-report-view.ts";
import { BootTarget } from "../../proto/gen/pallet/v1/controller.ts";
import { AgentRole } from "../../proto/gen/pallet/v1/node.ts";
import { requires } from "../requirements.ts";
import { makeTinyImage, type TinyImage } from "../tiny-image.ts";
import { sequenceFrom } from "../unit/controller/boot-tree/board-reports.ts";
import { until } from "../until.ts";
import { assertGrown, assertHoldsImage, readRootFile } from "./card-content.ts";
import { createRack, type Rack } from "./rack.ts";
import { tell } from "./story.ts";

/** A line of `controller node logs --json`. */
interface LoggedRecord {
  readonly agentRole: string;
  readonly message: string;
  readonly missingBefore: number;
  readonly fields: Readonly<Record<string, unknown>> | null;
}

const bootConfigOf = (mac: string): string => `pxelinux.cfg/01-${mac.replaceAll(":", "-")}`;

describe("a rack of three Pis", requires("root", "loop devices"), () => {
  let rack: Rack;
  let first: TinyImage;
  let second: TinyImage;
  const firstBoots = new Map<string, string>();
  const onRack = (title: string, body: () => Promise<void>) => it(title, { timeout: 360_000 }, () => tell(rack, body));

  before(async () => {
    rack = await createRack({ nodes: 3 });
    first = await makeTinyImage({ folder: rack.folder, name: "first", bulkBytes: 3 << 20 });
    second = await makeTinyImage({ folder: rack.folder, name: "second" });
  });
  after(() => rack.close());

  onRack("is discovered while it boots, and nothing is written to its cards", async () => {
    await Promise.all(rack.boards.map((board) => board.powerOn()));
    for (const { mac } of rack.boards) {
      await rack.client.event(({ type, nodeId }) => type === "node-registered" && nodeId === mac);
    }
    const nodes = await rack.client.nodes();
    assert.deepEqual(nodes.map(({ nodeId }) => nodeId).sort(), rack.boards.map(({ mac }) => mac).sort());
    for (const node of nodes) {
      const board = rack.boards.find(({ mac }) => mac === node.nodeId);
      assert.equal(node.accepted, false);
      assert.equal(node.online, true);
      assert.equal(node.bootTarget, BootTarget.BOOT_TARGET_AGENT);
      assert.equal(node.address, board?.address);
      assert.equal(node.facts?.model, board?.model);
      assert.equal(node.facts?.serial.endsWith(board?.serial ?? "none"), true, `serial ${node.facts?.serial}`);
      assert.equal(node.agent?.role, AgentRole.AGENT_ROLE_NETBOOT);
    }
    for (const { card } of rack.boards) assert.equal(await card.hasPartitionTable(), false);
  });

  onRack("has a report of each board: what it asked for from power-on, and what its kernel tells", async () => {
    for (const { mac } of rack.boards) {
      const report = JSON.parse(await rack.palletOk("board-report", mac)) as BoardReport;
      assert.equal(report.format, "pallet-board-report/1");
      assert.equal(report.boardMissing, null);
      assert.match(report.board["/proc/version"] ?? "", /^Linux version/);
      const { requests } = sequenceFrom(report, mac);
      assert.match(requests[0] ?? "", /bootcode\.bin$|start4\.elf$|pieeprom\.(sig|upd)$/);
      assert.deepEqual(requests.slice(-3).sort(), ["agent/initrd.img", "agent/vmlinuz", bootConfigOf(mac)]);
    }
    const { mac } = rack.board(1);
    const file = path.join(rack.folder, "report.json");
    await rack.palletOk("board-report", mac, "--anonymise", "--output", file);
    assert.ok(!(await readFile(file, "utf8")).includes(mac.slice(9)));
    const again = await rack.pallet("board-report", mac, "--output", file);
    assert.equal(again.exitCode, 1);
    assert.match(again.stderr, /exists; choose another name/);
  });

  onRack("is left alone until its nodes are accepted, also by name", async () => {
    await rack.palletOk("images", "add", first.path, "--name", "first");
    const refused = await rack.pallet("reimage", "--all", "--image", "first", "--yes");
    assert.equal(refused.exitCode, 1);
    assert.match(refused.stderr, /accept/);
    const { mac, card } = rack.board(1);
    for (const command of [
      ["reimage", mac, "--image", "first", "--yes"],
      ["wipe", mac, card.device, "--yes"],
      ["reboot", mac],
    ]) {
      const { exitCode, stderr } = await rack.pallet(...command);
      assert.deepEqual([command, exitCode], [command, 1]);
      assert.match(stderr, /is pending: .*controller node accept node-/);
    }
    await rack.palletOk("node", "accept", "--all");
  });

  onRack("shows by --dry-run what would be erased, and erases nothing", async () => {
    const output = await rack.palletOk("reimage", "--all", "--dry-run");
    for (const { card } of rack.boards) {
      assert.match(output, new RegExp(card.device));
      assert.equal(await card.hasPartitionTable(), false);
    }
  });

  onRack("is imaged, rebooted from its own cards, and proved", async () => {
    const output = await rack.palletOk("reimage", "--all", "--image", "first", "--yes", "--json");
    const messages = output
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { type: string });
    assert.equal(messages[0]?.type, "plan");
    const digest = createHash("sha256")
      .update(await readFile(first.path))
      .digest("hex");
    const [rollout] = await rack.client.rollouts();
    for (const board of rack.boards) {
      const proof = rollout?.reimages.find(({ nodeId }) => nodeId === board.mac)?.proof;
      assert.equal(proof?.imageDigest, digest);
      assert.equal(proof?.rootDevice, `${board.card.device}p2`);
      assert.notEqual(proof?.bootId, proof?.previousBootId);
      firstBoots.set(board.mac, proof?.bootId ?? "");
      await assertHoldsImage(board.card, first);
      await assertGrown(board.card, first);
      const stamp = JSON.parse(await readRootFile(board.card, first, "/etc/pallet/installed.json"));
      assert.equal(stamp.imageDigest, digest);
      assert.match(
        await readRootFile(board.card, first, "/etc/inittab"),
        /^plt:2345:respawn:\/usr\/lib\/pallet\/agent --role resident$/m,
      );
      assert.match(board.console.text(), /Mounted root \(ext4 filesystem\)/);
    }
    for (const node of await rack.client.nodes()) {
      assert.equal(node.bootTarget, BootTarget.BOOT_TARGET_LOCAL);
      assert.equal(node.agent?.role, AgentRole.AGENT_ROLE_RESIDENT);
      assert.equal(node.provedImageName, "first");
    }
  });

  onRack("stays on its cards when it loses power, and waits for a controller that is away", async () => {
    // A Pi 4: the boot ROM of a Pi 3 does not wait longer than 25 s (card-firmware.test.ts).
    const board = rack.board(2);
    await board.powerOff();
    assert.equal(await rack.controller.stop(), 0);
    const mark = board.console.mark();
    await board.powerOn();
    await board.console.waitFor(/firmware: trying again/, { from: mark });
    await rack.startController();
    await board.console.waitFor(/Mounted root \(ext4 filesystem\)[\s\S]*"role":"resident"/, { from: mark });
  });

  onRack("goes over to another certificate authority by itself, and the former one retires", async () => {
    const [former] = JSON.parse(await rack.palletOk("ca", "show", "--json")) as { readonly id: string }[];
    await rack.palletOk("ca", "rotate");
    const retires = async (): Promise<boolean> => (await rack.pallet("ca", "retire", former?.id ?? "")).exitCode === 0;
    await until(retires, "nodes still go by it", { withinMs: 90_000, everyMs: 1000 });
  });

  onRack("is taken back from its running systems and imaged anew", async () => {
    await rack.palletOk("images", "add", second.path, "--name", "second");
    await rack.palletOk("reimage", "--all", "--image", "second", "--yes");
    const [rollout] = await rack.client.rollouts();
    for (const board of rack.boards) {
      const proof = rollout?.reimages.find(({ nodeId }) => nodeId === board.mac)?.proof;
      assert.equal(proof?.rootDevice, `${board.card.device}p2`);
      assert.notEqual(proof?.bootId, firstBoots.get(board.mac));
      await assertHoldsImage(board.card, second);
      await assertGrown(board.card, second);
    }
    for (const node of await rack.client.nodes()) assert.equal(node.provedImageName, "second");
  });

  onRack("has told the controller its agents' logs, of every boot, from the start to the last word", async () => {
    const boot = (role: string) => [`${role}: serving`, `${role}: registered`];
    const written = ["netboot: operation started", "netboot: operation ended", "netboot: rebooting"];
    const reimaged = [...boot("netboot"), ...written, ...boot("resident")];
    for (const { mac } of rack.boards) {
      const output = await rack.palletOk("node", "logs", mac, "--limit", "0", "--json");
      const records = output
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as LoggedRecord);
      assert.ok(records.every(({ missingBefore }) => missingBefore === 0));
      const said = records.map(({ agentRole, message }) => `${agentRole}: ${message}`);
      let from = 0;
      for (const words of [...reimaged, "resident: rebooting", ...reimaged]) {
        const at = said.indexOf(words, from);
        assert.notEqual(at, -1, `${mac} did not say "${words}" after ${from} others:\n${said.join("\n")}`);
        from = at + 1;
      }
      const started = records.find(({ message }) => message === "operation started");
      assert.equal(started?.fields?.["kind"], "write-image");
    }
    assert.match(await rack.palletOk("node", "logs", "--limit", "0"), /info {3}\S+ +resident {2}serving port=7710/);
  });
});
