import type { NodeId } from "../../proto/names/node-id.ts";
import type { Clock } from "../../proto/time/clock.ts";
import { remember } from "../records/remember.ts";
import type { BootSpec } from "./boot-spec.ts";
import { firmwareKey } from "./render-firmware-config.ts";

/**
 * What the firmware of each board is loading. Firmware reads config.txt up to eight times in one boot, and fetches the
 * rest in between: if the boot target changed meanwhile, the board would mix two boots, or miss its kernel and stop for
 * good (a Pi 3 blinks seven times and waits for someone to pull its plug). So a boot that has begun is given to its end
 * what it began with, as one by U-Boot is, and the change holds from the next boot on.
 */
export interface BegunBoots {
  /** What config.txt says now: `current`, unless a boot has begun and has not got its kernel and command line yet. */
  specForConfig(mac: NodeId, current: BootSpec): BootSpec;
  /** The boot of the key: `current`'s, or one that config.txt named a while ago. Undefined for any other. */
  specForFile(mac: NodeId, key: string, file: string, current: BootSpec): BegunBoot | undefined;
}

/** A boot of which a file was asked for. */
export interface BegunBoot {
  readonly spec: BootSpec;
  /** Whether this file is the first by which it is known that the board's firmware boots this way: kernel or command line. */
  readonly isNews: boolean;
}

/** A boot of which nothing was heard for so long is over, finished or not. */
const overAfterMs = 30_000;
/** Longer than any boot's loading; its files can be had so long. */
const forgottenAfterMs = 10 * 60_000;
const mostBoots = 10_000;

interface Begun {
  readonly mac: NodeId;
  readonly spec: BootSpec;
  /** What was asked for of what makes a boot complete. */
  readonly asked: ReadonlySet<string>;
  readonly at: number;
}

/** With these a boot is complete; every firmware asks for them. */
const needed = ["kernel", "cmdline.txt"];
/**
 * What a boot begins with. Overlays are not among it: a Pi 3 reads config.txt once more for them when it has the rest,
 * and that is no new boot.
 */
const beginning = /^(kernel|cmdline\.txt|initrd\d*|[^/]+\.dtb)$/;

export function createBegunBoots(clock: Pick<Clock, "now">): BegunBoots {
  const boots = new Map<string, Begun>();
  const nameOf = (mac: NodeId, key: string): string => `${mac} ${key}`;
  const note = (mac: NodeId, spec: BootSpec, asked: ReadonlySet<string>): void =>
    void remember(boots, nameOf(mac, firmwareKey(spec)), { mac, spec, asked, at: clock.now() }, mostBoots);
  const isUnderWay = ({ asked, at }: Begun): boolean =>
    asked.size > 0 && !needed.every((file) => asked.has(file)) && clock.now() - at < overAfterMs;

  return {
    specForConfig(mac, current) {
      const underWay = [...boots.values()].find((boot) => boot.mac === mac && isUnderWay(boot));
      if (underWay !== undefined) {
        note(mac, underWay.spec, underWay.asked);
        return underWay.spec;
      }
      note(mac, current, new Set());
      return current;
    },
    specForFile(mac, key, file, current) {
      const known = boots.get(nameOf(mac, key));
      const isFresh = known !== undefined && clock.now() - known.at < forgottenAfterMs;
      const spec = firmwareKey(current) === key ? current : isFresh ? known.spec : undefined;
      const asked = isFresh ? known.asked : new Set<string>();
      if (spec === undefined) return undefined;
      note(mac, spec, beginning.test(file) ? new Set([...asked, file]) : asked);
      return { spec, isNews: needed.includes(file) && !needed.some((each) => asked.has(each)) };
    },
  };
}
