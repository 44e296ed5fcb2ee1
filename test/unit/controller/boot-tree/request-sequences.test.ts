import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import { pino } from "pino";
import { createBootFiles } from "../../../../controller/boot/boot-files.ts";
import { createFirmwareBoot } from "../../../../controller/boot/firmware-boot.ts";
import { createTftpServer, type TftpServer } from "../../../../controller/boot/tftp/tftp-server.ts";
import { renderConfigTxt } from "../../../../controller/boot-tree/render-config-txt.ts";
import type { NewEvent } from "../../../../controller/events/event.ts";
import type { Image } from "../../../../controller/images/catalogue/image.ts";
import { createNodeRegistry, type NodeRegistry } from "../../../../controller/nodes/node-registry.ts";
import { createBootPlanner } from "../../../../controller/serving/boot-planner.ts";
import { openStore } from "../../../../controller/store/open-store.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";
import type { AgentInfo } from "../../../../proto/node/agent-info.ts";
import type { NodeFacts } from "../../../../proto/node/node-facts.ts";
import { assertGolden } from "../../../golden.ts";
import { TftpError, tftpGet } from "../../../rack/machine/tftp-client.ts";
import { until } from "../../../until.ts";
import { createManualClock } from "../../proto/time/manual-clock.ts";
import { anImage, digest } from "../boot/a-node.ts";
import { type RequestSequence, requestSequences } from "./request-sequences.ts";

const mac = "dc:a6:32:00:00:01" as NodeId;
const image = anImage({ boot: { kernel: "vmlinuz", initrd: "initrd.img", deviceTrees: [], commandLine: "quiet" } });
/** An image that a Pi 4's firmware boots by its own files. */
const ownFiles = anImage({
  boot: {
    ...image.boot,
    kernelFormat: "arm64-image",
    kernelOrigin: "raspberry-pi",
    firmware: {
      folder: "firmware",
      files: ["config.txt", "usercfg.txt", "kernel8.img", "initramfs8", "bcm2711-rpi-4-b.dtb", "overlays/a.dtbo"],
      configTxt: "config.txt",
      boots: [
        {
          boards: ["pi4"],
          kernel: "kernel8.img",
          kernelFormat: "arm64-image",
          initrds: ["initramfs8"],
          osPrefix: "",
          overlayPrefix: "overlays/",
        },
      ],
    },
  },
});
const pi4Facts: NodeFacts = {
  model: "Raspberry Pi 4 Model B Rev 1.4",
  serial: "100000005e1fabcd",
  interfaces: [{ name: "eth0", mac, addresses: ["127.0.0.1"] }],
  memoryBytes: 4e9,
  cpuCount: 4,
  cpuModel: "Cortex-A72",
  kernel: "6.1.0",
  architecture: "arm64",
  bootId: "boot-1",
  root: { source: "10.0.0.1:/srv", filesystemType: "nfs", disk: "" },
  hostname: "pi",
  uptimeSeconds: 30,
};
const netbooted: AgentInfo = { version: "1", role: "netboot", instanceId: "run-1", port: 7710 };
let folder = "";

before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "pallet-sequences-"));
  const names = ["bootcode.bin", "start.elf", "fixup.dat", "start4.elf", "fixup4.dat", "u-boot.bin"];
  const trees = ["bcm2837-rpi-3-b.dtb", "bcm2837-rpi-3-b-plus.dtb", "bcm2711-rpi-4-b.dtb", "bcm2712-rpi-5-b.dtb"];
  const agents = ["agent", "agent/backports"].flatMap((at) => [`${at}/vmlinuz`, `${at}/initrd.img`]);
  await mkdir(path.join(folder, "tree/agent/backports"), { recursive: true });
  await mkdir(path.join(folder, "image"));
  for (const name of [...names, ...trees, ...agents])
    await writeFile(path.join(folder, "tree", name), `file ${name}\n`);
  await writeFile(path.join(folder, "tree/config.txt"), renderConfigTxt());
  for (const name of ["vmlinuz", "initrd.img", "bcm2712-rpi-5-b.dtb"])
    await writeFile(path.join(folder, "image", name), `the image's ${name}\n`);
  await mkdir(path.join(folder, "image/firmware/overlays"), { recursive: true });
  for (const name of ownFiles.boot.firmware?.files ?? [])
    await writeFile(path.join(folder, "image/firmware", name), `the image's own ${name}\n`);
  await writeFile(
    path.join(folder, "image/firmware/config.txt"),
    "include usercfg.txt\nkernel=kernel8.img\ndtoverlay=a\n",
  );
  await writeFile(path.join(folder, "image/firmware/usercfg.txt"), "os_prefix=x/\ndtparam=i2c\n");
});
after(() => rm(folder, { recursive: true }));

