// The controller's DHCP and DNS: a real dnsmasq, asked by a real DHCP client on a network of its own.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { firstLine, spawnLeashed } from "../programs/leashed-process.ts";
import { bootRom, requestLease } from "../rack/dhcp-client.ts";
import type { Network, Port } from "../rack/network.ts";
import type { NetworkNamespace } from "../rack/network-namespace.ts";
import { createRack, type Rack } from "../rack/rack.ts";
import { requires } from "../requirements.ts";
import { until } from "../until.ts";
import { serveUntilEnd } from "./serve-until-end.ts";

const mac = "b8:27:eb:00:00:01";
const dhcp = {
  mode: "server",
  interface: "rack",
  range: ["10.77.0.100", "10.77.0.200"],
  replyDelaySeconds: 2,
  dnsUpstream: ["192.0.2.53"],
  domain: "rack.test",
};

/** Boards that have power, to be switched off. */
const powered = new Set<Port>();

/** A board with a network interface and no address, or with the one that its port gives. */
async function plugIn(rack: Rack, number: number, boardMac: string, keepAddress = false): Promise<NetworkNamespace> {
  const port = rack.network.plug(number, boardMac);
  const board = await port.powerOn();
  powered.add(port);
  if (!keepAddress) await board.run("ip", ["address", "flush", "dev", "eth0"]);
  return board;
}

async function switchOff(): Promise<void> {
  for (const port of powered) await port.powerOff();
  powered.clear();
}

/** Whom the process file of dnsmasq names. */
async function dnsmasqPid(rack: Rack): Promise<number> {
  return Number(await readFile(path.join(rack.stateDirectory, "dnsmasq/pid"), "utf8"));
}

/** Each look is a program that is run. */
const patience = { everyMs: 100 };

describe("DHCP by dnsmasq", { ...requires("root"), timeout: 120_000 }, () => {
  let rack: Rack;
  before(async () => {
    rack = await createRack({ nodes: 0, settings: { dhcp } });
    await rack.controller.log.waitFor(/"msg":"serving"/);
  });
  after(async () => {
    await switchOff();
    await rack?.close();
  });

  it("gives a boot ROM an address, a server to boot from, and the words that a Raspberry Pi waits for", async () => {
    const board = await plugIn(rack, 1, mac);
    const { values, seconds } = await requestLease(board, rack.folder, bootRom);
    assert.match(values["ip"] ?? "", /^10\.77\.0\.(1\d\d|200)$/);
    assert.equal(values["siaddr"], rack.network.address);
    assert.equal(values["tftp"], rack.network.address);
    assert.match(Buffer.from(values["opt43"] ?? "", "hex").toString("latin1"), /Raspberry Pi Boot/);
    assert.equal(values["vendor"], "PXEClient");
    assert.equal(values["router"], undefined);
    assert.equal(values["dns"], rack.network.address);
    assert.equal(values["domain"], "rack.test");
    assert.ok(seconds >= 2, `the offer came after ${seconds} s, before the delay was over`);
  });

  it("does not take a board that asks for an address for a node, and says that it asked", async () => {
    const event = await rack.client.event((each) => each.type === "address-leased");
    assert.match(
      event.message,
      /^b8:27:eb:00:00:01 \(PXEClient.*\), which is not a known node, got the address 10\.77\.0\./,
    );
    assert.deepEqual(JSON.parse(await rack.palletOk("nodes", "--json")), []);
  });

  it("keeps a node's address for it, whatever it calls itself, and tells it its name", async () => {
    const known = "b8:27:eb:00:00:02";
    const board = await plugIn(rack, 2, known, true);
    const url = `tftp://${rack.network.address}/pxelinux.cfg/01-${known.replaceAll(":", "-")}`;
    await board.run("curl", ["-sSf", url]);
    await rack.palletOk("node", "rename", known, "shelf-2");
    const hosts = path.join(rack.stateDirectory, "dnsmasq/hosts");
    await until(async () => (await readFile(hosts, "utf8")).includes("shelf-2"), "dnsmasq does not know the node");
    await board.run("ip", ["address", "flush", "dev", "eth0"]);
    for (const clientId of ["0001", "ffeeddcc"]) {
      const { values, seconds } = await requestLease(board, rack.folder, { vendorClass: "U-Boot.armv8", clientId });
      assert.equal(values["ip"], "10.77.0.12");
      assert.equal(values["hostname"], "shelf-2");
      assert.equal(values["siaddr"], rack.network.address);
      assert.equal(values["opt43"], undefined);
      assert.ok(seconds < 2, `U-Boot waited ${seconds} s for its offer`);
    }
    const [node] = JSON.parse(await rack.palletOk("nodes", "--json")) as { address: string }[];
    assert.match(node?.address ?? "", /^10\.77\.0\.12/);
    const found = await board.run("busybox", ["nslookup", "-type=a", "shelf-2.rack.test", rack.network.address]);
    assert.match(found, /10\.77\.0\.12/);
  });

  it("is there again when dnsmasq died", async () => {
    const pid = await dnsmasqPid(rack);
    process.kill(pid, "SIGKILL");
    await rack.controller.log.waitFor(/dnsmasq ended; restarting it/);
    await rack.controller.log.waitFor(/dnsmasq is running again/);
    const board = await plugIn(rack, 3, "b8:27:eb:00:00:03");
    assert.ok((await requestLease(board, rack.folder, { vendorClass: "Linux" })).values["ip"]);
  });

  it("ends with the controller, and does not survive it", async () => {
    const port67 = async (): Promise<boolean> =>
      (await rack.network.namespace.run("ss", ["-Hlun", "sport = :67"])) !== "";
    await rack.controller.stop();
    assert.equal(await port67(), false);
    await rack.startController();
    await until(port67, "dnsmasq does not serve again", patience);
    await rack.controller.kill();
    await until(async () => !(await port67()), "dnsmasq is still there", patience);
  });
});

