// The boot tree: firmware from Debian's package, U-Boot from Debian's source, and U-Boot running in QEMU.
import assert from "node:assert/strict";
import { copyFile, mkdir, mkdtemp, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { execa } from "execa";
import { checkoutCache } from "../../controller/artefacts/checkout-cache.ts";
import { boardFiles, selectUnserved } from "../../controller/boot-tree/board-files.ts";
import { buildBootTree } from "../../controller/boot-tree/build-boot-tree.ts";
import type { BootTree } from "../../controller/boot-tree/place-boot-tree.ts";
import { provideUBoot } from "../../controller/boot-tree/provide-u-boot.ts";
import { findServerSlot } from "../../controller/boot-tree/server-slot.ts";
import { targetNames, targets } from "../../controller/boot-tree/targets.ts";
import { provideBaseSystem } from "../../controller/rootfs/base-system.ts";
import { requires } from "../requirements.ts";
import { archive } from "./debian-archive.ts";

/** Starts QEMU and gives its serial console up to the first output that the pattern fits; then ends it. */
async function consoleUntil(pattern: RegExp, args: readonly string[], timeoutMs = 120_000): Promise<string> {
  let said = "";
  let complained = "";
  const machine = execa("qemu-system-aarch64", ["-display", "none", ...args, "-serial", "stdio"], {
    buffer: false,
    stdin: "ignore",
    timeout: timeoutMs,
    reject: false,
  });
  machine.stdout.on("data", (bytes: Buffer) => {
    said += bytes.toString("latin1");
    if (pattern.test(said)) machine.kill("SIGKILL");
  });
  machine.stderr.on("data", (bytes: Buffer) => {
    complained += bytes.toString();
  });
  await machine;
  assert.match(said, pattern, `QEMU: ${complained}; the console said:\n${said}`);
  return said;
}

describe("the boot tree", requires("root"), () => {
  let folder: string;
  let tree: BootTree;
  let deviceTrees: string;
  const request = () => ({
    ...archive,
    outDirectory: join(folder, "tree"),
    targets: targetNames,
    rootfsDirectory: join(folder, "rootfs"),
    overwrite: false,
  });
  const read = (path: string) => readFile(join(folder, "tree", path));

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "pallet-boot-tree-"));
    const base = { ...archive, cacheDirectory: checkoutCache("rootfs") };
    deviceTrees = (await provideBaseSystem(base)).deviceTreesFolder;
    await mkdir(join(folder, "rootfs"));
    await execa("cp", ["-r", deviceTrees, join(folder, "rootfs/device-trees")]);
    await writeFile(join(folder, "rootfs/vmlinuz"), "a kernel");
    await writeFile(join(folder, "rootfs/initrd.img"), "an initial RAM disk");
    await writeFile(join(folder, "rootfs/manifest.json"), JSON.stringify({ kernelRelease: "6.1.0-1-arm64" }));
    tree = await buildBootTree(request());
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it("has what boot ROM, firmware and U-Boot of every model ask for", async () => {
    const wanted = ["bootcode.bin", "start.elf", "fixup.dat", "start4.elf", "fixup4.dat", "config.txt", "u-boot.bin"];
    const others = ["qemu_arm64/u-boot.bin", "bcm2837-rpi-3-b.dtb", "bcm2711-rpi-4-b.dtb", "agent/vmlinuz"];
    for (const path of [...wanted, ...others, "agent/initrd.img"])
      assert.ok((await stat(join(folder, "tree", path))).size > 0, path);
  });

  it("has firmware that makes the names of the device trees that boards are said to ask for", async () => {
    // Those of BCM2712 are made in the EEPROM, which is in no package.
    for (const { boards, files } of boardFiles.filter(({ files }) => !files[0].includes("2712"))) {
      const [, chip = "", model = ""] = /^bcm(\d+)-rpi-(.*)\.dtb$/.exec(files[0]) ?? [];
      const firmware = (await read(chip === "2711" ? "start4.elf" : "start.elf")).toString("latin1");
      for (const text of ["bcm%d-rpi-%s.dtb", `\0${model}\0`])
        assert.ok(firmware.includes(text), `${boards}: its firmware has no ${JSON.stringify(text)}`);
    }
  });

  it("serves every board whose device tree Debian has; serve --check names the others", () => {
    const unserved = selectUnserved((path) => path in tree.manifest.files).flatMap(({ boards }) => boards);
    assert.deepEqual(unserved, ["Pi 2 v1.2", "Pi 5 (C1)", "CM4S", "Pi 5 (D0)", "Pi 500", "CM5", "CM5 Lite"]);
  });

  it("has nothing that would make a boot ROM update or recover itself", () => {
    const dangerous = /^(recover|recovery|pieeprom|vl805|bootsig|boot\.img|autoboot)/;
    assert.deepEqual(
      Object.keys(tree.manifest.files).filter((path) => dangerous.test(path)),
      [],
    );
  });

  it("says in its manifest which versions it is made of", async () => {
    const manifest = JSON.parse((await read("manifest.json")).toString());
    assert.match(manifest.versions.uBoot, /^20\d\d\.\d\d/);
    assert.match(manifest.versions.firmware, /^1\.20\d{6}/);
    assert.equal(manifest.versions.kernel, "6.1.0-1-arm64");
    assert.deepEqual(manifest, tree.manifest);
  });

  it("is left alone by a second build, and so is what somebody changed in it", async () => {
    assert.deepEqual((await buildBootTree(request())).plan.write, []);
    await writeFile(join(folder, "tree/config.txt"), "mine");
    const { plan } = await buildBootTree(request());
    assert.deepEqual([plan.write, plan.foreign], [[], ["config.txt"]]);
    assert.equal((await read("config.txt")).toString(), "mine");
    assert.deepEqual((await buildBootTree({ ...request(), overwrite: true })).plan.write, ["config.txt"]);
  });

  it("names the remedy when there is no root filesystem to take the agent's kernel from", async () => {
    const nowhere = { ...request(), rootfsDirectory: join(folder, "nowhere") };
    await assert.rejects(
      buildBootTree(nowhere),
      /no built root filesystem in \S*nowhere; make one with "controller rootfs/,
    );
  });

  for (const name of targetNames)
    it(`has a U-Boot for ${name} that can read neither card nor disk, and takes its environment from nowhere`, async () => {
      const uBoot = await provideUBoot(name, archive);
      const config = await readFile(uBoot.configPath, "utf8");
      const drivers =
        /^CONFIG_(MMC|MMC_SDHCI|USB_STORAGE|NVME|NVME_PCI|SCSI|DM_SCSI|AHCI|SATA|IDE|VIRTIO_BLK|PVBLOCK|EFI_LOADER|BOOTSTD)=.*/gm;
      assert.deepEqual(config.match(drivers), null);
      assert.deepEqual(config.match(/^CONFIG_ENV_IS_\w+=y/gm), ["CONFIG_ENV_IS_NOWHERE=y"]);
      assert.match(config, /^CONFIG_SYS_CBSIZE=2048$/m);
      const bytes = await readFile(uBoot.binaryPath);
      const binary = bytes.toString("latin1");
      assert.match(binary, /bootcmd=while true; do if dhcp; then run find_server; if pxe get;/);
      assert.ok(findServerSlot(bytes) !== undefined, "it has one place for its server's address");
      // Its own environment would have these.
      assert.doesNotMatch(
        binary,
        /boot_targets|distro_bootcmd|scan_dev_for|bootcmd_mmc|bootcmd_usb|boot\.scr|uboot\.env/,
      );
      const inTree = await read(targets[name].treePath);
      assert.ok(inTree.equals(await readFile(uBoot.binaryPath)));
    });

  it("has a U-Boot for QEMU that boots a gzipped kernel by its config, past a card that would boot otherwise", async () => {
    const served = join(folder, "served");
    await mkdir(join(served, "pxelinux.cfg"), { recursive: true });
    await writeFile(join(served, "kernel.gz"), gzipSync(await assembleKernel(folder)));
    const words = `quiet ${"x".repeat(1500)} end`;
    const config = `DEFAULT agent\nPROMPT 0\nTIMEOUT 0\n\nLABEL agent\n  KERNEL kernel.gz\n  APPEND ${words}\n`;
    await writeFile(join(served, "pxelinux.cfg/01-52-54-00-12-34-56"), config);
    const card = await makeTemptingCard(folder);
    await copyFile(card, join(folder, "disk.img"));
    const devices = [
      "-device",
      "sdhci-pci",
      "-device",
      "sd-card,drive=sd",
      "-drive",
      `id=sd,if=none,format=raw,file=${card}`,
    ];
    const disk = ["-drive", `if=virtio,format=raw,file=${join(folder, "disk.img")}`];
    // Without a ROM, as a Pi's NIC is: U-Boot drives it, and Debian's ipxe-qemu is not needed.
    const network = ["-device", "e1000,netdev=net,romfile=", "-netdev", `user,id=net,tftp=${served}`];
    const machine = [
      "-M",
      "virt",
      "-cpu",
      "cortex-a53",
      "-m",
      "1024",
      "-bios",
      join(folder, "tree/qemu_arm64/u-boot.bin"),
    ];
    const said = await consoleUntil(/PALLET KERNEL RUNS/, [...machine, ...devices, ...disk, ...network]);
    assert.match(said, /Retrieving file: pxelinux\.cfg\/01-52-54-00-12-34-56/);
    assert.ok(said.includes(`append: ${words}`));
    assert.doesNotMatch(said, /TEMPTED|mmc|boot\.scr|extlinux|Hit any key/i);
  });

  it("has a U-Boot for Raspberry Pi 3 that looks for a network again and again, and not at its card", async () => {
    const card = await makeTemptingCard(folder);
    // QEMU's Raspberry Pi has no network that U-Boot could use.
    const machine = ["-M", "raspi3b", "-kernel", join(folder, "tree/u-boot.bin")];
    // The console is the second of its serial ports.
    const parts = [
      "-serial",
      "null",
      "-dtb",
      join(deviceTrees, "bcm2837-rpi-3-b.dtb"),
      "-drive",
      `if=sd,format=raw,file=${card}`,
    ];
    const said = await consoleUntil(/(No ethernet found[\s\S]*){4}/, [...machine, ...parts]);
    assert.match(said, /Loading Environment from <NULL>/);
    assert.match(said, /starting USB/);
    assert.doesNotMatch(said, /TEMPTED|mmc|boot\.scr|extlinux|Hit any key/i);
  });
});

