import type { Image } from "../../../proto/gen/pallet/v1/image.ts";
import type { Customisation } from "../../../proto/operation/operation-spec.ts";
import type { ImageDigest } from "../../../proto/pack/digest.ts";
import type { SystemConfig } from "../../../proto/system/system-config.ts";

const key = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"A".repeat(43)} anna@desk`;

/** What the profile of controller/README.md says, and more of it than most: every field that a Debian without packages more takes. */
const system: SystemConfig = {
  hostname: "pi-7.rack",
  timezone: "Europe/Zurich",
  locale: "C.UTF-8",
  users: [
    { name: "anna", groups: ["adm", "video"], passwordHash: "$6$salt$hash", authorizedKeys: [key] },
    { name: "ben", uid: 1500, authorizedKeys: [key] },
  ],
  ssh: { passwordAuthentication: false },
  network: { interfaces: [{ name: "eth0", addresses: ["10.0.0.7/24"], gateways: ["10.0.0.1"], dns: ["10.0.0.1"] }] },
  files: [
    { path: "/srv/app", content: { kind: "folder" }, owner: "anna" },
    ...Array.from({ length: 20 }, (_, index) => ({
      path: `/srv/app/file-${index}`,
      content: { kind: "file", bytes: Buffer.alloc(1024, `${index} `) } as const,
      owner: "anna",
    })),
  ],
  units: [{ name: "fstrim.timer", state: "disabled" }],
};

/** What a rollout would have done to the new system besides: nothing but a stamp, or all that a profile says. */
export function planCustomisation(image: Image, kind: "stamp" | "profile"): Customisation {
  const root = image.partitions.find(({ number }) => number === image.rootPartition);
  if (root === undefined) throw new Error(`image ${image.name} has no root partition`);
  const { filesystemType } = root;
  return {
    root: { offsetBytes: Number(root.offsetBytes), lengthBytes: Number(root.lengthBytes), filesystemType },
    stamp: {
      imageName: image.name,
      imageDigest: image.digest as ImageDigest,
      reimageId: "bench",
      installedAt: new Date(0).toISOString(),
      ...(kind === "profile" && { config: "ab".repeat(32) }),
    },
    resident: false,
    ...(kind === "profile" && { system }),
  };
}
