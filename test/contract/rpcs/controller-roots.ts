import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { changeRoots } from "../../../controller/roots/change-roots.ts";
import type { RootId } from "../../../controller/roots/root-id.ts";
import { RootState } from "../../../proto/gen/pallet/v1/controller.ts";
import { RegisterRequest } from "../../../proto/gen/pallet/v1/enrollment.ts";
import { AgentRole } from "../../../proto/gen/pallet/v1/node.ts";
import { answer } from "../calls.ts";
import type { ServiceChecks } from "./checks.ts";
import type { World } from "./world.ts";

/** Adds a version as "controller rootfs build" does; new boots get it. */
async function addRoot({ rootsFolder }: World): Promise<RootId> {
  return changeRoots(rootsFolder, async (roots) => {
    const { id } = await roots.add(async ({ version }) => {
      await mkdir(path.join(version, "root"));
      const agent = { sizeBytes: 1, digest: "ab".repeat(32) };
      const manifest = { madeBy: "rootfs build", kernelRelease: "6.1.0-28-arm64", agent, root: { sizeBytes: 1 } };
      await writeFile(path.join(version, "manifest.json"), JSON.stringify(manifest));
    });
    await roots.use(id);
    return id;
  });
}

/** Registers a made-up node that says it runs from that version. */
async function runFrom({ enrollment, rootsFolder }: World, id: RootId): Promise<string> {
  const mac = `02:${randomBytes(5).toString("hex").match(/../g)?.join(":")}`;
  const nfsRoot = `10.0.0.1:${rootsFolder}/versions/${id}/root,vers=3`;
  await answer(
    enrollment,
    enrollment.register,
    RegisterRequest.fromPartial({
      bootMac: mac,
      facts: {
        interfaces: [{ name: "eth0", mac }],
        bootId: randomBytes(8).toString("hex"),
        root: { source: "overlay", filesystemType: "overlay", nfsRoot },
      },
      agent: {
        version: "0",
        role: AgentRole.AGENT_ROLE_NETBOOT,
        instanceId: randomBytes(8).toString("hex"),
        port: 7702,
      },
    }),
  );
  return mac;
}

const list = async ({ controller }: World) => (await answer(controller, controller.listRoots, {})).roots;
const remove = ({ controller }: World, id: string, force = false) =>
  answer(controller, controller.removeRoot, { id, force });

/** Tests of ListRoots and RemoveRoot. */
export const controllerRootChecks: ServiceChecks = {
  ListRoots: {
    success: {
      "says which version new boots get, and who runs from which": async (world) => {
        const [older, newer] = [await addRoot(world), await addRoot(world)];
        await runFrom(world, older);
        const roots = await list(world);
        const found = (id: RootId) => roots.find((root) => root.id === id);
        assert.equal(found(newer)?.state, RootState.ROOT_STATE_CURRENT);
        assert.equal(found(older)?.state, RootState.ROOT_STATE_IN_USE);
        assert.deepEqual(
          found(older)
            ?.users.filter(({ uncertain }) => !uncertain)
            .map(({ online }) => online),
          [true],
        );
        assert.equal(found(newer)?.kernelRelease, "6.1.0-28-arm64");
        assert.equal(found(newer)?.agentDigest, "ab".repeat(32));
      },
    },
    errors: {},
  },

  RemoveRoot: {
    success: {
      "removes a version that nobody uses": async (world) => {
        const older = await addRoot(world);
        await addRoot(world);
        // By force: nobody knows from what the made-up nodes of other tests run.
        await remove(world, older, true);
        assert.ok(!(await list(world)).some(({ id }) => id === older));
      },
    },
    errors: {
      INVALID_ARGUMENT: [
        {
          when: "it is no id",
          reason: "FAILURE_REASON_INVALID",
          says: /"\.\.\/\.\." is no version/,
          call: (world) => remove(world, "../.."),
        },
      ],
      NOT_FOUND: [
        {
          when: "there is no such version",
          reason: "FAILURE_REASON_INVALID",
          says: /there is no version 20200101-000000-00000000/,
          call: (world) => remove(world, "20200101-000000-00000000"),
        },
      ],
      FAILED_PRECONDITION: [
        {
          when: "new boots get it",
          reason: "FAILURE_REASON_INVALID",
          says: /new boots get/,
          call: async (world) => remove(world, await addRoot(world), true),
        },
        {
          when: "an online node runs from it, even by force",
          reason: "FAILURE_REASON_INVALID",
          says: /is in use by .*node-\w+: reboot/,
          call: async (world) => {
            const older = await addRoot(world);
            await addRoot(world);
            await runFrom(world, older);
            return remove(world, older, true);
          },
        },
      ],
    },
  },
};