/** A TFTP server over the boot tree, with a registry and a planner as the controller has them. */
async function start(
  test: { after(work: () => Promise<void>): void },
  options: { knowsMac?: boolean; image?: Image } = {},
) {
  const { knowsMac = true } = options;
  const events: NewEvent[] = [];
  const log = pino({ level: "silent" });
  const clock = createManualClock();
  const nodes: NodeRegistry = createNodeRegistry({
    rows: openStore(":memory:").nodes,
    events: { append: (event) => events.push(event) },
    clock,
    heartbeatIntervalMs: 1000,
    log,
  });
  const planner = createBootPlanner({
    nodes,
    images: { getByDigest: async (of) => (of === digest ? (options.image ?? image) : undefined) },
    events: { append: (event) => events.push(event) },
    profile: async () => ({
      agent: {
        kernel: "agent/vmlinuz",
        initrd: "agent/initrd.img",
        pi5: { kernel: "agent/backports/vmlinuz", initrd: "agent/backports/initrd.img" },
        append: ["console=ttyAMA10,115200"],
      },
      local: { append: [] },
    }),
    endpoints: Promise.resolve({ controller: "10.0.0.1:7700" }),
  });
  const firmware = createFirmwareBoot({
    loader: "auto",
    nodeOf: async () => (knowsMac ? mac : undefined),
    specOf: planner.specOf,
    noteBoot: planner.noteBoot,
    clock,
  });
  const bootFile = (_of: unknown, file: string): string => path.join(folder, "image", file);
  const { bootSpecFor } = planner;
  const { recordFetch } = nodes;
  const files = createBootFiles({
    tree: path.join(folder, "tree"),
    images: { bootFile },
    bootSpecFor,
    firmware,
    recordFetch,
    log,
  });
  const server: TftpServer = await createTftpServer({ address: "127.0.0.1", port: 0, files });
  test.after(() => server.close());
  /** What comes back, as text, or the error. */
  const get = async (name: string, blksize = 1468): Promise<string> => {
    try {
      return (
        await tftpGet({ address: "127.0.0.1", port: server.port, path: name, blksize, windowsize: 1 })
      ).toString();
    } catch (error) {
      if (!(error instanceof TftpError)) throw error;
      return `error ${error.code}\n`;
    }
  };
  return { nodes, events, get };
}

type Controller = Awaited<ReturnType<typeof start>>;

/** Asks for everything in order; as firmware does, under the folder that config.txt names last for a Pi 5. */
async function replay({ get }: Controller, { requests, blockBytes }: RequestSequence): Promise<string> {
  let prefix = "";
  const answers: string[] = [];
  for (const request of requests) {
    const name = request.replace("{prefix}", prefix);
    const answer = await get(name, blockBytes);
    if (name.endsWith("config.txt")) prefix = /^os_prefix=(\S+)$/m.exec(answer)?.[1] ?? "";
    answers.push(`> ${name}\n${answer}`);
  }
  return answers.join("");
}

