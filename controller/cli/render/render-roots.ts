import type { RootView } from "../view/root-view.ts";
import type { Look } from "./style.ts";
import { renderTable } from "./table.ts";
import { formatAge, formatBytes } from "./units.ts";

/** Shown if there is no version. */
export const noRoots =
  "no versions of the root filesystem here; make one with: controller rootfs build (nfs.rootfs says where they are)";

const states: Readonly<Record<RootView["state"], string>> = {
  current: "current: new boots get it",
  "in-use": "in use",
  kept: "kept for a while",
  removable: "unused: goes in minutes",
  unknown: "unknown",
};

/** Longer lists of users end in how many more there are. */
const mostNames = 8;

/** The versions as a table, oldest first, with who uses them: `?` after a name means that the node may. */
export function renderRoots(roots: readonly RootView[], look: Look, now: number): string[] {
  return renderTable(
    [
      { title: "VERSION" },
      { title: "STATE" },
      { title: "MADE", isOptional: true },
      { title: "KERNEL", isOptional: true },
      { title: "SIZE", align: "right", isOptional: true },
      { title: "USED BY", shrinkTo: 12 },
    ],
    roots.map((root) => [
      root.id,
      states[root.state],
      formatAge(root.madeAt, now),
      root.kernelRelease ?? "",
      root.sizeBytes === null ? "" : formatBytes(root.sizeBytes),
      describeUsers(root.users),
    ]),
    look,
  );
}

function describeUsers(users: RootView["users"]): string {
  const names = users.map(
    ({ node, online, uncertain }) => `${node}${uncertain ? "?" : ""}${online ? "" : " (offline)"}`,
  );
  const more = names.length > mostNames ? [`and ${names.length - mostNames} more`] : [];
  return [...names.slice(0, mostNames), ...more].join(", ");
}
