// The inventory as the real Ansible reads it, from a controller that runs, through the script that the documentation prints.
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { credentials } from "@grpc/grpc-js";
import { execa } from "execa";
import type { Node } from "../../controller/nodes/node.ts";
import { ControllerServiceClient, NodeSelector } from "../../proto/gen/pallet/v1/controller.ts";
import type { NodeId } from "../../proto/names/node-id.ts";
import type { NodeFacts } from "../../proto/node/node-facts.ts";
import type { ImageDigest } from "../../proto/pack/digest.ts";
import { answer } from "../contract/calls.ts";
import { type ControllerProgram, startController } from "../contract/processes.ts";
import { bundledPrograms } from "../programs/bundled-programs.ts";
import { withoutPallet } from "../programs/without-pallet.ts";
import { readBlock } from "../rack/documented/read-documentation.ts";
import { createScratchFolder, type ScratchFolder } from "../rack/scratch-folder.ts";
import { requires } from "../requirements.ts";

const digest = "4f1c".repeat(16) as ImageDigest;
const mac = (last: number) => `b8:27:eb:00:00:0${last}` as NodeId;

function factsOf(model: string, last: number): NodeFacts {
  return {
    ...{ model, serial: `10000000abcdef0${last}`, memoryBytes: 2 ** 32, cpuCount: 4, cpuModel: "Cortex-A72" },
    ...{ kernel: "6.12.34+rpt-rpi-v8", architecture: "arm64", bootId: `boot-${last}`, hostname: `pi-${last}` },
    ...{ root: { source: "nfs", filesystemType: "nfs", disk: "" }, uptimeSeconds: 60, interfaces: [] },
  };
}

const now = Date.now();
const seen = { lastSeenAt: now, discoveredAt: now, accepted: true, bootTarget: { kind: "agent" } } as const;
const agent = { version: "1", instanceId: "i", port: 1 } as const;
/** Whoever the controller looks for is not there: nothing leaves this machine. */
const known: readonly Node[] = [
  {
    ...seen,
    ...{
      id: mac(1),
      name: "pi-1",
      address: "127.0.1.1",
      agentSeenAt: now,
      facts: factsOf("Raspberry Pi 4 Model B", 1),
    },
    agent: { ...agent, role: "netboot" },
    labels: { rack: "a", "example.com/Shelf": "2.b" },
  },
  {
    ...seen,
    ...{ id: mac(2), name: "pi-10", address: "127.0.1.2", agentSeenAt: now - 86_400_000 },
    // Valid for no group of Ansible's, and evaluated by Ansible if it came through.
    facts: factsOf("{{ 7*7 }} {% raw %}", 2),
    agent: { ...agent, role: "resident" },
    labels: { rack: "a", spare: "" },
    proved: { imageName: "debian-12.1", imageDigest: digest, kind: "resident" },
  },
  // Without an address, and with a name by which Ansible means every host.
  { ...seen, id: mac(3), name: "pi-3" },
  // Not accepted: anybody.
  { ...seen, id: mac(4), name: "stranger", address: "127.0.1.4", accepted: false },
];

/** All of them, as Ansible draws them. */
const graph = `@all:
  |--@ungrouped:
  |--@image_debian_12_1:
  |  |--pi-10
  |--@label_example_com_Shelf_2_b:
  |  |--pi-1
  |--@label_rack_a:
  |  |--pi-1
  |  |--pi-10
  |--@label_spare:
  |  |--pi-10
  |--@model____7_7_______raw___:
  |  |--pi-10
  |--@model_Raspberry_Pi_4_Model_B:
  |  |--pi-1
  |--@role_netboot:
  |  |--pi-1
  |--@role_resident:
  |  |--pi-10
  |--@state_accepted:
  |  |--pi-1
  |  |--pi-3
  |  |--pi-10
  |--@state_discovered:
  |  |--pi-3
  |--@state_offline:
  |  |--pi-3
  |  |--pi-10
  |--@state_online:
  |  |--pi-1
  |--@state_proved:
  |  |--pi-10
  |--@state_unproved:
  |  |--pi-1
  |  |--pi-3`;

