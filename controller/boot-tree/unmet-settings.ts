/** Settings that a target may not have at all, as it lacks what they are about; where they exist they must hold. */
const optional = new Set(["CONFIG_CMD_BOOTI", "CONFIG_CMD_BOOTZ"]);

/**
 * Lines of a fragment that the complete configuration does not say: Kconfig drops what contradicts something else
 * without a word, and a driver for cards must not come back that way with another version of U-Boot.
 */
export function unmetSettings(fragment: string, config: string): readonly string[] {
  const said = new Set(config.split("\n"));
  return fragment.split("\n").filter((line) => {
    const off = /^# (CONFIG_\w+) is not set$/.exec(line)?.[1];
    if (off !== undefined) return config.split("\n").some((each) => each.startsWith(`${off}=`));
    const on = /^(CONFIG_\w+)=/.exec(line)?.[1];
    return on !== undefined && !optional.has(on) && !said.has(line);
  });
}
