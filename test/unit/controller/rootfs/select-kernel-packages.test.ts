import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { selectKernelPackages } from "../../../../controller/rootfs/select-kernel-packages.ts";

const paragraphs = (depends: Readonly<Record<string, string>>) => async (name: string) => {
  if (!Object.hasOwn(depends, name)) throw new Error(`nobody wants ${name}`);
  return `Package: ${name}\nVersion: 1\nDepends: ${depends[name]}\nSize: 1\n`;
};

describe("the packages of a kernel", () => {
  it("are all parts of one that is split, each once, and no tool of maintainer scripts", async () => {
    // As trixie-backports has them in November 2026.
    const show = paragraphs({
      "linux-image-arm64":
        "linux-base-arm64 (= 7.3.4-1~bpo13+1), linux-image-7.3.4+deb13-arm64 (= 7.3.4-1~bpo13+1), linux-modules-arm64 (= 1)",
      "linux-base-arm64": "linux-base-7.3.4+deb13-arm64 (= 7.3.4-1~bpo13+1)",
      "linux-modules-arm64": "linux-base-arm64 (= 1), linux-modules-7.3.4+deb13-arm64 (= 7.3.4-1~bpo13+1)",
      "linux-image-7.3.4+deb13-arm64":
        "dracut | initramfs-tools (>= 0.120+deb8u2) | linux-initramfs-tool, linux-base-7.3.4+deb13-arm64 (= 1), " +
        "linux-binary-7.3.4+deb13-arm64 (= 1), linux-modules-7.3.4+deb13-arm64 (= 1)",
      "linux-binary-7.3.4+deb13-arm64": "linux-base-7.3.4+deb13-arm64 (= 1)",
      "linux-modules-7.3.4+deb13-arm64": "kmod, linux-base-7.3.4+deb13-arm64 (= 1)",
      "linux-base-7.3.4+deb13-arm64": "",
    });
    const parts = ["image", "base", "modules", "binary"].map((part) => `linux-${part}-7.3.4+deb13-arm64`);
    const found = await selectKernelPackages("linux-image-arm64", show);
    assert.deepEqual(found.filter((name) => name.includes("7.3.4")).toSorted(), parts.toSorted());
    assert.equal(new Set(found).size, found.length);
  });

  it("are two of one that is not", async () => {
    const show = paragraphs({
      "linux-image-arm64": "linux-image-6.12.57+deb13-arm64 (= 6.12.57-1)",
      "linux-image-6.12.57+deb13-arm64":
        "kmod, linux-base (>= 4.3~), initramfs-tools (>= 0.120+deb8u2) | linux-initramfs-tool",
    });
    assert.deepEqual(await selectKernelPackages("linux-image-arm64", show), [
      "linux-image-arm64",
      "linux-image-6.12.57+deb13-arm64",
    ]);
  });

  it("have an end", async () => {
    let count = 0;
    const endless = async () => `Depends: linux-modules-${count++}\n`;
    await assert.rejects(selectKernelPackages("linux-image-arm64", endless), /more than 32 packages/);
  });
});
