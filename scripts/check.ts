// `npm run check`: the quick checks of the tree. About three minutes on two cores.
import os from "node:os";
import process from "node:process";
import { execa } from "../proto/linux/leashed-execa.ts";
import { checkLicences } from "./check-licences.ts";
import { checkBreakingChanges, checkGeneratedCode, lintProtos } from "./check-proto.ts";
import { runTests } from "./run-tests.ts";
import { type Print, runSteps, type Step } from "./steps.ts";

/** Runs a program of our npm packages; where it fails, what it said is in the error. */
async function runTool(print: Print, program: string, args: readonly string[]): Promise<void> {
  const { all } = await execa(program, args, { preferLocal: true, localDir: ".", all: true });
  if (all !== "") print(`${all}\n`);
}

/** They wait for most of their time: for deadlines, watchdogs, ends of processes. */
const waitingTests = [
  "test/unit/proto/linux/leashed-execa.test.ts",
  "test/unit/controller/rootfs/guard-watchdog.test.ts",
];

/**
 * Of the units and contracts, what takes the most processor time, more than half of it all (measured, 3 to 60 s each: they
 * make filesystems and images, and call whole programs): `npm test` alone runs them.
 */
export const slowTests: readonly string[] = [
  "test/unit/controller/cli/completion/shells.test.ts",
  "test/unit/controller/images/image-store.test.ts",
  "test/unit/agent/customise/configure-system.test.ts",
  "test/unit/controller/images/capture/capture-disk.test.ts",
  "test/unit/agent/tasks/power-cut.test.ts",
  "test/unit/agent/write/growth-loop.test.ts",
  "test/contract/rpcs/rpcs.test.ts",
  "test/contract/doors.test.ts",
  "test/unit/controller/images/on-a-card.test.ts",
  "test/unit/controller/images/boot/real-layouts.test.ts",
  "test/unit/agent/main.test.ts",
  "test/unit/agent/write/write-image.test.ts",
  "test/contract/buf-curl.test.ts",
  "test/unit/controller/images/formats/unzip.test.ts",
  "test/contract/standard-services.test.ts",
  "test/unit/controller/events/flood-limit.test.ts",
  "test/unit/controller/nodes/strangers.property.test.ts",
  "test/unit/controller/old-generation.test.ts",
  "test/unit/proto/linux/young-generation.test.ts",
  "test/unit/controller/reimage/machine/transition.property.test.ts",
  "test/unit/controller/images/import/examine-system.test.ts",
  "test/unit/agent/write/write-image-loop.test.ts",
  "test/unit/controller/images/filesystems/fat/fat.test.ts",
  "test/unit/controller/cli/commands/operations.test.ts",
  "test/unit/agent/customise/install-resident.test.ts",
  "test/unit/controller/boot/tftp/tftp-server.test.ts",
  "test/unit/agent/card/render-card-table.test.ts",
  "test/unit/controller/images/map/map-image.test.ts",
  "test/unit/agent/main-by-tls.test.ts",
  "test/unit/controller/rpc/doors/doors.test.ts",
  "test/contract/roles.test.ts",
  "test/unit/controller/rpc/doors/add-image.test.ts",
  "test/unit/agent/customise/disarm-firmware.test.ts",
  "test/unit/agent/disk/make-filesystem.test.ts",
  "test/unit/controller/images/pack/write-pack.test.ts",
  "test/unit/controller/rpc/doors/authors.test.ts",
  "test/unit/agent/fetch/fetch-range.test.ts",
  "test/unit/agent/disk/partition-table.test.ts",
  "test/unit/agent/disk/unmount.test.ts",
  "test/unit/agent/tasks/run-tasks.test.ts",
  "test/unit/agent/write/write-image-property.test.ts",
  "test/unit/controller/backup/restore-backup.test.ts",
  "test/unit/controller/cli/commands/backup.test.ts",
];

/** The steps of the quick check, side by side; `npm test` begins with them too. */
export const checkSteps: readonly Step[] = [
  { title: "generated code is fresh", run: checkGeneratedCode },
  { title: "contracts follow Buf's rules", run: lintProtos },
  {
    title: "contracts break no earlier version",
    run: async (print) => {
      const base = await checkBreakingChanges();
      print(base === undefined ? "no earlier version to compare with\n" : `compared with ${base.slice(0, 12)}\n`);
    },
  },
  { title: "licences of all dependencies are allowed", run: checkLicences },
  {
    title: "format and lint",
    run: (print) => {
      const colors = process.stdout.isTTY ? "force" : "off";
      return runTool(print, "biome", ["ci", "--error-on-warnings", `--colors=${colors}`, "."]);
    },
  },
  {
    title: "types",
    run: (print) => runTool(print, "tsc", ["--project", ".", "--pretty", process.stdout.isTTY ? "true" : "false"]),
  },
  {
    title: "quick tests: units, architecture, contracts",
    // The files that take longest first, so that none is waited for at the end. Two more at once than there are cores:
    // many wait, for a time-out or a program's start.
    run: (print) =>
      runTests(
        [...waitingTests, "test/contract/**/*.test.ts", "test/world/few-seeds.test.ts", "test/unit/**/*.test.ts"],
        { concurrency: os.availableParallelism() + 2, timeoutMs: 120_000, mostInOne: 20, without: slowTests },
        print,
      ),
  },
];

if (import.meta.main) {
  const failed = await runSteps("check", [checkSteps]);
  process.exitCode = failed.length === 0 ? 0 : 1;
}
