// What is tested of ControllerService's RPCs about what the controller itself knows: its status, nodes, boot targets.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { type ServiceError, status } from "@grpc/grpc-js";
import { BootTarget, NodeState } from "../../../proto/gen/pallet/v1/controller.ts";
import { answer } from "../calls.ts";
import type { Refusal, ServiceChecks } from "./checks.ts";
import { acceptanceOf, aNode, aRollout, deadPort, madeUpRegistration, type World } from "./world.ts";

const { BOOT_TARGET_AGENT: Agent, BOOT_TARGET_LOCAL: Local, BOOT_TARGET_UNSPECIFIED: Unspecified } = BootTarget;

/** The refusal of a RPC that names a node that there is not. */
export function unknownNode(call: (world: World, node: string) => Promise<unknown>): Refusal {
  return {
    when: "there is no such node",
    reason: "FAILURE_REASON_INVALID",
    says: /"no-such-node".*controller nodes/,
    call: (world) => call(world, "no-such-node"),
  };
}

/** The refusal of a RPC for a node that nobody has accepted. */
export function whilePending(call: (world: World, node: string) => Promise<unknown>): Refusal {
  return {
    when: "the node is pending",
    reason: "FAILURE_REASON_INVALID",
    says: /is pending: nobody has accepted it yet.*controller node accept node-/,
    call: async (world) => call(world, (await aNode(world, { pending: true })).name),
  };
}

/** The refusal of a RPC that must not disturb a reimage. */
export function whileReimaged(call: (world: World, node: string) => Promise<unknown>): Refusal {
  return {
    when: "a reimage of the node runs",
    reason: "FAILURE_REASON_INVALID",
    says: /is being reimaged by rollout .*cancel/,
    async call(world, test) {
      const { node } = await aRollout(world, test);
      return call(world, node.name);
    },
  };
}

function setBootTarget({ controller }: World, node: string, bootTarget: BootTarget, imageName = "") {
  return answer(controller, controller.setBootTarget, { node, bootTarget, imageName, force: false });
}

const getNode = ({ controller }: World, node: string) => answer(controller, controller.getNode, { node });
const rename = ({ controller }: World, node: string, name: string) =>
  answer(controller, controller.renameNode, { node, name });
const accept = ({ controller }: World, nodes: string[], all = false) =>
  answer(controller, controller.acceptNodes, acceptanceOf(nodes, { all }));
const forget = ({ controller }: World, node: string, force = true) =>
  answer(controller, controller.forgetNode, { node, force });

const anySelector = { nodes: [] as string[], all: false, labelSelector: "", states: [] as NodeState[] };
const select = ({ controller }: World, selector: Partial<typeof anySelector>, acceptedOnly = false) =>
  answer(controller, controller.selectNodes, { selector: { ...anySelector, ...selector }, acceptedOnly });
const label = (
  { controller }: World,
  nodes: string[],
  changes: { set?: { key: string; value: string }[]; remove?: string[]; overwrite?: boolean },
) =>
  answer(controller, controller.labelNodes, {
    ...{ set: [], remove: [], overwrite: false, ...changes },
    selector: { ...anySelector, nodes },
  });
/** Selectors that no controller takes. */
const malformedSelectors: readonly (readonly [string, Partial<typeof anySelector>, RegExp])[] = [
  ["it chooses nothing", {}, /no node is named/],
  ["nodes are named besides all", { nodes: ["x"], all: true }, /not both/],
  ["the labels cannot be read", { labelSelector: "rack in a" }, /"rack in a" cannot be read/],
  ["two states exclude each other", { states: [1, 2] }, /both online and offline/],
  ["a state is unknown", { all: true, states: [999 as NodeState] }, /no NodeState that this controller knows/],
];

/** A name that no other test uses. */
const freshName = () => `n${randomBytes(6).toString("hex")}`;

