// What is tested of AgentService's RPCs about the node as a whole.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { AgentRole } from "../../../proto/gen/pallet/v1/node.ts";
import { aLoopDevice } from "../../unit/agent/disk/a-loop-device.ts";
import { until } from "../../until.ts";
import { answer } from "../calls.ts";
import type { ServiceChecks } from "./checks.ts";
import { isRetried, withoutPlaceForWord, withTask } from "./failed-tasks.ts";
import { leavesDuringLsblk } from "./leaving-callers.ts";
import { hiding, type World } from "./world.ts";

/** Asks for the block devices while lsblk is held, abandons the call as told, and sees lsblk end. */
async function abandonListing({ agent, tools }: World, how: "cancel" | "deadline"): Promise<void> {
  const { client } = agent;
  await leavesDuringLsblk(tools, how, (options) => answer(client, client.listBlockDevices, {}, options));
  const { devices } = await answer(client, client.listBlockDevices, {});
  assert.ok(devices.length > 0);
}

async function bootId(): Promise<string> {
  return (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
}

const retryTasks = async ({ client }: World["agent"], expectedBootId?: string) =>
  answer(client, client.retryTasks, { expectedBootId: expectedBootId ?? (await bootId()) });

/** Tests of GetNode, ReportBoard, ListBlockDevices, Reboot and RetryTasks. */
export const agentNodeChecks: ServiceChecks = {
  GetNode: {
    success: {
      "gives facts about this machine and about the agent": async ({ agent, resident }) => {
        const { facts, agent: info } = await answer(agent.client, agent.client.getNode, {});
        assert.equal(facts?.bootId, await bootId());
        assert.equal(facts?.architecture, process.arch);
        assert.ok((facts?.memoryBytes ?? 0n) > 0n);
        assert.ok(facts?.root?.filesystemType);
        assert.equal(info?.role, AgentRole.AGENT_ROLE_NETBOOT);
        assert.equal(info?.port, agent.port);
        const other = await answer(resident.client, resident.client.getNode, {});
        assert.equal(other.agent?.role, AgentRole.AGENT_ROLE_RESIDENT);
        assert.notEqual(other.agent?.instanceId, info?.instanceId);
      },
    },
    errors: {
      INTERNAL: [
        {
          when: "the boot id cannot be read",
          reason: "FAILURE_REASON_INTERNAL",
          says: /boot_id/,
          call: ({ stuck: { client, program } }) =>
            hiding(program, "/proc/sys/kernel/random", () => answer(client, client.getNode, {})),
        },
      ],
    },
  },

  ReportBoard: {
    success: {
      "gives what the kernel tells of this machine, in netbooted and resident agents, and no secrets": async ({
        agent,
        resident,
      }) => {
        for (const { client } of [agent, resident]) {
          const { items } = await answer(client, client.reportBoard, {});
          const version = items.find(({ name }) => name === "/proc/version");
          assert.match(version?.value ?? "", /^Linux version /);
          assert.ok(items.some(({ name }) => /^\/sys\/class\/net\/\w+\/address$/.test(name)));
          assert.deepEqual(
            items.filter(({ name }) => /seed|secret/.test(name)),
            [],
          );
        }
      },
    },
    errors: {},
  },

  ListBlockDevices: {
    success: {
      "gives every block device with its size": async ({ agent: { client } }, test) => {
        const disk = await aLoopDevice(test, 8);
        const { devices } = await answer(client, client.listBlockDevices, {});
        const found = devices.find(({ path }) => path === disk.path);
        assert.equal(found?.sizeBytes, BigInt(disk.sizeBytes));
        assert.equal(found?.type, "loop");
        assert.equal(found?.readOnly, false);
      },
    },
    errors: {
      INTERNAL: [
        {
          when: "lsblk fails",
          reason: "FAILURE_REASON_TOOL_FAILED",
          says: /lsblk: broken on purpose/,
          async call({ agent: { client }, tools }) {
            const mend = await tools.breakDown("lsblk");
            return answer(client, client.listBlockDevices, {}).finally(mend);
          },
        },
      ],
    },
    abandoned: {
      "cancelled by the caller, it ends lsblk, and the agent goes on": (world) => abandonListing(world, "cancel"),
      "past its deadline, it ends lsblk, and the agent goes on": (world) => abandonListing(world, "deadline"),
    },
  },

  Reboot: {
    success: {
      "reboots by the configured program once the answer is out, and takes no more work": async (world) => {
        const { client } = world.resident;
        await rm(world.rebootMark, { force: true });
        await answer(client, client.reboot, { expectedBootId: await bootId() });
        await until(() => existsSync(world.rebootMark), "the program that reboots was not run");
      },
    },
    errors: {
      FAILED_PRECONDITION: [
        {
          when: "the boot id is not the current one",
          reason: "FAILURE_REASON_INVALID",
          says: /rebooted since/,
          call: ({ resident: { client } }) => answer(client, client.reboot, { expectedBootId: "of-the-last-boot" }),
        },
        {
          when: "an operation that writes is running",
          reason: "FAILURE_REASON_DEVICE_BUSY",
          says: /stalled-.*write-image/,
          call: async ({ agent: { client } }) => answer(client, client.reboot, { expectedBootId: await bootId() }),
        },
      ],
      INTERNAL: [
        {
          when: "no way to reboot is found",
          reason: "FAILURE_REASON_INTERNAL",
          says: /--reboot-command/,
          call: async ({ stuck: { client } }) => answer(client, client.reboot, { expectedBootId: await bootId() }),
        },
      ],
    },
  },

  RetryTasks: {
    success: {
      "has the system go on from the task that has failed, and reports what comes of it": async (world) => {
        const { resident } = world;
        await withTask(world, "failed");
        await until(async () => {
          const { agent } = await answer(resident.client, resident.client.getNode, {});
          return agent?.tasks?.tasks[0]?.problem === "exit code 7";
        }, "the failed task is not reported");
        await retryTasks(resident);
        await until(() => isRetried(world), "the task was not tried again");
      },
    },
    errors: {
      FAILED_PRECONDITION: [
        {
          when: "the boot id is not the current one",
          reason: "FAILURE_REASON_INVALID",
          says: /rebooted since/,
          call: ({ resident }) => retryTasks(resident, "of-the-last-boot"),
        },
        {
          when: "it runs in RAM",
          reason: "FAILURE_REASON_UNSUPPORTED",
          says: /has no tasks/,
          call: ({ stuck }) => retryTasks(stuck),
        },
        {
          when: "no task has failed",
          reason: "FAILURE_REASON_INVALID",
          says: /no task of this system has failed/,
          async call(world) {
            await withTask(world, "succeeded");
            return retryTasks(world.resident);
          },
        },
      ],
      INTERNAL: [
        {
          when: "what runs them cannot be told",
          reason: "FAILURE_REASON_INTERNAL",
          says: /run\/pallet/,
          async call(world) {
            await withTask(world, "failed");
            await withoutPlaceForWord(world);
            return retryTasks(world.resident);
          },
        },
      ],
    },
  },
};
