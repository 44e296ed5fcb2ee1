import { hasOwnHostKeys } from "../../../proto/system/config/plan-ssh.ts";
import type { SystemConfig } from "../../../proto/system/system-config.ts";
import type { Image } from "../catalogue/image.ts";
import type { OwnSettings, SettingsField } from "../catalogue/own-settings.ts";
import { ownSettingsThatCount } from "./describe-notes.ts";

/** Whether a config says something of a part of a system. */
const says: Readonly<Record<SettingsField, (config: SystemConfig, image: Pick<Image, "abilities">) => boolean>> = {
  hostname: ({ hostname }) => hostname !== undefined,
  timezone: ({ timezone }) => timezone !== undefined,
  locale: ({ locale }) => locale !== undefined,
  keyboard: ({ keyboard }) => keyboard !== undefined,
  users: ({ users }) => users !== undefined,
  // Nothing of these turns it off.
  "ssh.enabled": ({ ssh }) => ssh?.enabled === false,
  "ssh.hostKeys": ({ ssh }, { abilities }) => abilities !== undefined && hasOwnHostKeys(ssh, abilities),
  "network.wifi": ({ network }) => network?.wifi !== undefined,
};

/** What to leave out of a profile instead. */
const otherwise: Partial<Readonly<Record<SettingsField, string>>> = {
  "ssh.hostKeys": "set ssh.ownHostKeys to false",
};

/**
 * Why what somebody has set in an image for its first boot would undo a config there: one sentence for each part. Neither
 * of the two has the last word by itself: who set them meant both.
 */
export function judgeOwnSettings(
  image: Pick<Image, "name" | "partitions" | "rootPartition" | "boot" | "abilities">,
  config: SystemConfig,
): readonly string[] {
  return ownSettingsThatCount(image).flatMap((settings) => {
    // A seed of the config stands in place of all others of the image.
    if (settings.reader === "cloud-init" && config.userData !== undefined) return [];
    return settings.sets
      .filter((field) => says[field](config, image) && !(field === "users" && changesOthers(settings, config)))
      .map(
        (field) =>
          `${field}: ${placeOf(settings)} sets this, too, at the first boot, and would undo it: remove it there and add the image ` +
          `again under another name, or ${otherwise[field] ?? `leave ${field} out`}`,
      );
  });
}

/** Whether they make or change users of whom the config says nothing. */
function changesOthers({ userNames }: OwnSettings, { users = [] }: SystemConfig): boolean {
  return userNames !== undefined && !users.some(({ name }) => userNames.includes(name));
}

function placeOf({ file }: OwnSettings): string {
  return file.startsWith("/") ? `the image's ${file}` : `${file} on the image's firmware partition`;
}
