// Pallet is upgraded in the middle of a rollout: the controller is stopped while nodes write, another root filesystem takes the
// place of the one that they run from, and the controller is started again.
import assert from "node:assert/strict";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { changeRoots } from "../../controller/roots/change-roots.ts";
import type { Root } from "../../controller/roots/read-roots.ts";
import { AgentRole } from "../../proto/gen/pallet/v1/node.ts";
import { RolloutState } from "../../proto/gen/pallet/v1/rollout.ts";
import { requires } from "../requirements.ts";
import { fakeKernel, makeTinyImage } from "../tiny-image.ts";
import type { Board } from "./board.ts";
import { createRack, type Rack } from "./rack.ts";
import { createScratchFolder, type ScratchFolder } from "./scratch-folder.ts";
import { end, isWriting, reimageOf, startReimage, tell } from "./story.ts";

const MiB = 1024 * 1024;

interface ListedRoot {
  readonly id: string;
  readonly state: string;
  readonly users: readonly { readonly node: string; readonly uncertain: boolean }[];
}

describe("an upgrade in the middle of a rollout", { ...requires("root", "loop devices"), timeout: 300_000 }, () => {
  let scratch: ScratchFolder;
  let store: string;
  let rack: Rack;
  let older: Root;
  let newer: Root;

  /** As "controller rootfs build" with another agent. */
  const addRoot = (agentDigest: string): Promise<Root> =>
    changeRoots(store, async (roots) => {
      const made = await roots.add(async ({ version }) => {
        await mkdir(path.join(version, "root/sbin"), { recursive: true });
        await writeFile(path.join(version, "root/sbin/init"), "");
        await writeFile(path.join(version, "vmlinuz"), fakeKernel());
        await writeFile(path.join(version, "initrd.img"), `the initrd of ${agentDigest}`);
        const manifest = { madeBy: "rootfs build", agent: { sizeBytes: 1, digest: agentDigest } };
        await writeFile(path.join(version, "manifest.json"), JSON.stringify(manifest));
      });
      await roots.use(made.id);
      return made;
    });

  before(async () => {
    scratch = await createScratchFolder("pallet-upgrade-");
    await chmod(scratch.path, 0o755);
    store = path.join(scratch.path, "rootfs");
    older = await addRoot("older");
    rack = await createRack({
      nodes: 2,
      settings: {
        nfs: { mode: "ganesha", rootfs: store },
        bootProfile: { agent: { append: ["panic=10"] }, local: { append: ["panic=10"] } },
      },
    });
    const image = await makeTinyImage({ folder: rack.folder, name: "bulky", bulkBytes: 12 * MiB });
    await rack.palletOk("images", "add", image.path, "--name", "bulky");
    await rack.powerOnAll();
  });
  after(async () => {
    await rack?.close();
    await scratch?.remove();
  });

  const bootIdOf = async (board: Board) =>
    (await rack.client.nodes()).find(({ nodeId }) => nodeId === board.mac)?.facts?.bootId;
  const nameOf = async (board: Board) => (await rack.client.nodes()).find(({ nodeId }) => nodeId === board.mac)?.name;
  const listed = async (): Promise<readonly ListedRoot[]> =>
    JSON.parse(await rack.palletOk("rootfs", "list", "--json"));
  /** Versions whose root it was told to mount, boot by boot. */
  const bootsOf = (board: Board) => {
    const words = /Kernel command line: .*nfsroot=\S+\/versions\/([^/]+)\/root,vers=3/g;
    return [...board.console.text().matchAll(words)].map(([, id]) => id);
  };

  it("lets who writes go on with the old root, gives who boots the new one, and ends proved", () =>
    tell(rack, async () => {
      const [one, two] = [rack.board(1), rack.board(2)];
      for (const board of [one, two]) await board.limitNetwork(2 * MiB);
      const id = await startReimage(rack, "--all", "--image", "bulky", "--full");
      for (const board of [one, two]) await rack.client.rollout(id, isWriting(board, MiB));
      // It is still going on when a busy machine comes round to interfere.
      for (const board of [one, two]) await board.limitNetwork(MiB / 8);
      const boot = await bootIdOf(one);

      assert.equal(await rack.controller.stop(), 0);
      newer = await addRoot("newer");
      await rack.startController();
      await two.powerOff();
      await two.limitNetwork(undefined);
      await two.powerOn();
      await rack.client.event(
        ({ type, nodeId, message }) =>
          type === "boot-file-fetched" && nodeId === two.mac && message.includes(`agent/${newer.id}/vmlinuz`),
        { timeoutMs: 120_000 },
      );
      await rack.client.event(
        ({ type, nodeId, message }) => type === "node-registered" && nodeId === two.mac && /netboot/.test(message),
      );

      // The first writes on, with the root that it booted with; nobody may take that away.
      assert.equal(await bootIdOf(one), boot);
      assert.deepEqual(bootsOf(one), [older.id]);
      const old = (await listed()).find((root) => root.id === older.id);
      assert.ok(
        old?.users.some(({ node, uncertain }) => !uncertain && node !== undefined),
        JSON.stringify(old),
      );
      const refused = await rack.pallet("rootfs", "remove", older.id, "--force");
      assert.equal(refused.exitCode === 0, false);
      assert.match(refused.stderr, new RegExp(`${older.id} is in use by .*${await nameOf(one)}`));

      await one.limitNetwork(undefined);
      const rollout = await end(rack, id);
      assert.equal(rollout.state, RolloutState.ROLLOUT_STATE_SUCCEEDED, rack.lastWords());
      assert.equal(reimageOf(rollout, one).attempts, 1);
      assert.deepEqual(bootsOf(one), [older.id]);
      assert.deepEqual(bootsOf(two), [older.id, newer.id]);
      for (const node of await rack.client.nodes()) assert.equal(node.agent?.role, AgentRole.AGENT_ROLE_RESIDENT);

      // They run from their cards now.
      assert.deepEqual(
        (await listed()).map(({ id: root, state, users }) => [root, state, users.length]),
        [
          [older.id, "kept", 0],
          [newer.id, "current", 0],
        ],
      );
      await rack.palletOk("rootfs", "remove", older.id);
      assert.deepEqual(
        (await listed()).map((root) => root.id),
        [newer.id],
      );
    }));
});
