import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { unmetSettings } from "../../../../controller/boot-tree/unmet-settings.ts";

const fragment = `# A comment.
CONFIG_ENV_IS_NOWHERE=y
CONFIG_CMD_BOOTI=y
# CONFIG_MMC is not set
`;

describe("settings of the fragment that Kconfig dropped", () => {
  for (const [title, config, unmet] of [
    ["none when all hold", "CONFIG_ENV_IS_NOWHERE=y\n# CONFIG_MMC is not set\nCONFIG_CMD_BOOTI=y\n", []],
    ["none when what is switched off does not exist", "CONFIG_ENV_IS_NOWHERE=y\n", []],
    ["what is missing", "# CONFIG_MMC is not set\n", ["CONFIG_ENV_IS_NOWHERE=y"]],
    ["what came back", "CONFIG_ENV_IS_NOWHERE=y\nCONFIG_MMC=y\n", ["# CONFIG_MMC is not set"]],
    ["what came back as a value", "CONFIG_ENV_IS_NOWHERE=y\nCONFIG_MMC=m\n", ["# CONFIG_MMC is not set"]],
    ["not what only begins alike", "CONFIG_ENV_IS_NOWHERE=y\nCONFIG_MMC_OTHER=y\n", []],
  ] as const)
    it(title, () => assert.deepEqual(unmetSettings(fragment, config), unmet));
});