describe("DHCP by default", { ...requires("root"), timeout: 60_000 }, () => {
  const settings = { dhcp: { mode: "server", interface: "rack", replyDelaySeconds: 0 } };

  it("offers DNS alone on a machine that is neither router nor time server, and says so", async () => {
    await using rack = await createRack({ nodes: 0, settings });
    await using _ = { [Symbol.asyncDispose]: switchOff };
    await rack.controller.log.waitFor(
      /nodes are offered: router none: this machine does not forward .*; DNS 10\.77\.0\.1 /,
    );
    await rack.controller.log.waitFor(/"msg":"serving"/);
    const { values } = await requestLease(await plugIn(rack, 1, mac), rack.folder, { vendorClass: "Linux" });
    assert.match(values["ip"] ?? "", /^10\.77\.0\.(12[89]|1[3-9]\d|2\d\d)$/);
    assert.deepEqual([values["router"], values["dns"], values["ntpsrv"]], [undefined, rack.network.address, undefined]);
  });

  it("offers this machine as router and time server where it is one, and answers for the nodes' names", async () => {
    const beRouter = async ({ namespace }: Network): Promise<() => Promise<void>> => {
      await namespace.run("sh", ["-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"]);
      const links =
        "link add name wan type bridge\naddr add 192.0.2.2/24 dev wan\nlink set wan up\nroute add default via 192.0.2.1\n";
      await namespace.run("ip", ["-batch", "-"], links);
      const serveTime = 'const s = require("dgram").createSocket("udp4"); s.bind(123, () => console.log("bound"))';
      const holder = spawnLeashed("nsenter", [`--net=${namespace.path}`, "--", process.execPath, "-e", serveTime]);
      await firstLine(holder);
      return async () => void holder.kill("SIGKILL");
    };
    await using rack = await createRack({ nodes: 0, settings, prepareNetwork: beRouter });
    await using _ = { [Symbol.asyncDispose]: switchOff };
    const { address } = rack.network;
    await rack.controller.log.waitFor(
      /nodes are offered: router 10\.77\.0\.1; DNS 10\.77\.0\.1 \(relay to .*\); time 10\.77\.0\.1"/,
    );
    await rack.controller.log.waitFor(/"msg":"serving"/);
    const board = await plugIn(rack, 1, mac, true);
    await board.run("curl", ["-sSf", `tftp://${address}/pxelinux.cfg/01-${mac.replaceAll(":", "-")}`]);
    await rack.palletOk("node", "rename", mac, "shelf-1");
    const hosts = path.join(rack.stateDirectory, "dnsmasq/hosts");
    await until(async () => (await readFile(hosts, "utf8")).includes("shelf-1"), "dnsmasq does not know the node");
    await board.run("ip", ["address", "flush", "dev", "eth0"]);
    const { values } = await requestLease(board, rack.folder, { vendorClass: "Linux" });
    assert.deepEqual([values["router"], values["dns"], values["ntpsrv"]], [address, address, address]);
    const found = await board.run("busybox", ["nslookup", "-type=a", "shelf-1", address]);
    assert.match(found, new RegExp(`Address: ${values["ip"]}`));
  });
});

