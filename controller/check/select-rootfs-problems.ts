import { agentPrograms } from "../../proto/system/agent-program.ts";
import type { Facts } from "./facts.ts";
import type { Problem } from "./problem.ts";
import { isForeign, list } from "./select-boot-tree-problems.ts";

const build = "controller rootfs build";

/** What is wrong with the root filesystem that nodes mount, for the kernel that they are served. */
export function selectRootfsProblems({
  rootfs,
  kernel,
  initrd,
  pi5,
  contract,
}: Pick<Facts, "rootfs" | "kernel" | "initrd" | "pi5" | "contract">): readonly Problem[] {
  if (rootfs === undefined) return [];
  const { path, store = path } = rootfs;
  const problem = (message: string, remedy: string): Problem => ({
    part: "root filesystem",
    message,
    remedy,
    isFatal: false,
  });
  if (!rootfs.isFolder) return [problem(`there is no root filesystem at ${path} (nfs.rootfs)`, build)];
  const problems: Problem[] = [];
  if (!rootfs.hasInit)
    problems.push(problem(`${path} has no /sbin/init`, `${build}, or set nfs.rootfs to a root filesystem`));
  if (!rootfs.hasAgent) {
    problems.push(
      problem(`${path} has no agent (${agentPrograms.netboot})`, `controller rootfs bake ${store}; or ${build}`),
    );
  } else if (rootfs.contract !== contract) {
    const speaks =
      rootfs.contract === undefined
        ? "does not say which contract it implements"
        : `implements the contract ${rootfs.contract}`;
    problems.push(
      problem(
        `the agent in ${path} ${speaks}; this controller implements ${contract}`,
        `${build}, with the agent that came with this controller`,
      ),
    );
  }
  if (kernel.release !== undefined && rootfs.releases.length === 0) {
    problems.push(
      problem(
        `${path} has no kernel modules; nodes run kernel ${kernel.release}`,
        `${build}, then controller boot-tree build`,
      ),
    );
  } else if (isForeign(kernel.release, rootfs.releases)) {
    problems.push(
      problem(
        `${path} has modules for kernel ${list(rootfs.releases)}, but nodes are served kernel ${kernel.release}`,
        "controller boot-tree build, which copies the kernel that belongs to the root filesystem",
      ),
    );
  }
  if (pi5 !== undefined && isForeign(pi5.kernel.release, rootfs.releases)) {
    problems.push(
      problem(
        `${path} has no modules for kernel ${pi5.kernel.release}, which a Raspberry Pi 5 is served`,
        `${build} --backports, then controller boot-tree build`,
      ),
    );
  }
  if (initrd === undefined && kernel.format !== undefined) {
    problems.push(
      problem(
        `nodes get the kernel ${kernel.path} without an initrd; Debian's kernel cannot mount a root filesystem over NFS without one`,
        `controller boot-tree build, or set bootProfile.agent.initrd (none, if the kernel has NFS and the boards' network drivers built in)`,
      ),
    );
  }
  return problems;
}
