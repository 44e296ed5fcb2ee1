/**
 * The floor plan: for each folder that holds folders, its rooms floor by floor, from the ground up. A room is a folder,
 * or "." for the files that are in the folder itself. A room imports only rooms of lower floors.
 */
export const floorPlan: Readonly<Record<string, readonly (readonly string[])[]>> = {
  proto: [
    ["gen", "names", "time"],
    [".", "connections", "words"],
    ["grpc", "identity", "pack"],
    ["system"],
    ["linux", "node"],
    ["disk"],
    ["operation"],
  ],
  "proto/system": [["."], ["tasks"], ["config"]],

  agent: [
    ["linux", "options", "watchdog"],
    ["board", "card", "door", "fetch", "inventory", "operations", "tasks"],
    ["disk", "registration", "write"],
    ["customise", "identity", "log", "read"],
    ["executors", "resident", "rpc"],
    ["."],
  ],

  controller: [
    ["artefacts", "callers", "clock", "records", "refusal", "uplink", "yaml"],
    ["events", "requirements", "roots", "tls", "uploads"],
    ["identity", "images"],
    ["nodes", "rootfs"],
    ["boot-tree", "hooks", "logs", "network"],
    ["agents", "boot", "profiles"],
    ["reimage"],
    ["config", "rpc", "store"],
    ["backup", "check", "privileges"],
    ["serving", "setup"],
    ["cli"],
    ["."],
  ],
  "controller/backup": [["tar"], ["."]],
  "controller/boot": [["tftp"], ["."]],
  "controller/cli": [
    ["download", "tree"],
    ["manual"],
    ["os-list"],
    ["view"],
    ["render"],
    ["completion", "connection"],
    ["terminal"],
    ["rollout"],
    ["commands"],
    ["."],
  ],
  "controller/images": [
    ["catalogue", "filesystems", "formats"],
    ["boot", "map", "pack"],
    ["block-map"],
    ["import"],
    ["."],
    ["derive"],
    ["capture"],
  ],
  "controller/images/filesystems": [["fat"], ["."]],
  "controller/network": [
    [".", "onc-rpc"],
    ["dnsmasq", "nfs"],
  ],
  "controller/reimage": [["plan"], ["machine"], ["executors"], ["."]],
  "controller/rpc": [["wire"], ["agent", "doors"], ["."]],
};

const begin = "<!-- floors: begin -->";
const end = "<!-- floors: end -->";

/** The floor plan as .github/ARCHITECTURE.md shows it: the top floor first, as in a house. */
export function drawFloors(plan = floorPlan): string {
  const houses = Object.entries(plan).map(([folder, floors]) => {
    const lines = floors.map((rooms, floor) => {
      const names = rooms.map((room) => (room === "." ? `(${folder}/*.ts)` : room));
      return `  ${String(floor).padStart(2)}  ${names.join("  ")}`;
    });
    return [`${folder}/`, ...lines.toReversed()].join("\n");
  });
  return `${begin}\n\n\`\`\`\n${houses.join("\n\n")}\n\`\`\`\n\n${end}`;
}

/** The page with the drawing in place of the one it has. Throws when it has no place for it. */
export function placeDrawing(page: string, drawing = drawFloors()): string {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`the page has no lines "${begin}" and "${end}" for the floors`);
  return page.slice(0, from) + drawing + page.slice(to + end.length);
}