/** Tests of GetStatus and the RPCs of nodes that need no agent. */
export const controllerNodeChecks: ServiceChecks = {
  GetStatus: {
    success: {
      "says where the controller listens and since when": async ({ controller, controllerProgram }) => {
        const found = await answer(controller, controller.getStatus, {});
        assert.equal(found.grpcAddress, controllerProgram.address);
        assert.match(found.httpUrl, /^http:\/\/127\.0\.0\.1:\d+$/);
        assert.match(found.tftpAddress, /^127\.0\.0\.1:\d+$/);
        assert.ok(found.version);
        assert.ok((found.startedAt?.getTime() ?? 0) <= Date.now());
      },
    },
  },

  ListNodes: {
    success: {
      "gives every node by name": async (world) => {
        const made = [await aNode(world), await aNode(world)];
        const { nodes } = await answer(world.controller, world.controller.listNodes, {});
        const names = nodes.map(({ name }) => name);
        assert.deepEqual(names, names.toSorted(new Intl.Collator("en", { numeric: true }).compare));
        for (const { name } of made) assert.ok(names.includes(name));
      },
    },
  },

  GetNode: {
    success: {
      "finds a node by name, MAC address in any notation, and serial number": async (world) => {
        const serial = randomBytes(4).toString("hex");
        const { mac, name } = await aNode(world, { serial });
        const notations = [mac, mac.toUpperCase(), mac.replaceAll(":", "-"), mac.replaceAll(":", "")];
        for (const text of [name, serial, serial.toUpperCase(), ...notations]) {
          assert.equal((await getNode(world, text)).node?.nodeId, mac, text);
        }
      },
    },
    errors: {
      NOT_FOUND: [unknownNode(getNode)],
      INVALID_ARGUMENT: [
        {
          when: "several nodes have that serial number",
          reason: "FAILURE_REASON_INVALID",
          says: /several nodes have the serial number/,
          async call(world) {
            const serial = randomBytes(4).toString("hex");
            await aNode(world, { serial });
            await aNode(world, { serial });
            return getNode(world, serial);
          },
        },
      ],
    },
  },

  SelectNodes: {
    success: {
      "chooses by name, pattern, label and state, and of several ways what fits all": async (world) => {
        const [ten, two] = [await aNode(world, { pending: true }), await aNode(world, { pending: true })];
        const family = freshName();
        await rename(world, ten.name, `${family}-10`);
        await rename(world, two.name, `${family}-2`);
        await accept(world, [`${family}-2`]);
        await label(world, [`${family}-*`], { set: [{ key: "family", value: family }] });
        await label(world, [two.mac], { set: [{ key: "first", value: "" }] });
        const all = [`${family}-2`, `${family}-10`];
        const labelSelector = `family=${family}`;
        for (const [selector, acceptedOnly, expected] of [
          [{ nodes: all.toReversed() }, true, all],
          [{ nodes: [`${family}-?*`, two.mac] }, false, all],
          [{ nodes: [`${family}-*`] }, true, [`${family}-2`]],
          [{ labelSelector }, false, all],
          [{ labelSelector: `${labelSelector},!first` }, false, [`${family}-10`]],
          [{ all: true, labelSelector }, true, [`${family}-2`]],
          [{ labelSelector, states: [NodeState.NODE_STATE_UNACCEPTED] }, false, [`${family}-10`]],
          [{ labelSelector, states: [NodeState.NODE_STATE_ONLINE] }, false, all],
          [{ labelSelector, states: [NodeState.NODE_STATE_FAILED] }, false, []],
        ] as const) {
          const found = (await select(world, selector as Partial<typeof anySelector>, acceptedOnly)).nodes;
          assert.deepEqual(
            found.map(({ name }) => name),
            expected,
            JSON.stringify(selector),
          );
        }
      },
    },
    errors: {
      NOT_FOUND: [
        unknownNode((world, node) => select(world, { nodes: [node] })),
        {
          when: "a pattern matches none",
          reason: "FAILURE_REASON_INVALID",
          says: /no node matches "no-such-\*"/,
          call: (world) => select(world, { nodes: ["no-such-*"] }),
        },
      ],
      INVALID_ARGUMENT: malformedSelectors.map(([when, selector, says]) => ({
        ...{ when, says, reason: "FAILURE_REASON_INVALID" },
        call: (world) => select(world, selector),
      })),
    },
  },

  LabelNodes: {
    success: {
      "sets and removes labels, which stay until the node is forgotten": async (world) => {
        const { mac, name } = await aNode(world);
        const set = [
          { key: "rack", value: "a" },
          { key: "pallet.example/shelf", value: "2" },
        ];
        await label(world, [name], { set });
        assert.deepEqual((await getNode(world, mac)).node?.labels, set.toReversed());
        await label(world, [name], { set: [{ key: "rack", value: "b" }], remove: ["no-such"], overwrite: true });
        const { nodes } = await label(world, [name], { remove: ["pallet.example/shelf"] });
        assert.deepEqual(nodes[0]?.labels, [{ key: "rack", value: "b" }]);
      },
    },
    errors: {
      NOT_FOUND: [unknownNode((world, node) => label(world, [node], { remove: ["rack"] }))],
      INVALID_ARGUMENT: (
        [
          ["no label is given", {}, /no label is given/],
          ["a key is malformed", { set: [{ key: "-rack", value: "" }] }, /"-rack" cannot be the key of a label/],
          ["a value is malformed", { set: [{ key: "rack", value: "a b" }] }, /"a b" cannot be the value of a label/],
          ["a label is set twice", { set: [1, 2].map((n) => ({ key: "rack", value: `${n}` })) }, /set twice/],
          [
            "a label is set and removed",
            { set: [{ key: "rack", value: "" }], remove: ["rack"] },
            /both set and removed/,
          ],
          [
            "there are too many",
            { set: Array.from({ length: 65 }, (_, n) => ({ key: `k${n}`, value: "" })) },
            /at most 64/,
          ],
        ] as const
      ).map(([when, changes, says]) => ({
        ...{ when, says, reason: "FAILURE_REASON_INVALID" },
        call: async (world) => label(world, [(await aNode(world)).name], changes as Parameters<typeof label>[2]),
      })),
      ALREADY_EXISTS: [
        {
          when: "one of the nodes has another value, and then none is changed",
          reason: "FAILURE_REASON_INVALID",
          says: /has the label rack=a already; .*--overwrite/,
          async call(world) {
            const [one, other] = [await aNode(world), await aNode(world)];
            await label(world, [other.name], { set: [{ key: "rack", value: "a" }] });
            const set = [{ key: "rack", value: "b" }];
            const refused = await label(world, [one.name, other.name], { set }).catch((error: ServiceError) => error);
            assert.deepEqual((await getNode(world, one.mac)).node?.labels, []);
            throw refused;
          },
        },
      ],
    },
  },

  RenameNode: {
    success: {
      "gives the name, by which the node is found from then on": async (world) => {
        const { mac, name } = await aNode(world);
        const fresh = freshName();
        assert.equal((await rename(world, name, fresh)).node?.name, fresh);
        assert.equal((await getNode(world, fresh)).node?.nodeId, mac);
        assert.equal((await rename(world, fresh, fresh)).node?.name, fresh);
      },
    },
    errors: {
      NOT_FOUND: [unknownNode((world, node) => rename(world, node, freshName()))],
      INVALID_ARGUMENT: ["", "1st", "UPPER", "with space", "new\nline", "x".repeat(64), "end-"].map(
        (name): Refusal => ({
          when: `the name is ${JSON.stringify(name)}`,
          reason: "FAILURE_REASON_INVALID",
          says: /name/,
          call: async (world) => rename(world, (await aNode(world)).name, name),
        }),
      ),
      ALREADY_EXISTS: [
        {
          when: "another node has the name",
          reason: "FAILURE_REASON_INVALID",
          says: /already refers to another node/,
          call: async (world) => rename(world, (await aNode(world)).name, (await aNode(world)).name),
        },
      ],
    },
  },

  AcceptNodes: {
    success: {
      "accepts those named, and with all every one": async (world) => {
        const [one, other] = [await aNode(world, { pending: true }), await aNode(world, { pending: true })];
        const named = (await accept(world, [one.name])).nodes;
        assert.deepEqual(
          named.map(({ name, accepted }) => [name, accepted]),
          [[one.name, true]],
        );
        assert.equal((await getNode(world, other.name)).node?.accepted, false);
        await accept(world, [], true);
        assert.equal((await getNode(world, other.name)).node?.accepted, true);
      },
      "accepts boards to come, by name and by number, and those that wait by name": async (world) => {
        const { controller, enrollment } = world;
        const set = (given: Parameters<typeof acceptanceOf>[1]) =>
          answer(controller, controller.acceptNodes, acceptanceOf([], given));
        const arrives = async (request: ReturnType<typeof madeUpRegistration>): Promise<boolean | undefined> => {
          await answer(enrollment, enrollment.register, request);
          return (await getNode(world, request.bootMac)).node?.accepted;
        };
        const waiting = await aNode(world, { pending: true });
        const coming = madeUpRegistration(deadPort);
        const expect = [waiting.mac.toUpperCase(), `${coming.bootMac.slice(0, -1)}[${coming.bootMac.slice(-1)}]`];
        const told = await set({ expect });
        assert.ok(told.nodes.some(({ nodeId, accepted }) => nodeId === waiting.mac && accepted));
        assert.deepEqual(told.rules, { next: 0, expected: expect, configured: [] });
        assert.equal(await arrives(coming), true);
        await set({ noLongerExpect: expect, next: 1 });
        assert.deepEqual((await set({ rulesOnly: true })).rules, { next: 1, expected: [], configured: [] });
        assert.equal(await arrives(madeUpRegistration(deadPort)), true);
        assert.equal(await arrives(madeUpRegistration(deadPort)), false);
      },
    },
    errors: {
      NOT_FOUND: [
        {
          when: "one of them is not known, and then none is accepted",
          reason: "FAILURE_REASON_INVALID",
          says: /"no-such-node"/,
          async call(world) {
            const { name } = await aNode(world, { pending: true });
            const refused = await accept(world, [name, "no-such-node"]).catch((error: ServiceError) => error);
            assert.equal((await getNode(world, name)).node?.accepted, false);
            throw refused;
          },
        },
      ],
      INVALID_ARGUMENT: [
        {
          when: "none is named",
          reason: "FAILURE_REASON_INVALID",
          says: /no node is named/,
          call: (world) => accept(world, []),
        },
        {
          when: "more boards are to be accepted than a rack has",
          reason: "FAILURE_REASON_INVALID",
          says: /at most the next 5000 boards/,
          call: ({ controller }) => answer(controller, controller.acceptNodes, acceptanceOf([], { next: 5001 })),
        },
        {
          when: "some are named besides all",
          reason: "FAILURE_REASON_INVALID",
          says: /not both/,
          call: async (world) => accept(world, [(await aNode(world)).name], true),
        },
      ],
    },
  },

  ForgetNode: {
    success: {
      "forgets the node, which is discovered anew when it registers again": async (world) => {
        const { enrollment } = world;
        const { mac, name, instanceId } = await aNode(world);
        await forget(world, name);
        await assert.rejects(getNode(world, mac), { code: status.NOT_FOUND });
        const heartbeat = { bootMac: mac, instanceId, temperatureCelsius: undefined };
        await assert.rejects(answer(enrollment, enrollment.heartbeat, heartbeat), { code: status.NOT_FOUND });
      },
    },
    errors: {
      NOT_FOUND: [unknownNode(forget)],
      FAILED_PRECONDITION: [
        whileReimaged(forget),
        {
          when: "the node is online and the caller has not insisted",
          reason: "FAILURE_REASON_INVALID",
          says: /is online.*registers again.*give --yes/,
          call: async (world) => forget(world, (await aNode(world)).name, false),
        },
      ],
    },
  },

  SetBootTarget: {
    success: {
      "sets local with an image's kernel, and agent again": async (world) => {
        const { name } = await aNode(world);
        const local = (await setBootTarget(world, name, Local, "tiny")).node;
        assert.equal(local?.bootTarget, Local);
        assert.equal(local?.bootImageDigest, world.image.digest);
        const agent = (await setBootTarget(world, name, Agent)).node;
        assert.equal(agent?.bootTarget, Agent);
        assert.equal(agent?.bootImageDigest, "");
      },
    },
    errors: {
      NOT_FOUND: [
        unknownNode((world, node) => setBootTarget(world, node, Agent)),
        {
          when: "there is no such image",
          reason: "FAILURE_REASON_INVALID",
          says: /"no-such-image".*controller images/,
          call: async (world) => setBootTarget(world, (await aNode(world)).name, Local, "no-such-image"),
        },
      ],
      INVALID_ARGUMENT: [
        {
          when: "no target is given",
          reason: "FAILURE_REASON_INVALID",
          says: /neither agent nor local/,
          call: async (world) => setBootTarget(world, (await aNode(world)).name, Unspecified),
        },
        {
          when: "an image is named for agent",
          reason: "FAILURE_REASON_INVALID",
          says: /only valid with the boot target local/,
          call: async (world) => setBootTarget(world, (await aNode(world)).name, Agent, "tiny"),
        },
      ],
      FAILED_PRECONDITION: [
        whileReimaged((world, node) => setBootTarget(world, node, Agent)),
        whilePending((world, node) => setBootTarget(world, node, Local, "tiny")),
        {
          when: "no image is named for local and none is known to be installed",
          reason: "FAILURE_REASON_INVALID",
          says: /name the image/,
          call: async (world) => setBootTarget(world, (await aNode(world)).name, Local),
        },
      ],
    },
  },
};
