import { z } from "zod";
import { Failure } from "../../../proto/failure.ts";
import { imageNameForm, isImageName } from "../../../proto/names/image-name.ts";
import { digestForm, parseImageDigest, parseManifestDigest } from "../../../proto/pack/digest.ts";
import { sectorBytes } from "../../../proto/pack/image-bounds.ts";
import type { Image, ImageName } from "./image.ts";
import { settingsFields, settingsReaders } from "./own-settings.ts";
import { isPiBoard } from "./pi-board.ts";

const bytes = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);
const sectors = bytes.multipleOf(sectorBytes);
const name = "[A-Za-z0-9_+@~][A-Za-z0-9._+@~-]{0,254}";
const fileName = z.string().regex(new RegExp(`^${name}$`), "must be a plain file name");
const path = z
  .string()
  .max(255)
  .regex(new RegExp(`^${name}(/${name})*$`), "must be a path of plain file names");
const prefix = z.string().regex(/^[A-Za-z0-9._+@~/-]{0,255}$/, "must be the beginning of a path");
const kernelFormat = z.enum(["arm64-image", "arm64-image-gzip", "arm32-zimage", "efi-zboot", "unknown"]);

const firmware = z
  .object({
    folder: fileName,
    files: z.array(path),
    configTxt: path.exactOptional(),
    boots: z.array(
      z.object({
        // A board that only a newer Pallet knows is left out.
        boards: z.array(z.string()).transform((boards) => boards.filter(isPiBoard)),
        kernel: path,
        kernelFormat,
        initrds: z.array(path),
        osPrefix: prefix,
        overlayPrefix: prefix,
      }),
    ),
  })
  .refine(
    ({ files, configTxt, boots }) =>
      [configTxt ?? files[0], ...boots.flatMap(({ kernel, initrds }) => [kernel, ...initrds])].every(
        (named) => named === undefined || files.includes(named),
      ),
    { message: "names a file that it does not have" },
  );

const imageName = z
  .string()
  .refine(isImageName, `must be ${imageNameForm}`)
  .transform((name) => name as ImageName);

const digest = <Digest>(parse: (text: string) => Digest | undefined) =>
  z.string().transform((text, context) => {
    const parsed = parse(text);
    if (parsed !== undefined) return parsed;
    context.addIssue(`must be ${digestForm}`);
    return z.NEVER;
  });

/** The storage format: packs. Another form gets another format name, so that a program refuses what it cannot read. */
const format = "pack-1";
/** One zstd frame for the whole image, which cannot be sent in parts. */
const outdatedFormat = "zstd-1";

const pack = z.object({
  manifestDigest: digest(parseManifestDigest),
  manifestBytes: bytes.positive(),
  chunkBytes: bytes.positive(),
  dataBytes: bytes,
  zeroBytes: bytes,
  unusedBytes: bytes,
  fetchBytes: bytes,
  onlyFree: z.boolean().exactOptional(),
});

const system = z.object({
  init: z.string().exactOptional(),
  systemd: z.string().exactOptional(),
  hasInittab: z.boolean(),
  elf: z.object({ bits: z.literal([32, 64]), machine: z.number().int().nonnegative() }).exactOptional(),
  loaders: z.record(z.string(), z.boolean()),
  freeBytes: bytes.exactOptional(),
});

const names = z.array(z.string());
const unit = z.object({
  wantedBy: names.exactOptional(),
  requiredBy: names.exactOptional(),
  aliases: names.exactOptional(),
  also: names.exactOptional(),
  path: z.string(),
  links: names.exactOptional(),
  masked: z.boolean().exactOptional(),
});
/** In another form, from another Pallet, they count as unknown: then profiles are refused, and the image is added again. */
const abilities = z.object({
  init: z.enum(["systemd", "openrc", "sysvinit", "busybox", "unknown"]),
  distribution: z.string(),
  users: z.array(z.object({ name: z.string(), uid: z.number(), gid: z.number(), home: z.string() })),
  groups: z.array(z.object({ name: z.string(), gid: z.number() })),
  shells: names,
  sudo: z.boolean(),
  timezones: z.boolean(),
  locales: names,
  localeFile: z.string().exactOptional(),
  keyboard: z.enum(["keyboard-configuration", "vconsole"]).exactOptional(),
  ssh: z
    .object({
      server: z.enum(["openssh", "dropbear"]),
      dropIns: z.boolean(),
      algorithms: names.exactOptional(),
      hasLinkedKeys: z.boolean().exactOptional(),
    })
    .exactOptional(),
  network: z.object({
    manager: z.enum(["NetworkManager", "netplan", "systemd-networkd", "dhcpcd", "ifupdown"]).exactOptional(),
    resolver: z.enum(["systemd-resolved", "resolvconf"]).exactOptional(),
    wifi: z.enum(["NetworkManager", "wpa_supplicant"]).exactOptional(),
  }),
  cloudInit: z.boolean(),
  units: z.record(z.string(), unit),
  radios: names,
  has: names,
});

