// A real U-Boot behind a router's DHCP that names itself, or nobody, as the server to boot from; the controller's own
// dnsmasq is a proxy beside it.
import assert from "node:assert/strict";
import { copyFile, mkdir } from "node:fs/promises";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { provideUBoot } from "../../controller/boot-tree/provide-u-boot.ts";
import { targets } from "../../controller/boot-tree/targets.ts";
import { ended, firstLine, spawnLeashed } from "../programs/leashed-process.ts";
import type { Port } from "../rack/network.ts";
import { createRack, type Rack } from "../rack/rack.ts";
import { createVirtualBoard, type VirtualBoard, virtualMac } from "../rack/virtual/virtual-board.ts";
import { requires } from "../requirements.ts";
import { archive } from "./debian-archive.ts";

const { treePath } = targets.qemu_arm64;
/** The router's number on the switch, and with it its address. */
const routerNumber = 100;
const routerAddress = "10.77.0.110";

describe("U-Boot behind a router's DHCP and the controller's proxy", requires("root", "qemu"), () => {
  let rack: Rack;
  let built: string;
  let port: Port;
  const boards: VirtualBoard[] = [];
  let stopRouter = async (): Promise<void> => {};

  before(async () => {
    built = (await provideUBoot("qemu_arm64", archive)).binaryPath;
    rack = await createRack({ nodes: 0, settings: { dhcp: { mode: "proxy", interface: "rack" } } });
    await rack.controller.log.waitFor(/"msg":"serving"/);
    await mkdir(path.join(rack.folder, "boot", path.dirname(treePath)), { recursive: true });
    await copyFile(built, path.join(rack.folder, "boot", treePath));
    port = rack.network.plug(routerNumber, "02:00:00:00:00:01");
  });
  after(async () => {
    for (const board of boards) await board.close();
    await stopRouter();
    await port?.powerOff();
    await rack?.close();
  });

  /** A router whose dnsmasq gives addresses, and this in the field "next server" of its answers. */
  async function startRouter(nextServer: string): Promise<void> {
    await stopRouter();
    await port.powerOff();
    const namespace = await port.powerOn();
    const options = [
      ...["--keep-in-foreground", "--no-hosts", "--no-resolv", "--port=0", "--conf-file=/dev/null", "--user=root"],
      ...["--interface=eth0", "--bind-interfaces", "--log-facility=-", "--no-ping", "--leasefile-ro"],
      ...["--dhcp-range=10.77.0.20,10.77.0.40,255.255.255.0,600", `--dhcp-option=3,${routerAddress}`],
      `--dhcp-option=option:server-ip-address,${nextServer}`,
      `--pid-file=${path.join(rack.folder, "router.pid")}`,
    ];
    const router = spawnLeashed("nsenter", [
      `--net=${namespace.path}`,
      "--",
      "sh",
      "-c",
      'exec dnsmasq "$@" 2>&1',
      "sh",
      ...options,
    ]);
    const gone = ended(router);
    stopRouter = async () => {
      router.kill("SIGKILL");
      await gone;
    };
    assert.match(await firstLine(router), /started/);
  }

  async function powerOn(number: number, uBoot: string): Promise<VirtualBoard> {
    const board = await createVirtualBoard(rack.network, number, rack.folder, { uBoot, cardBytes: 64 << 20 });
    boards.push(board);
    await board.powerOn();
    return board;
  }

  /** What firmware fetches: by TFTP, from the controller that it has reached. */
  async function fetchUBoot(): Promise<string> {
    const file = path.join(rack.folder, "fetched");
    await rack.network.namespace.run("busybox", ["tftp", "-g", "-r", treePath, "-l", file, rack.network.address]);
    return file;
  }

  for (const [index, [title, nextServer]] of (
    [
      ["names itself", routerAddress],
      ["names nobody", "0.0.0.0"],
    ] as const
  ).entries())
    it(`takes the controller that it was fetched from for its server where the router ${title}`, {
      timeout: 120_000,
    }, async () => {
      await startRouter(nextServer);
      const number = index + 1;
      const board = await powerOn(number, await fetchUBoot());
      const config = `pxelinux\\.cfg/01-${virtualMac(number).replaceAll(":", "-")}`;
      const [said] = await board.console.waitFor(
        new RegExp(`DHCP client bound to address 10\\.77\\.0\\.[234]\\d[\\s\\S]*${config}[\\s\\S]*Bytes transferred`),
        { timeoutMs: 90_000 },
      );
      assert.match(said, new RegExp(`TFTP from server ${rack.network.address.replaceAll(".", "\\.")}`));
      await rack.client.event((each) => each.type === "node-discovered" && each.nodeId === virtualMac(number));
    });

  it("asks the router without that, as it was built", { timeout: 120_000 }, async () => {
    await startRouter(routerAddress);
    const board = await powerOn(3, built);
    await board.console.waitFor(/TFTP from server 10\.77\.0\.110/, { timeoutMs: 90_000 });
  });
});
