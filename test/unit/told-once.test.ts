// Decisions that stood in several places once, and had drifted apart there. Each has a text by which another copy of it
// would give itself away: it may stand in the one file that decides, and nowhere else in what runs.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";

const root = path.resolve(import.meta.dirname, "../..");
const sources = ["agent", "controller", "proto"].flatMap((folder) =>
  readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    .filter((file) => !file.startsWith("proto/gen/"))
    .map((file) => ({ file, text: readFileSync(path.join(root, file), "utf8") })),
);

const decisions: readonly [what: string, givenAwayBy: RegExp, decidedIn: string][] = [
  ["that a node is being reimaged", /being reimaged by rollout/, "controller/reimage/plan/being-reimaged.ts"],
  ["that there is no such node", /`there is no node /, "controller/nodes/find-node.ts"],
  ["that there is no such image", /`there is no image /, "controller/images/catalogue/find-image.ts"],
  ["which nodes are meant", /"name nodes or choose all/, "controller/nodes/choose-nodes.ts"],
  ["whether the expected agent answers", /is not the one that registered/, "controller/agents/reach-agent.ts"],
  ["who has an address on the local network", /"\/proc\/net\/arp"/, "controller/network/read-mac-address.ts"],
  ["whose folder a board asks in", /\(-\[0-9a-f\]\{2\}\)\{5\}/, "controller/nodes/parse-board-path.ts"],
  [
    "that an address is not this machine's",
    /`no interface of this machine has/,
    "controller/network/interface-address.ts",
  ],
  ["that an interface has no address", /has no IPv4 address/, "controller/network/dnsmasq/choose-dhcp-network.ts"],
  ["which addresses fit DHCP", /isHostAddress\(subnet, parseIpv4/, "controller/network/dnsmasq/choose-dhcp-network.ts"],
  ["which addresses mean this machine alone", /127\(\\\.|127\\\.|"127\."/, "proto/names/plain-address.ts"],
  ["what a clock is", /interface \w*Clock\b/, "proto/time/clock.ts"],
  ["how a rollout's id is made", /abcdefghjkmnpqrstuvwxyz/, "controller/reimage/plan/rollout-id.ts"],
  ["whether a disk is full", /ENOSPC" \|\|/, "proto/linux/disk-full.ts"],
  ["what is compressed twice", /compressed twice/, "controller/images/formats/detect-format.ts"],
  ["how a gRPC server is shut down", /\.tryShutdown\(/, "proto/grpc/described-server.ts"],
];

describe("what is decided once", () => {
  for (const [what, givenAwayBy, decidedIn] of decisions)
    it(`${what}: ${decidedIn}`, () => {
      const found = sources.filter(({ text }) => givenAwayBy.test(text)).map(({ file }) => file);
      assert.deepEqual(found, [decidedIn]);
    });
});
