import type { InitSystem } from "./init-system.ts";
import { addToInittab } from "./inittab.ts";
import { renderUnit } from "./render-unit.ts";

/** Folders from the root of the new system to the agent's program, and its name there. */
export const programPlace = { folders: ["usr", "lib", "pallet"], name: "agent" } as const;

/** How the agent is started there. */
export const residentCommand = "/usr/lib/pallet/agent --role resident";

/** A file, or a symbolic link, of the new system. */
export interface ResidentFile {
  /** Folders from the root of the new system. */
  readonly folders: readonly [string, ...string[]];
  readonly name: string;
  readonly content: { readonly text: string } | { readonly linkTo: string };
}

/** The files that have the init system start the agent at boot and again whenever it ends. Placing them twice is the same. */
export function residentFiles(system: InitSystem, inittab: string | undefined): readonly ResidentFile[] {
  if (system !== "systemd") {
    const text = addToInittab(inittab ?? "", system, residentCommand);
    return [{ folders: ["etc"], name: "inittab", content: { text } }];
  }
  const name = "pallet-agent.service";
  return [
    { folders: ["etc", "systemd", "system"], name, content: { text: renderUnit(residentCommand) } },
    // What `systemctl enable` makes of WantedBy=multi-user.target.
    {
      folders: ["etc", "systemd", "system", "multi-user.target.wants"],
      name,
      content: { linkTo: `../${name}` },
    },
  ];
}
