import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { flatRoot, parseRootId, type RootId, renderRootId } from "../../../../controller/roots/root-id.ts";
import {
  linkTargetOf,
  parseBootPathOfRoot,
  rootOfLinkTarget,
  rootOfMountSource,
} from "../../../../controller/roots/root-paths.ts";

const id = "20261128-221500-3fa9c1d2" as RootId;
const store = "/var/lib/pallet/rootfs";

describe("the id of a version", () => {
  it("says when it was made, and is one again when it is read", () => {
    const made = renderRootId(new Date("2026-11-28T22:15:00.123Z"), Buffer.from("3fa9c1d2ff", "hex"));
    assert.equal(made, id);
    assert.equal(parseRootId(made), id);
  });

  for (const text of ["", ".", "..", "current", "../flat", "20261128-221500-3FA9C1D2", `${id}/..`, ".making-1"])
    it(`is none of ${JSON.stringify(text)}`, () => assert.equal(parseRootId(text), undefined));
});

describe("what the link current says", () => {
  for (const each of [id, flatRoot])
    it(`leads to ${each} and is understood`, () => assert.equal(rootOfLinkTarget(linkTargetOf(each)), each));

  for (const target of ["/etc", "versions", "versions/..", "../versions/x", `versions/${id}/root`, "versions/flat"])
    it(`is none of ours as ${target}`, () => assert.equal(rootOfLinkTarget(target), undefined));
});

describe("the version that a node says it mounted", () => {
  for (const [source, expected] of [
    [`10.0.0.1:${store}/versions/${id}/root,vers=3`, id],
    [`10.0.0.1:${store}/versions/${id}/root`, id],
    [`${store}/versions/${id}/root/`, id],
    [`10.0.0.1:${store}/root,vers=3,tcp`, flatRoot],
    [`10.0.0.1:${store}/versions/flat/root`, undefined],
    [`10.0.0.1:/srv/versions/${id}/root`, undefined],
    [`10.0.0.1:${store}/versions/${id}`, undefined],
    [`10.0.0.1:${store}/current/root`, undefined],
    ["10.0.0.1:/srv/rootfs,ro", undefined],
    ["overlay", undefined],
    ["", undefined],
  ] as const)
    it(`is ${expected ?? "none of the store"} for ${source || "nothing"}`, () =>
      assert.equal(rootOfMountSource(store, source), expected));
});

describe("what nodes fetch of a version", () => {
  for (const [path, file] of [
    [`agent/${id}/vmlinuz`, "vmlinuz"],
    [`agent/${id}/initrd.img`, "initrd.img"],
    [`agent/${id}/backports/vmlinuz`, "backports/vmlinuz"],
    [`agent/${id}/bcm2711-rpi-4-b.dtb`, "device-trees/bcm2711-rpi-4-b.dtb"],
    [`agent/${id}/backports/bcm2712-rpi-5-b.dtb`, "device-trees/bcm2712-rpi-5-b.dtb"],
    ["agent/flat/vmlinuz", "vmlinuz"],
    [`agent/${id}/manifest.json`, undefined],
    [`agent/${id}/root/etc/shadow`, undefined],
    [`agent/${id}`, undefined],
    ["agent/vmlinuz", undefined],
    ["agent/backports/vmlinuz", undefined],
  ] as const)
    it(`is ${file ?? "nothing"} as ${path}`, () => assert.equal(parseBootPathOfRoot(path.split("/"))?.file, file));
});
