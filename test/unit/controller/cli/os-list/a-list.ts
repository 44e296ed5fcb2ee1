/** An image as a list of Raspberry Pi Imager has it, after doc/os-sublist-example.json of raspberrypi/rpi-imager. */
export function anEntry(parts: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    name: "Example OS Lite (64-bit)",
    description: "A port of Debian",
    icon: "https://example.org/icon.png",
    url: "https://example.org/images/2026-11-01-example-lite.img.xz",
    extract_size: 2_000_000_000,
    extract_sha256: "AB".repeat(32),
    image_download_size: 500_000_000,
    image_download_sha256: "cd".repeat(32),
    release_date: "2026-11-01",
    init_format: "cloudinit-rpi",
    devices: ["pi5-64bit", "pi4-64bit"],
    capabilities: ["i2c"],
    ...parts,
  };
}

/** A list. */
export function aList(...entries: readonly unknown[]): string {
  return JSON.stringify({ imager: { latest_version: "2.0" }, os_list: entries });
}

/** Subitems under a name. */
export function aGroup(name: string, ...subitems: readonly unknown[]): Record<string, unknown> {
  return { name, description: "", subitems };
}