const manifest = z
  .object({
    format: z.literal(format, "is from a newer Pallet"),
    name: imageName,
    digest: digest(parseImageDigest),
    sizeBytes: sectors.positive(),
    storedBytes: bytes.positive(),
    partitionTable: z.enum(["mbr", "gpt"]),
    partitions: z
      .array(
        z.object({
          number: z.number().int().positive(),
          offsetBytes: sectors.positive(),
          lengthBytes: sectors.positive(),
          type: z.string(),
          partitionUuid: z.string(),
          partitionLabel: z.string().exactOptional(),
          filesystemType: z.string(),
          label: z.string(),
          uuid: z.string(),
          countsWhole: z.string().exactOptional(),
          hashed: z.boolean().exactOptional(),
        }),
      )
      .nonempty(),
    rootPartition: z.number().int().positive(),
    operatingSystem: z.string(),
    boot: z.object({
      kernel: fileName,
      initrd: fileName.exactOptional(),
      deviceTrees: z.array(fileName),
      commandLine: z.string(),
      firstBootWords: z.array(z.string()).exactOptional(),
      kernelFormat: kernelFormat.exactOptional(),
      kernelOrigin: z.enum(["raspberry-pi", "upstream", "unknown"]).exactOptional(),
      firmware: firmware.exactOptional(),
      notes: z.array(z.object({ kind: z.string(), detail: z.string().exactOptional() })).exactOptional(),
      ownSettings: z
        .array(
          z.object({
            file: z.string(),
            reader: z.enum(settingsReaders),
            sets: z.array(z.enum(settingsFields)),
            userNames: names.exactOptional(),
          }),
        )
        .exactOptional(),
    }),
    system: system.exactOptional(),
    abilities: z.union([abilities, z.unknown().transform(() => undefined)]).optional(),
    pack,
    everything: z.boolean().exactOptional(),
    addedAt: z.number().int().nonnegative(),
    capture: z
      .object({ node: z.string(), disk: z.string(), generalised: z.boolean(), removed: z.array(z.string()) })
      .exactOptional(),
  })
  .refine(({ partitions, rootPartition }) => partitions.some(({ number }) => number === rootPartition), {
    path: ["rootPartition"],
    message: "names a partition that does not exist",
  })
  .transform(({ format: _, abilities, ...image }): Image => ({ ...image, ...(abilities && { abilities }) }));

/** The name as one that an image may have. Throws Failure `invalid` that says what names look like. */
export function parseImageName(name: string): ImageName {
  const parsed = imageName.safeParse(name);
  if (parsed.success) return parsed.data;
  throw new Failure(
    "invalid",
    `"${name.slice(0, 80)}" is not a valid image name: it ${parsed.error.issues[0]?.message}`,
  );
}

/** Parses manifest.json of the image store. Throws Failure `image-damaged` that lists everything wrong with it. */
export function parseManifest(text: string): Image {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new Failure("image-damaged", `it is not JSON: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
  const parsed = manifest.safeParse(json);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "it"} ${message}`);
  throw new Failure("image-damaged", problems.join("; "), { cause: parsed.error });
}

/** Whether manifest.json is of an older Pallet, whose images have to be added again. */
export function isOutdatedManifest(text: string): boolean {
  try {
    return z.object({ format: z.literal(outdatedFormat) }).safeParse(JSON.parse(text)).success;
  } catch {
    return false;
  }
}

/** The text of manifest.json for an image. */
export function renderManifest(image: Image): string {
  return `${JSON.stringify({ format, ...image }, null, 2)}\n`;
}
