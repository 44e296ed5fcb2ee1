import assert from "node:assert/strict";
import process from "node:process";
import { execa } from "../../../proto/linux/leashed-execa.ts";
import { ended, spawnLeashed } from "../../programs/leashed-process.ts";
import type { RebootingMachine } from "./rebooting-machine.ts";

/** The address of the world's router, whose network is that of the machine's uplink. */
export const worldAddress = "192.0.2.1";

/** Plugs both cables in: the world's router, and a node in the rack. What a restart of the machine replaces. */
export async function plugIn(machine: RebootingMachine): Promise<void> {
  for (const [end, address] of [
    ["world", `${worldAddress}/24`],
    ["switch", "10.77.0.50/24"],
  ] as const) {
    await machine.runAt(end, "ip", "address", "replace", address, "dev", end);
    await machine.runAt(end, "ip", "link", "set", end, "up");
    await machine.runAt(end, "ip", "link", "set", "lo", "up");
  }
  await machine.runAt("switch", "ip", "route", "replace", "default", "via", "10.77.0.1");
}

/**
 * Fails unless the rack has the time of this machine, and a server elsewhere as this machine, but no other door of it, and
 * the world does not reach nodes.
 */
export async function assertServesRack(machine: RebootingMachine): Promise<void> {
  assert.match(await askFromRack(machine, timeOf("10.77.0.1")), /^48 \d+$/m);
  const door = await listen(await spaceOf(machine), "0.0.0.0", 8022);
  const server = await listen(await machine.networkAt("world"), worldAddress, 80);
  try {
    assert.equal(
      await askFromRack(machine, connect(worldAddress, 80, 600_000)),
      "192.0.2.2",
      "the world sees this machine",
    );
    assert.equal(await askFromRack(machine, connect("10.77.0.1", 8022, 3000)), "no answer");
    await assert.rejects(
      machine.runAt("world", "sh", "-c", "ip route replace 10.77.0.0/24 via 192.0.2.2; ping -c1 -W2 10.77.0.50"),
      "the world does not reach nodes",
    );
  } finally {
    await door();
    await server();
  }
}

function timeOf(address: string): string {
  return `const s=require("dgram").createSocket("udp4");const p=Buffer.alloc(48);p[0]=0x23;const ask=()=>s.send(p,123,"${address}");s.on("message",(m)=>{console.log(m.length,m[1]);process.exit()});ask();setInterval(ask,500);setTimeout(()=>process.exit(1),600000)`;
}

function connect(address: string, port: number, withinMs: number): string {
  return `const s=require("net").connect(${port},"${address}");s.on("data",(d)=>{console.log(String(d));process.exit()});s.on("error",(e)=>{console.log(e.code);process.exit()});setTimeout(()=>{console.log("no answer");process.exit()},${withinMs})`;
}

async function askFromRack(machine: RebootingMachine, script: string): Promise<string> {
  const network = await machine.networkAt("switch");
  return (await execa("nsenter", [`--net=${network}`, "--", process.execPath, "-e", script])).stdout.trim();
}

async function spaceOf(machine: RebootingMachine): Promise<string> {
  const [, , pid = ""] = await machine.inside();
  return `/proc/${pid}/ns/net`;
}

/** A server that tells who asks. Resolves once it listens, with what ends it. */
async function listen(network: string, address: string, port: number): Promise<() => Promise<void>> {
  const script = `require("net").createServer((s)=>{s.on("error",()=>{});s.end(s.remoteAddress)}).listen(${port},"${address}",()=>console.log("ready"))`;
  const child = spawnLeashed("nsenter", [`--net=${network}`, "--", process.execPath, "-e", script]);
  const end = ended(child);
  await new Promise<void>((resolve, reject) => {
    child.stdout?.once("data", () => resolve());
    end.then(() => reject(new Error("the server ended")), reject);
  });
  return async () => {
    child.kill("SIGKILL");
    await end;
  };
}