describe("boards that boot", () => {
  for (const sequence of requestSequences)
    it(`get these answers: ${sequence.name} (by ${sequence.evidence})`, async (test) => {
      const controller = await start(test);
      const answers = await replay(controller, sequence);
      assertGolden(`boot-tree/requests-${sequence.name}`, `Source: ${sequence.source}\n\n${answers}`);
      // Whose address it is, is found out in the meantime.
      await setImmediate();
      const missing = controller.events.filter(({ type }) => type === "boot-file-missing");
      const isLost = sequence.name === "pi-5-that-ignores-os-prefix";
      assert.deepEqual(
        missing.map(({ message }) => /asked for "(\S+)"/.exec(message)?.[1]),
        isLost ? ["kernel", "kernel_2712.img"] : [],
      );
    });

  it("that are never told by whom they are asked still start U-Boot", async (test) => {
    const controller = await start(test, { knowsMac: false });
    assert.equal(await controller.get("5e1fabcd/config.txt"), renderConfigTxt());
    assert.equal(await controller.get("5e1fabcd/cmdline.txt"), "error 1\n");
    assert.equal(await controller.get("5e1fabcd/pallet/0123456789ab/kernel"), "error 1\n");
    assert.deepEqual(controller.nodes.list(), []);
  });

  it("by their own firmware are discovered by it, and one that only reads config.txt is not", async (test) => {
    const controller = await start(test);
    const config = await controller.get("5e1fabcd/config.txt");
    assert.deepEqual(controller.nodes.list(), []);
    const prefix = /^os_prefix=(\S+)$/m.exec(config)?.[1];
    assert.equal(await controller.get(`5e1fabcd/${prefix}kernel`), "file agent/backports/vmlinuz\n");
    // The server notes a transfer when its last acknowledgement has come.
    await until(() => controller.events.length >= 2, "the transfer was not noted");
    assert.equal(controller.nodes.get(mac)?.bootStage?.path, "agent/backports/vmlinuz");
    assert.deepEqual(
      controller.events.map(({ type }) => type),
      ["node-discovered", "boot-file-fetched"],
    );
  });

  it("by their own firmware load their image, with its device tree, when that is their boot target", async (test) => {
    const controller = await start(test);
    controller.nodes.discover(mac, "127.0.0.1");
    controller.nodes.setBootTarget(mac, { kind: "local", imageDigest: digest });
    const config = await controller.get("5e1fabcd/config.txt");
    const prefix = /^os_prefix=(\S+)$/m.exec(config)?.[1];
    assert.equal(await controller.get(`5e1fabcd/${prefix}kernel`), "the image's vmlinuz\n");
    assert.equal(await controller.get(`5e1fabcd/${prefix}initrd`), "the image's initrd.img\n");
    assert.equal(await controller.get(`5e1fabcd/${prefix}bcm2712-rpi-5-b.dtb`), "the image's bcm2712-rpi-5-b.dtb\n");
    const commandLine = await controller.get(`5e1fabcd/${prefix}cmdline.txt`);
    assert.match(
      commandLine,
      /^quiet root=PARTUUID=deadbeef-02 rootwait( rootwait=60)? pallet\.controller=\S+ pallet\.node=\S+\n$/,
    );
  });

  it("by their own firmware and an image's own files get those, and U-Boot still gets what it can start", async (test) => {
    const controller = await start(test, { image: ownFiles });
    const { nodes, get } = controller;
    nodes.register({ id: mac, facts: pi4Facts, agent: netbooted, address: "127.0.0.1" });
    assert.match(await get("5e1fabcd/config.txt"), /^kernel=u-boot\.bin$/m);
    nodes.setBootTarget(mac, { kind: "local", imageDigest: digest });
    const config = await get("5e1fabcd/config.txt");
    assert.match(config, /^include usercfg\.txt\n#kernel=kernel8\.img\ndtoverlay=a\n/);
    const prefix = /^os_prefix=(\S+)$/m.exec(config)?.[1];
    for (const [name, answer] of [
      [`${prefix}kernel`, "the image's own kernel8.img\n"],
      [`${prefix}initrd`, "the image's own initramfs8\n"],
      [`${prefix}BCM2711-rpi-4-b.dtb`, "the image's own bcm2711-rpi-4-b.dtb\n"],
      [`${prefix}overlays/README`, ""],
      [`${prefix}overlays/a.dtbo`, "the image's own overlays/a.dtbo\n"],
      [`${prefix}overlays/overlay_map.dtb`, "error 1\n"],
      ["usercfg.txt", "#os_prefix=x/\ndtparam=i2c\n"],
      ["start4.elf", "file start4.elf\n"],
    ] as const)
      assert.equal(await get(`5e1fabcd/${name}`), answer, name);
    assert.match(await get(`5e1fabcd/${prefix}cmdline.txt`), /^quiet root=PARTUUID=deadbeef-02 rootwait pallet\./);
    await until(() => controller.events.some(({ message }) => message.endsWith("by the image's own config.txt")), "");
    assert.deepEqual(
      controller.events.filter(({ type }) => type === "boot-file-missing"),
      [],
    );
    const pxelinux = await get("pxelinux.cfg/01-dc-a6-32-00-00-01");
    assert.match(pxelinux, new RegExp(`^LABEL local\n {2}KERNEL images/${digest}/vmlinuz$`, "m"));
  });

  it("by their own firmware never mix two boots when the boot target changes in between", async (test) => {
    const controller = await start(test);
    const prefixNow = async () => /^os_prefix=(\S+)$/m.exec(await controller.get("5e1fabcd/config.txt"))?.[1];
    const prefix = await prefixNow();
    assert.equal(await controller.get(`5e1fabcd/${prefix}kernel`), "file agent/backports/vmlinuz\n");
    controller.nodes.setBootTarget(mac, { kind: "local", imageDigest: digest });
    // What has begun goes on: firmware that misses a file of its boot may stop for good.
    assert.equal(await prefixNow(), prefix);
    assert.equal(await controller.get(`5e1fabcd/${prefix}initrd`), "file agent/backports/initrd.img\n");
    assert.match(await controller.get(`5e1fabcd/${prefix}cmdline.txt`), /^console=ttyAMA10,115200 /);
    const next = await prefixNow();
    assert.notEqual(next, prefix);
    assert.equal(await controller.get(`5e1fabcd/${next}kernel`), "the image's vmlinuz\n");
    for (const file of ["kernel", "initrd", "cmdline.txt"])
      assert.equal(await controller.get(`5e1fabcd/pallet/0123456789ab/${file}`), "error 1\n");
  });
});
