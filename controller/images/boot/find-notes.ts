import type { ImageNote } from "../catalogue/image.ts";
import type { ExtFiles } from "../filesystems/ext-files.ts";
import type { FirmwarePartition } from "./firmware-partition.ts";

/** Files by which cloud-init's NoCloud finds its seed at the top of the firmware's partition. */
const cloudInitSeed = ["user-data", "meta-data", "network-config", "vendor-data"];
/** Files there that services of Raspberry Pi OS apply and remove (userconf-pi, sshswitch, older ones: wpa_supplicant). */
const appliedByServices = ["userconf", "userconf.txt", "ssh", "ssh.txt", "wpa_supplicant.conf"];
const cloudInitPrograms = ["/usr/bin/cloud-init", "/usr/local/bin/cloud-init"];

/**
 * Finds what an operator should know of an image's own first boot and of its settings. `describeNotes` has the sentences.
 *
 * @param root its root filesystem, where it can be looked into
 * @param words its own kernel command line
 * @param systems numbers of the partitions with a complete system
 */
export async function findNotes(
  firmware: FirmwarePartition | undefined,
  root: ExtFiles | undefined,
  words: readonly string[],
  systems: readonly number[],
): Promise<readonly ImageNote[]> {
  const files = (await firmware?.files.list()) ?? [];
  const present = (names: readonly string[]) =>
    names.filter((name) => files.some((file) => file.toLowerCase() === name));
  const listed = (kind: string, names: readonly string[]): ImageNote[] =>
    names.length === 0 ? [] : [{ kind, detail: names.join(", ") }];

  const seed = present(cloudInitSeed);
  const isLacking = seed.length > 0 && root !== undefined && !(await existsAny(root, cloudInitPrograms));
  const isOff = words.includes("cloud-init=disabled");
  return [
    ...listed(isLacking ? "cloud-init-lacking" : isOff ? "cloud-init-off" : "cloud-init", seed),
    ...listed("custom-toml", present(["custom.toml"])),
    ...listed("applied-by-services", present(appliedByServices)),
    ...listed("autoboot", present(["autoboot.txt"])),
    ...listed("config-txt", firmware?.configTxt?.hardwareSettings ?? []),
    ...(systems.length > 1 ? [{ kind: "two-systems", detail: systems.join(" and ") }] : []),
  ];
}

async function existsAny(root: ExtFiles, paths: readonly string[]): Promise<boolean> {
  for (const path of paths) if (await root.exists(path)) return true;
  return false;
}