describe("Ansible", requires("Ansible"), () => {
  let scratch: ScratchFolder;
  let controller: ControllerProgram;
  let folder: string;
  let environment: NodeJS.ProcessEnv;
  const run = async (program: string, ...args: readonly string[]) =>
    execa(program, args, { cwd: folder, env: environment, extendEnv: false, reject: false });
  /** What a program printed; it has to succeed and, of Ansible's programs, to warn of nothing. */
  const ok = async (program: string, ...args: readonly string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await run(program, ...args);
    assert.equal(exitCode, 0, stderr);
    if (program.startsWith("ansible")) assert.equal(stderr, "");
    return stdout;
  };

  before(async () => {
    scratch = await createScratchFolder("pallet-ansible-");
    controller = await startController({ knownNodes: known });
    folder = path.join(scratch.path, "work");
    const programs = path.join(scratch.path, "bin");
    for (const each of [folder, programs]) await mkdir(each);
    const { controller: main } = await bundledPrograms();
    const script = `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`;
    await writeFile(path.join(programs, "controller"), script, { mode: 0o755 });
    environment = {
      ...withoutPallet(process.env),
      // Ansible wants UTF-8, and a place for its own things.
      ...{ PATH: `${programs}:${process.env["PATH"]}`, HOME: scratch.path, LC_ALL: "C.UTF-8", NO_COLOR: "1" },
      ...{ PALLET_SOCKET: controller.socket },
    };
  });
  after(async () => {
    await controller?.kill();
    await scratch?.remove();
  });

  it("has the nodes in their groups, by the script that the documentation prints", async () => {
    assert.equal(await ok("sh", "-euc", (await readBlock("ansible")).text), graph);
  });

  it("has every variable of every host as the command prints it", async () => {
    const printed = JSON.parse(await ok("./inventory.sh", "--list"));
    const read = JSON.parse(await ok("ansible-inventory", "--list"));
    assert.deepEqual(read._meta.hostvars, printed._meta.hostvars);
    const { hostvars } = read._meta;
    assert.deepEqual(Object.keys(hostvars).toSorted(), ["pi-1", "pi-10", "pi-3"]);
    assert.equal(hostvars["pi-1"].ansible_host, "127.0.1.1");
    assert.equal(hostvars["pi-3"].ansible_host, undefined);
    assert.deepEqual(hostvars["pi-1"].pallet_labels, { "example.com/Shelf": "2.b", rack: "a" });
    assert.deepEqual(hostvars["pi-10"].pallet_states, ["accepted", "proved", "offline"]);
  });

  it("has the same of one host, from Ansible and from the script", async () => {
    const one = JSON.parse(await ok("ansible-inventory", "--host", "pi-10"));
    assert.equal(one.pallet_image, "debian-12.1");
    assert.deepEqual(JSON.parse(await ok("./inventory.sh", "--host", "pi-10")), one);
    const { exitCode, stderr } = await run("./inventory.sh", "--host", "stranger");
    assert.equal(exitCode, 1);
    assert.match(stderr, /the inventory has no host stranger; it has accepted nodes alone/);
  });

  it("evaluates nothing of what a node says of itself", async () => {
    const said = await ok("ansible", "pi-10", "-m", "debug", "-a", "msg={{ pallet_model }}");
    assert.match(said, /"msg": "__ 7_7 __ __ raw __"/);
  });

  it("reads it from elsewhere, with a viewer's bundle", async () => {
    const bundle = path.join(scratch.path, "ada.pem");
    await ok("controller", "operator", "add", "ada", "--role", "viewer", "--output", bundle);
    const { PALLET_SOCKET: _, ...elsewhere } = environment;
    environment = { ...elsewhere, PALLET_SERVER: controller.address, PALLET_BUNDLE: bundle };
    assert.equal(await ok("ansible-inventory", "--graph"), graph);
    environment = { ...elsewhere, PALLET_SOCKET: controller.socket };
  });

  it("gets names that mean one thing, and says which are not what one would expect", async () => {
    const client = new ControllerServiceClient(`unix:${controller.socket}`, credentials.createInsecure());
    await answer(client, client.renameNode, { node: "pi-3", name: "all" });
    for (const [node, value] of [
      ["pi-1", "x-1"],
      ["pi-10", "x_1"],
    ] as const) {
      const selector = NodeSelector.fromPartial({ nodes: [node] });
      await answer(client, client.labelNodes, {
        ...{ selector, set: [{ key: "bay", value }], remove: [], overwrite: false },
      });
    }
    client.close();
    const { exitCode, stdout, stderr } = await run("ansible-inventory", "--graph");
    assert.equal(exitCode, 0, stderr);
    assert.match(stdout, /^ {2}\|--@label_bay_x_1_[0-9a-f]{8}:\n {2}\| {2}\|--pi-1\n/m);
    assert.match(stdout, /^ {2}\|--@label_bay_x_1_[0-9a-f]{8}:\n {2}\| {2}\|--pi-10\n/m);
    assert.doesNotMatch(stdout, /label_bay_x_1:/);
    assert.match(stdout, /\|--node-000003$/m);
    assert.doesNotMatch(stderr, /both group and host/);
    assert.match(
      stderr.replaceAll(/\s+/g, " "),
      /the node all is the host node-000003 here.*label bay=x-1 is label_bay/,
    );
  });
});
