import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { chooseRootWord } from "../../../../controller/boot/choose-root-word.ts";
import type { Image } from "../../../../controller/images/catalogue/image.ts";
import { installationAfter } from "../../../../controller/nodes/choose-installation.ts";
import {
  installationAfterLoad,
  installationAfterSign,
  localBootsBeforeLook,
  wantsLook,
} from "../../../../controller/nodes/judge-local-boots.ts";
import type { BootTarget, Installation } from "../../../../controller/nodes/node.ts";
import type { Registration } from "../../../../controller/nodes/registration.ts";
import { selectRootIds } from "../../../../controller/nodes/select-root-ids.ts";
import type { BlockDevice } from "../../../../proto/disk/block-device.ts";
import type { RootIds } from "../../../../proto/node/root-ids.ts";
import { anImage, digest } from "./a-node.ts";

const ids = fc.record({
  diskId: fc.integer({ min: 1, max: 0xff_ff_ff_ff }).map((id) => id.toString(16).padStart(8, "0")),
  filesystemUuid: fc.uuid(),
});
/** What happens in one start of the node. */
const starts = fc.array(
  fc.record({
    /** What the system changes, before it reports and after. */
    before: fc.option(ids),
    after: fc.option(ids),
    /** Whether the power goes before its agent has registered, and before it could report the later change. */
    cutEarly: fc.boolean(),
    cutLate: fc.boolean(),
  }),
  { maxLength: 12 },
);

const bootTarget: BootTarget = { kind: "local", imageDigest: digest };

/** A card with its system, and what the controller knows of it. */
class Model {
  card: { diskId: string; filesystemUuid: string };
  installation: Installation = { imageDigest: digest, reimageId: "r", resident: true };
  readonly image: Image;

  constructor(card: Model["card"], hasInitrd: boolean) {
    this.card = card;
    const plain = anImage();
    const { initrd: _, ...bare } = plain.boot;
    const partitions = plain.partitions.map((partition) => ({
      ...partition,
      partitionUuid: `${card.diskId}-0${partition.number}`,
      uuid: partition.number === 2 ? card.filesystemUuid : "",
    }));
    this.image = { ...plain, partitions, boot: hasInitrd ? plain.boot : bare };
  }

  get ids(): RootIds {
    return { partitionUuid: `${this.card.diskId}-02`, filesystemUuid: this.card.filesystemUuid };
  }

  /** Whether the node came up in its own system; a detour to the agent counts as a start, and leads back. */
  start(
    change: Partial<Pick<Parameters<typeof this.run>[0], "before" | "after">> & {
      cutEarly?: boolean;
      cutLate?: boolean;
    } = {},
  ): boolean {
    if (wantsLook({ bootTarget, installation: this.installation })) {
      this.loaded("agent");
      this.installation = installationAfterSign(this.installation, "netboot") ?? this.installation;
      const root = selectRootIds(
        this.devices(),
        { number: 2, offsetBytes: 2 ** 29 },
        { known: this.installation.root },
      );
      assert.ok(root !== undefined, "the agent finds the root by its place");
      this.installation = { ...this.installation, root };
      return false;
    }
    const word = chooseRootWord(this.image, this.installation.root);
    this.loaded("local");
    if (!this.finds(word)) return false;
    this.run({ before: null, after: null, cutEarly: false, cutLate: false, ...change });
    return true;
  }

  private run(change: {
    before: Model["card"] | null;
    after: Model["card"] | null;
    cutEarly: boolean;
    cutLate: boolean;
  }): void {
    if (change.before !== null) this.card = change.before;
    if (change.cutEarly) return;
    this.report();
    if (change.after !== null) this.card = change.after;
    if (!change.cutLate) this.report();
  }

  private report(): void {
    const installed = { imageName: "debian", imageDigest: digest, reimageId: "r", installedAt: "" };
    const registration = {
      facts: { root: { source: "", filesystemType: "", disk: "", ids: this.ids } },
      agent: { role: "resident", installed },
    } as unknown as Registration;
    const heard = installationAfterSign(this.installation, "resident");
    this.installation = installationAfter(heard, registration) ?? this.installation;
  }

  private loaded(label: "agent" | "local"): void {
    const after = installationAfterLoad({ bootTarget, installation: this.installation }, { label }, 0);
    this.installation = after ?? this.installation;
  }

  /** As initrds and kernels resolve root=. */
  private finds(word: string | undefined): boolean {
    const { partitionUuid, filesystemUuid } = this.ids;
    if (word === `root=PARTUUID=${partitionUuid}`) return true;
    return this.image.boot.initrd !== undefined && word === `root=UUID=${filesystemUuid}`;
  }

  private devices(): readonly BlockDevice[] {
    const device = { path: "/dev/mmcblk0", partitionUuid: "", uuid: "", children: [] } as unknown as BlockDevice;
    const { partitionUuid, filesystemUuid } = this.ids;
    const place = { path: "/dev/mmcblk0p2", partitionNumber: 2, startBytes: 2 ** 29 };
    return [{ ...device, children: [{ ...device, ...place, partitionUuid, uuid: filesystemUuid }] }];
  }
}

test("whatever a system changes on its card, reported or not, the node comes back to it by itself, and stays", () => {
  fc.assert(
    fc.property(ids, fc.boolean(), starts, (card, hasInitrd, plan) => {
      const model = new Model(card, hasInitrd);
      for (const each of plan) model.start(each);
      // At worst: the silent boots, the detour, and then its own system.
      let boots = 0;
      while (!model.start()) {
        boots += 1;
        assert.ok(boots <= localBootsBeforeLook + 1, "the node never came back");
      }
      for (let boot = 1; boot <= 3; boot++) assert.ok(model.start(), `boot ${boot} after that found no root`);
    }),
    { numRuns: 2000 },
  );
});

test("what was reported in time costs no boot at all", () => {
  fc.assert(
    fc.property(ids, fc.boolean(), fc.array(ids, { maxLength: 8 }), (card, hasInitrd, changes) => {
      const model = new Model(card, hasInitrd);
      for (const before of changes) assert.ok(model.start({ before }));
      assert.ok(model.start());
    }),
  );
});