/**
 * The smallest thing that booti starts: the header of an arm64 Image (Documentation/arm64/booting.rst) and code that
 * prints to the serial port of QEMU's machine virt.
 */
async function assembleKernel(folder: string): Promise<Buffer> {
  const source = `
    b start
    .long 0
    .quad 0, 0x10000, 0xa, 0, 0, 0
    .ascii "ARM\\x64"
    .long 0
  start:
    adr x1, text
    mov x2, #0x09000000
  next:
    ldrb w3, [x1], #1
    cbz w3, done
    strb w3, [x2]
    b next
  done:
    wfi
    b done
  text:
    .asciz "\\r\\nPALLET KERNEL RUNS\\r\\n"
  `;
  const [assembly, object, image] = ["kernel.s", "kernel.o", "kernel.bin"].map((name) => join(folder, name));
  assert.ok(assembly !== undefined && object !== undefined && image !== undefined);
  await writeFile(assembly, source);
  await execa("aarch64-linux-gnu-as", ["-o", object, assembly]);
  await execa("aarch64-linux-gnu-objcopy", ["-O", "binary", object, image]);
  return readFile(image);
}

/** A card whose FAT holds what a U-Boot that reads cards would take: a boot script, a menu, and an environment. */
async function makeTemptingCard(folder: string): Promise<string> {
  const card = join(folder, "card.img");
  const script = join(folder, "boot.scr");
  await writeFile(card, "");
  await truncate(card, 64 << 20);
  await execa("sfdisk", ["--quiet", card], { input: "label: dos\nstart=2048, type=c, bootable\n" });
  await execa("mkfs.vfat", ["--offset=2048", card, String((63 << 20) / 1024)]);
  await writeFile(script, "echo TEMPTED\n");
  await writeFile(join(folder, "extlinux.conf"), "DEFAULT l\nLABEL l\n  MENU LABEL TEMPTED\n  KERNEL /kernel\n");
  const at = `${card}@@1M`;
  await execa("mmd", ["-i", at, "::extlinux"]);
  await execa("mcopy", ["-o", "-i", at, script, "::boot.scr"]);
  await execa("mcopy", ["-o", "-i", at, script, "::uboot.env"]);
  await execa("mcopy", ["-o", "-i", at, join(folder, "extlinux.conf"), "::extlinux/extlinux.conf"]);
  return card;
}
