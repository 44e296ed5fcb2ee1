import { requiredFirmware } from "../boot-tree/required-firmware.ts";
import { targets } from "../boot-tree/targets.ts";
import type { Config } from "../config/config.ts";
import type { Facts } from "./facts.ts";
import type { Problem } from "./problem.ts";

/** What boards of all models ask for, where no manifest says what a tree was built with. */
export const neededFirmware: readonly string[] = [...requiredFirmware, "config.txt"];
/** U-Boot for every board of 64 bits. */
export const neededUBoot: string = targets.rpi_arm64.treePath;

type BootTreeFacts = Pick<Facts, "bootTree" | "kernel" | "initrd" | "pi5">;

const build = "controller boot-tree build";

/** What the boot tree lacks, and which of its parts do not match. */
export function selectBootTreeProblems(
  { bootTree, bootProfile }: Pick<Config, "bootTree" | "bootProfile">,
  facts: BootTreeFacts,
): readonly Problem[] {
  const { manifest, sizes } = facts.bootTree;
  const problem = (message: string, remedy: string): Problem => ({
    part: "boot tree",
    message,
    remedy,
    isFatal: false,
  });
  const hasKernel = facts.kernel.format !== undefined && facts.kernel.file === undefined;
  if (manifest === undefined && sizes.size === 0 && !hasKernel)
    return [problem(`nothing has been built in ${bootTree} yet`, build)];
  const problems: Problem[] = [];
  if (manifest === "broken") problems.push(problem(`${bootTree}/manifest.json is not a manifest`, build));
  const built = manifest === undefined || manifest === "broken" ? {} : manifest.files;

  const pairFiles = [facts.kernel, facts.initrd, facts.pi5?.kernel, facts.pi5?.initrd].map((file) => file?.path);
  const isKernel = (path: string): boolean => pairFiles.includes(path);
  const needed = new Set([
    ...neededFirmware,
    ...(bootProfile.loader === "firmware" ? [] : [neededUBoot]),
    ...Object.keys(built),
  ]);
  const missing = [...needed].filter((path) => !isKernel(path) && !sizes.has(path));
  const uBoots = new Set(Object.values(targets).map(({ treePath }) => treePath));
  const firmware = missing.filter((path) => !uBoots.has(path));
  if (firmware.length > 0) problems.push(problem(`firmware is missing from ${bootTree}: ${list(firmware)}`, build));
  const uBoot = missing.filter((path) => uBoots.has(path));
  if (uBoot.length > 0) problems.push(problem(`U-Boot is missing from ${bootTree}: ${list(uBoot)}`, build));
  const cut = Object.entries(built).filter(([path, { sizeBytes }]) => sizes.has(path) && sizes.get(path) !== sizeBytes);
  if (cut.length > 0) {
    const names = list(cut.map(([path]) => path));
    problems.push(problem(`files built in ${bootTree} have changed in size since: ${names}`, `${build} --overwrite`));
  }
  const pairs = [facts, ...(facts.pi5 === undefined ? [] : [facts.pi5])];
  return [
    ...problems,
    ...pairs.flatMap((pair) =>
      [...kernelProblems(bootTree, pair)].map(({ message, remedy }) => problem(message, remedy)),
    ),
  ];
}

function* kernelProblems(
  bootTree: string,
  { kernel, initrd }: Pick<Facts, "kernel" | "initrd">,
): Generator<Pick<Problem, "message" | "remedy">> {
  const make = `controller rootfs build, then ${build}`;
  const path = kernel.file ?? `${bootTree}/${kernel.path}`;
  if (kernel.format === undefined) yield { message: `the agent's kernel is missing: ${path}`, remedy: make };
  else if (kernel.format === "zboot")
    yield {
      message: `the agent's kernel ${path} is an EFI zboot image, which U-Boot does not unpack`,
      remedy: "replace it with the Image packed inside it (arch/arm64/boot/Image of its build)",
    };
  else if (kernel.format === "other" || kernel.format === "zimage")
    yield { message: `the agent's kernel ${path} is not an arm64 kernel (plain or gzipped Image)`, remedy: make };

  if (initrd === undefined) return;
  const initrdPath = initrd.file ?? `${bootTree}/${initrd.path}`;
  if (!initrd.exists) yield { message: `the agent's initrd is missing: ${initrdPath}`, remedy: make };
  else if (isForeign(kernel.release, initrd.releases))
    yield {
      message: `the initrd ${initrdPath} has modules for kernel ${list(initrd.releases ?? [])}, but ${path} is kernel ${kernel.release}`,
      remedy: `${make}; or set bootProfile.agent.kernel and bootProfile.agent.initrd to a matching pair`,
    };
}

/** Whether modules are there, but none for this kernel. */
export function isForeign(release: string | undefined, releases: readonly string[] | undefined): boolean {
  return release !== undefined && releases !== undefined && releases.length > 0 && !releases.includes(release);
}

/** At most five, and how many more there are. */
export function list(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(", ");
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}