describe("DNS for the rack's own names", { ...requires("root"), timeout: 300_000 }, () => {
  const known = "b8:27:eb:00:00:02";
  /** A server elsewhere, which notes what it is asked and never answers. */
  const silent = "192.0.2.53";
  const upstream = `const s = require("dgram").createSocket("udp4");
    s.on("message", (m) => console.log("asked " + m.toString("latin1").replace(/[^a-z0-9-]/g, ".")));
    s.bind(53, "${silent}", () => console.log("bound"))`;
  let rack: Rack;
  let board: NetworkNamespace;
  let asked = "";
  const askAt = async (space: NetworkNamespace, ...questions: readonly string[]): Promise<Record<string, unknown>> =>
    JSON.parse(
      await space.run(process.execPath, [
        path.resolve(import.meta.dirname, "dhcp/ask-dns.ts"),
        rack.network.address,
        ...questions,
      ]),
    );
  const becomes = async (question: string, answer: unknown): Promise<void> => {
    let last: unknown;
    const isSo = async (): Promise<boolean> => {
      last = (await askAt(board, question))[question];
      return JSON.stringify(last) === JSON.stringify(answer);
    };
    await until(isSo, () => `${question} is ${JSON.stringify(last)}`, patience);
  };

  before(async () => {
    const beAsked = async ({ namespace }: Network): Promise<() => Promise<void>> => {
      await namespace.run("ip", ["address", "add", `${silent}/32`, "dev", "lo"]);
      const holder = spawnLeashed("nsenter", [`--net=${namespace.path}`, "--", process.execPath, "-e", upstream]);
      holder.stdout?.setEncoding("utf8").on("data", (text) => (asked += text));
      await firstLine(holder);
      return async () => void holder.kill("SIGKILL");
    };
    rack = await createRack({
      nodes: 0,
      settings: { dhcp: { ...dhcp, dnsUpstream: [silent] } },
      prepareNetwork: beAsked,
    });
    await rack.controller.log.waitFor(/"msg":"serving"/);
    board = await plugIn(rack, 2, known, true);
    await board.run("curl", ["-sSf", `tftp://${rack.network.address}/pxelinux.cfg/01-${known.replaceAll(":", "-")}`]);
    await rack.palletOk("node", "rename", known, "shelf-2");
  });
  after(async () => {
    await switchOff();
    await rack?.close();
  });

  it("has no name for a node before it is accepted, and then one for its address, which no DHCP gave it", async () => {
    assert.deepEqual(await askAt(board, "shelf-2.rack.test"), { "shelf-2.rack.test": "ENOTFOUND" });
    await rack.palletOk("node", "accept", "shelf-2");
    await becomes("shelf-2.rack.test", ["10.77.0.12"]);
  });

  it("answers nodes and this machine itself, in both directions", async () => {
    for (const space of [board, rack.network.namespace]) {
      assert.deepEqual(
        await askAt(space, "shelf-2.rack.test", "shelf-2", "10.77.0.12", "controller.rack.test", "10.77.0.1"),
        {
          "shelf-2.rack.test": ["10.77.0.12"],
          "shelf-2": ["10.77.0.12"],
          "10.77.0.12": ["shelf-2.rack.test"],
          "controller.rack.test": ["10.77.0.1"],
          "10.77.0.1": ["controller.rack.test"],
        },
      );
    }
  });

  it("says of a name without IPv6 that it has none, not that there is no such name, and asks nobody else", async () => {
    assert.deepEqual(await askAt(board, "AAAA:shelf-2.rack.test", "AAAA:shelf-2", "nobody.rack.test", "nobody"), {
      "AAAA:shelf-2.rack.test": "ENODATA",
      "AAAA:shelf-2": "ENODATA",
      "nobody.rack.test": "ENOTFOUND",
      nobody: "ENOTFOUND",
    });
    const other = askAt(board, "elsewhere.example").catch(() => undefined);
    await until(() => asked.includes("elsewhere"), "the server elsewhere is not asked", patience);
    assert.doesNotMatch(asked, /rack|shelf|nobody/);
    await switchOff();
    await other;
    board = await plugIn(rack, 2, known, true);
  });

  it("gives no name to a stranger who calls himself one of ours", async () => {
    const stranger = await plugIn(rack, 9, "b8:27:eb:00:00:09");
    const names = ["controller", "shelf-2", "intruder"];
    let address = "";
    for (const hostname of names) {
      // Option 12 (RFC 2132, 3.14).
      const options = [[12, Buffer.from(hostname).toString("hex")]] as const;
      const { values } = await requestLease(stranger, rack.folder, { vendorClass: "Linux", options });
      assert.notEqual(values["hostname"], hostname);
      address = values["ip"] ?? "";
    }
    assert.deepEqual(await askAt(board, ...names.map((name) => `${name}.rack.test`), address), {
      "controller.rack.test": ["10.77.0.1"],
      "shelf-2.rack.test": ["10.77.0.12"],
      "intruder.rack.test": "ENOTFOUND",
      [address]: "ENOTFOUND",
    });
  });

  it("knows a renamed node by its new name alone, and lets none be called as this machine is", async () => {
    await rack.palletOk("node", "rename", "shelf-2", "shelf-3");
    await becomes("shelf-3.rack.test", ["10.77.0.12"]);
    assert.deepEqual(await askAt(board, "shelf-2.rack.test", "10.77.0.12"), {
      "shelf-2.rack.test": "ENOTFOUND",
      "10.77.0.12": ["shelf-3.rack.test"],
    });
    const { exitCode, stderr } = await rack.pallet("node", "rename", "shelf-3", "controller");
    assert.deepEqual([exitCode, /"controller" is this machine's own name in DNS/.test(stderr)], [1, true], stderr);
  });

  it("fails at once for names elsewhere when no way leads there any more", async () => {
    await rack.network.namespace.run("ip", ["address", "del", `${silent}/32`, "dev", "lo"]);
    // Another name: what is asked anew waits with the question that is still out.
    assert.deepEqual(await askAt(board, "afar.example"), { "afar.example": "EREFUSED" });
  });
});

describe("DHCP that cannot be served", { ...requires("root"), timeout: 60_000 }, () => {
  const inTheWay = 'const s = require("dgram").createSocket("udp4"); s.bind(67, () => console.log("bound"))';
  const cases: readonly [what: string, settings: object, message: RegExp, holdPort: boolean][] = [
    [
      "another program answers DHCP here",
      dhcp,
      /ports: \S+ \(pid \d+\) holds UDP port 67 \(DHCP\) at 0\.0\.0\.0\. Remedy: kill \d+/,
      true,
    ],
    [
      "the range lies outside of the interface's network",
      { ...dhcp, range: ["10.78.0.1", "10.78.0.9"] },
      /10\.78\.0\.1 is not a host address in 10\.77\.0\.0\/24/,
      false,
    ],
  ];
  for (const [what, settings, message, holdPort] of cases) {
    it(`is said so when ${what}`, async () => {
      const holdPort67 = async (network: Network): Promise<() => void> => {
        const program = [process.execPath, "-e", inTheWay];
        const holder = spawnLeashed("nsenter", [`--net=${network.namespace.path}`, "--", ...program]);
        await firstLine(holder);
        return () => holder.kill("SIGKILL");
      };
      assert.match(await serveUntilEnd({ dhcp: settings }, holdPort ? holdPort67 : undefined), message);
    });
  }
});

describe("proxy DHCP by dnsmasq", { ...requires("root"), timeout: 60_000 }, () => {
  it("tells a boot ROM where to boot from and gives no address", async () => {
    const proxy = { mode: "proxy", interface: "rack", replyDelaySeconds: 0 };
    await using rack = await createRack({ nodes: 0, settings: { dhcp: proxy } });
    await rack.controller.log.waitFor(/"msg":"serving"/);
    const board = await plugIn(rack, 1, mac, true);
    try {
      await assert.rejects(requestLease(board, rack.folder, { vendorClass: "Linux" }));
      await board.run("ip", ["route", "add", "255.255.255.255/32", "dev", "eth0"]);
      const script = path.resolve(import.meta.dirname, "dhcp/pxe-discover.ts");
      const answer = JSON.parse(await board.run(process.execPath, [script, mac])) as {
        yourAddress: string;
        nextServer: string;
        options: Record<string, string>;
      };
      assert.equal(answer.yourAddress, "0.0.0.0");
      assert.equal(answer.nextServer, rack.network.address);
      assert.equal(answer.options["60"], "PXEClient");
      assert.match(answer.options["43"] ?? "", /Raspberry Pi Boot/);
      const event = await rack.client.event((each) => each.type === "boot-server-told");
      assert.match(event.message, /b8:27:eb:00:00:01 .* was told where to boot from/);
    } finally {
      await switchOff();
    }
  });
});
