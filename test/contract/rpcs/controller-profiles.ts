import assert from "node:assert/strict";
import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import type { TestContext } from "node:test";
import { answer } from "../calls.ts";
import type { ServiceChecks } from "./checks.ts";
import { aNode, rolloutOf, type World } from "./world.ts";

/** Writes profiles beside the controller's config file, until the test has ended. */
async function withProfiles(
  { controllerProgram }: World,
  test: TestContext,
  files: Readonly<Record<string, string>>,
): Promise<string> {
  const folder = path.join(path.dirname(controllerProgram.socket), "profiles");
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder);
  test.after(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text, { mode: 0o600 });
  return folder;
}

const list = ({ controller }: World) => answer(controller, controller.listProfiles, {});
const check = ({ controller }: World) => answer(controller, controller.checkProfiles, {});
const render = ({ controller }: World, node: string, imageName = "tiny") =>
  answer(controller, controller.renderNodeConfig, { node, imageName });

/** Tests of the RPCs about profiles. */
export const controllerProfileChecks: ServiceChecks = {
  ListProfiles: {
    success: {
      "has them in the order in which they are merged, with the nodes that they are for": async (world, test) => {
        const { name } = await aNode(world);
        const directory = await withProfiles(world, test, {
          "a.yaml": `priority: 2\nmatch: { name: ${name}, image: "other-*" }\nsystem: { hostname: a, users: [{ name: ada }] }`,
          "b.yaml": "system: { timezone: UTC }",
        });
        const listed = await list(world);
        assert.equal(listed.directory, directory);
        assert.deepEqual(listed.problems, []);
        assert.deepEqual(
          listed.profiles.map((profile) => [profile.name, profile.priority, profile.match, profile.fields]),
          [
            ["b", 0, "", ["timezone"]],
            ["a", 2, `name ${name} and image other-*`, ["hostname", "users"]],
          ],
        );
        assert.deepEqual(listed.profiles[1]?.nodes, [name]);
        assert.ok(listed.profiles[0]?.nodes.includes(name));
        assert.equal(listed.profiles[0]?.file, `${directory}/b.yaml`);
      },
      "has none without a folder, and says what is wrong with a file": async (world, test) => {
        assert.deepEqual((await list(world)).profiles, []);
        const directory = await withProfiles(world, test, {
          "a.yaml": "system:\n  hostnme: x\n",
          "b.yaml": "system: {}",
        });
        const { profiles, problems } = await list(world);
        assert.deepEqual(
          profiles.map(({ name }) => name),
          ["b"],
        );
        assert.deepEqual(problems, [
          {
            ...{ file: `${directory}/a.yaml`, line: 2, column: 12, field: "system.hostnme", nodes: [] },
            problem: 'there is no such field here; did you mean "hostname"?',
          },
        ]);
      },
    },
  },

  CheckProfiles: {
    success: {
      "tells for which nodes a template fails": async (world, test) => {
        const { name } = await aNode(world);
        const { name: other } = await aNode(world);
        const { controller } = world;
        const selector = { nodes: [name], all: false, labelSelector: "", states: [] };
        const label = { selector, set: [{ key: "rack", value: "a" }], remove: [], overwrite: true };
        await answer(controller, controller.labelNodes, label);
        // With the name, or those that other tests gave the same label would clash.
        await withProfiles(world, test, { "a.yaml": 'system: { hostname: "{{ name }}-{{ labels.rack }}" }' });
        const { profiles, nodes, problems } = await check(world);
        assert.equal(profiles, 1);
        assert.ok(nodes >= 2);
        assert.equal(problems.length, 1);
        assert.equal(problems[0]?.field, "system.hostname");
        assert.match(problems[0]?.problem ?? "", /the template uses labels\.rack/);
        assert.ok(problems[0]?.nodes.includes(other) && !problems[0].nodes.includes(name));
      },
      "finds nothing wrong where there is nothing": async (world) => {
        const { problems, profiles } = await check(world);
        assert.deepEqual([problems, profiles], [[], 0]);
      },
    },
  },

  RenderNodeConfig: {
    success: {
      "says what would be written where, and no secret": async (world, test) => {
        const { name } = await aNode(world);
        await withProfiles(world, test, {
          "a.yaml": 'system: { hostname: "{{ name }}", files: [{ path: /etc/canary, secretFile: token }] }',
          token: "the-canary",
        });
        const rendered = await render(world, name);
        assert.equal(rendered.imageName, "tiny");
        assert.deepEqual(rendered.config?.profiles, ["a"]);
        assert.equal(rendered.config?.hostname, name);
        assert.match(rendered.config?.digest ?? "", /^[0-9a-f]{64}$/);
        assert.match(rendered.yaml, new RegExp(`^hostname: ${name}$`, "m"));
        assert.match(rendered.yaml, /content: \(secret\)/);
        assert.doesNotMatch(JSON.stringify(rendered), /the-canary/);
        assert.ok(rendered.refusals.length > 0 || rendered.edits.some((edit) => edit.path === "/etc/canary"));
      },
      "says nothing where no profile does": async (world) => {
        const { name } = await aNode(world);
        const { config, yaml, edits } = await render(world, name);
        assert.deepEqual([config, yaml, edits], [undefined, "", []]);
      },
    },
    errors: {
      NOT_FOUND: [
        {
          ...{ when: "there is no such node", reason: "FAILURE_REASON_INVALID", says: /"no-such-node"/ },
          call: (world) => render(world, "no-such-node"),
        },
        {
          ...{ when: "there is no such image", reason: "FAILURE_REASON_INVALID", says: /"no-such-image"/ },
          call: async (world) => render(world, (await aNode(world)).name, "no-such-image"),
        },
      ],
      INVALID_ARGUMENT: [
        {
          ...{ when: "a profile has problems", reason: "FAILURE_REASON_INVALID", says: /a\.yaml line 1 .*hostname/ },
          call: async (world, test) => {
            await withProfiles(world, test, { "a.yaml": 'system: { hostname: "{{ nothing }}" }' });
            return render(world, (await aNode(world)).name);
          },
        },
        {
          ...{
            when: "there are several images and none is named",
            reason: "FAILURE_REASON_INVALID",
            says: /several images/,
          },
          call: async (world) => render(world, (await aNode(world)).name, ""),
        },
      ],
    },
  },
};

/** What StartRollout refuses for what profiles say. */
export async function startsWithBrokenProfiles(world: World, test: TestContext): Promise<unknown> {
  await withProfiles(world, test, { "a.yaml": "system: { hostname: 7 }", "b.yaml": "sytem: {}" });
  const { controller } = world;
  const { name } = await aNode(world);
  return answer(controller, controller.startRollout, { rolloutId: "", rollout: rolloutOf([name]) });
}
