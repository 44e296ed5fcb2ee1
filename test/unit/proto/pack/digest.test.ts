import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import type { ImageStore } from "../../../../controller/images/image-store.ts";
import type { ImageSource } from "../../../../proto/operation/operation-spec.ts";
import {
  type ImageDigest,
  imageDigestFrom,
  type ManifestDigest,
  manifestDigestOf,
  parseImageDigest,
  parseManifestDigest,
} from "../../../../proto/pack/digest.ts";

const text = "ab".repeat(32);
const ofImage = text as ImageDigest;
const ofManifest = text as ManifestDigest;

describe("digests", () => {
  it("the digest of an image in the place of a manifest's, or the other way round, does not compile", () => {
    // What tsc no longer refuses makes @ts-expect-error an error itself, so `npm run check` fails.
    // @ts-expect-error: a manifest's is not an image's
    const image: ImageDigest = ofManifest;
    // @ts-expect-error: an image's is not a manifest's
    const manifest: ManifestDigest = ofImage;
    // @ts-expect-error: any text is neither
    const unchecked: ImageDigest = text;
    // @ts-expect-error: nor the other
    const alsoUnchecked: ManifestDigest = text;

    type Digests = Pick<ImageSource, "digest"> & { readonly manifest: Pick<ImageSource["manifest"], "digest"> };
    // @ts-expect-error: swapped, as the controller sends them and the agent takes them
    const swapped: Digests = { digest: ofManifest, manifest: { digest: ofImage } };
    const right: Digests = { digest: ofImage, manifest: { digest: ofManifest } };

    const lookUps = (store: ImageStore) => {
      // @ts-expect-error: packs are stored by their manifests
      store.packFile(ofImage, "pack");
      // @ts-expect-error: and so are they found
      store.getByManifest(ofImage);
      // @ts-expect-error: images are found by their own digest
      store.getByDigest(ofManifest);
      // @ts-expect-error: and so are their boot files
      store.bootFile(ofManifest, "vmlinuz");
    };
    assert.ok([image, manifest, unchecked, alsoUnchecked, swapped, right, lookUps]);
  });

  it("are lower-case hexadecimal SHA-256", () => {
    for (const parse of [parseImageDigest, parseManifestDigest]) {
      assert.equal(parse(text), text);
      for (const wrong of ["", text.slice(1), `${text}0`, text.toUpperCase(), `${text}\n`, ` ${text.slice(1)}`])
        assert.equal(parse(wrong), undefined, JSON.stringify(wrong));
    }
  });

  it("are made of what was hashed", () => {
    const bytes = Buffer.from("manifest");
    const sha256 = createHash("sha256").update(bytes).digest();
    assert.equal(manifestDigestOf(bytes), sha256.toString("hex"));
    assert.equal(imageDigestFrom(sha256), sha256.toString("hex"));
    assert.equal(parseImageDigest(imageDigestFrom(sha256)), sha256.toString("hex"));
    assert.throws(() => imageDigestFrom(sha256.subarray(1)), /31/);
  });
});
