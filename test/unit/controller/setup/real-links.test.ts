// What ip(8) says of interfaces that cannot be the rack's, each made by the kernel in a network namespace of its own.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import type { Link } from "../../../../controller/setup/facts.ts";
import { parseLinks } from "../../../../controller/setup/parse-links.ts";
import { planSetup } from "../../../../controller/setup/plan-setup.ts";
import { execa } from "../../../../proto/linux/leashed-execa.ts";
import { requires } from "../../../requirements.ts";
import { choice, freshMachine, uplink } from "./a-machine.ts";

const made = `
  ip link add free address 02:00:00:00:00:20 type veth peer name far0
  ip link add port address 02:00:00:00:00:21 type veth peer name far1
  ip link add bridge0 type bridge && ip link set port master bridge0
  ip link add link free name upper0 type macvlan mode bridge
  ip link add one address 02:00:00:00:00:22 type veth peer name far2
  ip link add two address 02:00:00:00:00:22 type veth peer name far3
  ip -json -details address`;

describe("the kernel's interfaces", requires("root"), () => {
  let links: readonly Link[] = [];
  before(async () => {
    const { stdout } = await execa("unshare", ["--net", "--", "sh", "-c", made]);
    links = [...parseLinks(stdout, []), uplink];
  });

  for (const [rack, message] of [
    ["free", undefined],
    ["port", /^port is a port of bridge0/],
    ["bridge0", /^bridge0 is a bridge/],
    ["upper0", /^upper0 is a macvlan/],
    ["lo", /^lo is no Ethernet interface/],
    ["one", /^one and two have the same MAC address, 02:00:00:00:00:22/],
  ] as const)
    it(`${message === undefined ? "accepts" : "refuses"} ${rack}`, () => {
      const { conflicts } = planSetup({ ...choice, rack }, { ...freshMachine(), links });
      const found = conflicts.map((each) => each.message);
      if (message === undefined) assert.deepEqual(found, []);
      else assert.match(found.join("\n"), message);
    });
});
