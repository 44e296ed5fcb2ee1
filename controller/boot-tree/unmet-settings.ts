/** Settings that a target may lack along with the hardware they concern; if present, they must have these values. */
const optional = new Set(["CONFIG_CMD_BOOTI"]);

/**
 * Lines of a fragment that are missing from the complete configuration: Kconfig silently drops contradictions, and a
 * driver for cards must not return that way with another version of U-Boot.
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
