import { Failure } from "../../proto/failure.ts";
import { noServer, serverVariable } from "./server-slot.ts";
import type { UBootTarget } from "./targets.ts";

/** The only way that it boots: ask for an address, then for this board's config, then load what that says; forever. */
const bootCommand =
  "while true; do if dhcp; then run find_server; if pxe get; then pxe boot; fi; else run renew_network; fi; sleep 2; done";

/** DHCP, a router's perhaps, has just named a server, or none; the controller's own word wins. */
const findServer = `if test ${"$"}{${serverVariable}} != ${noServer}; then setenv serverip ${"$"}{${serverVariable}}; fi`;

/**
 * Renders the whole environment of a target in the form of mkenvimage (tools/mkenvimage.c): one variable per line.
 * U-Boot is built with it in place of its own (CONFIG_DEFAULT_ENV_FILE), so what stands here is all that it ever does.
 *
 * Throws Failure "invalid" for a value that the build would read as something else.
 */
export function renderEnvironment({ environment }: UBootTarget): string {
  const variables = {
    // DHCP gives addresses only; what to load comes from the boot config.
    autoload: "no",
    baudrate: "115200",
    bootcmd: bootCommand,
    bootdelay: "-2",
    bootretry: "60",
    find_server: findServer,
    // A failed exchange comes back to the boot command instead of being tried again forever.
    netretry: "no",
    [serverVariable]: noServer,
    ...environment,
  };
  const lines = Object.entries(variables)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => {
      if (/[^\x20-\x7e]|\\|^$/.test(value) || !/^[a-z_]+$/.test(name))
        throw new Failure(
          "invalid",
          `the variable ${JSON.stringify(`${name}=${value}`)} cannot be stored in a U-Boot environment`,
        );
      return `${name}=${value}\n`;
    });
  return lines.join("");
}
