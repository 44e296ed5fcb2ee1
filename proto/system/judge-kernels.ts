/** The kernels and modules of an installed system, as its resident agent sees them; see pallet.v1.InstalledKernels. */
export interface InstalledKernels {
  /** The folders of /lib/modules. */
  readonly modules: readonly {
    /** A kernel's release, as `uname -r` prints it. */
    readonly release: string;
    /** Whether modprobe(8) can use it: it has a modules.dep. */
    readonly usable: boolean;
  }[];
  /** Releases of the kernels in /boot and /boot/firmware. */
  readonly kernels: readonly string[];
}

/** What to say of them. */
export interface KernelFinding {
  /** "warning": the running kernel lacks its modules. "info": it will not be the newest one that starts. */
  readonly severity: "warning" | "info";
  /** A sentence that begins with the finding, and ends with the remedy. */
  readonly message: string;
}

const hold =
  "hold the kernel packages in that system (apt-mark hold), or reimage the node with an image that has the new kernel";
/** More names than this help nobody. */
const mostNames = 4;

/**
 * Compares the kernel that a node runs, which the controller loads from the node's image at every boot, with the kernels
 * and modules on its card, which belong to the system there and change when that is upgraded. Undefined when they agree,
 * and for a system without any modules, whose kernel has everything built in.
 */
export function judgeKernels(running: string, { modules, kernels }: InstalledKernels): KernelFinding | undefined {
  if (running === "" || modules.length === 0) return undefined;
  const own = modules.find(({ release }) => release === running);
  const usable = modules.filter((each) => each.usable).map(({ release }) => release);
  if (own?.usable !== true) {
    const found =
      own !== undefined
        ? `its card's modules of that kernel cannot be used (${`/lib/modules/${running}`} has no modules.dep)`
        : `its card has modules of ${usable.length === 0 ? "no kernel" : `${list(usable)} only`}`;
    return {
      severity: "warning",
      message:
        `runs kernel ${running}, which the controller loads from its image, but ${found}: drivers that are not built in ` +
        `(USB, Wi-Fi, filesystems) will be missing; install the modules of ${running} again and ${hold}`,
    };
  }
  const newest = newestOf([...kernels, ...usable], running);
  if (newest === undefined) return undefined;
  return {
    severity: "info",
    message:
      `has kernel ${newest} on its card, but still runs ${running}, which the controller loads from its image: the new ` +
      `kernel never starts, and if an upgrade removes /lib/modules/${running}, drivers will be missing; ${hold}`,
  };
}

/** The newest of the same flavour ("-arm64", "+rpt-rpi-v8") that is newer than the running one. */
function newestOf(releases: readonly string[], running: string): string | undefined {
  const { version, flavour } = parseRelease(running);
  return releases
    .map((release) => ({ release, ...parseRelease(release) }))
    .filter((each) => each.flavour === flavour && compareVersions(each.version, version) > 0)
    .sort((a, b) => compareVersions(b.version, a.version))[0]?.release;
}

/** "6.1.0-28-arm64": version 6.1.0-28, flavour -arm64; "6.12.34+rpt-rpi-v8": 6.12.34 and +rpt-rpi-v8. */
function parseRelease(release: string): { readonly version: readonly number[]; readonly flavour: string } {
  const numbers = /^\d+(?:[.-]\d+)*/.exec(release)?.[0] ?? "";
  return { version: numbers.split(/[.-]/).map(Number), flavour: release.slice(numbers.length) };
}

function compareVersions(one: readonly number[], other: readonly number[]): number {
  for (let at = 0; at < Math.max(one.length, other.length); at++) {
    const difference = (one[at] ?? 0) - (other[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function list(releases: readonly string[]): string {
  const named = releases.slice(0, mostNames).join(", ");
  return releases.length > mostNames ? `${named} and ${releases.length - mostNames} more` : named;
}

/** Whether both say the same. */
export function sameKernels(one: InstalledKernels, other: InstalledKernels): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
