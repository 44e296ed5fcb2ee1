import assert from "node:assert/strict";
import { test } from "node:test";
import { renderEvent } from "../../../../../controller/cli/render/render-events.ts";
import type { AuthorView } from "../../../../../controller/cli/view/event-view.ts";

const author = (kind: AuthorView["kind"], name: string | null = null): AuthorView => ({ kind, name, uid: null });

for (const [by, from, message, end] of [
  [null, null, "accepted rack-1", "accepted rack-1"],
  [author("controller"), null, "accepted rack-1", "accepted rack-1"],
  [author("socket-user", "anna"), null, "accepted rack-1", "accepted rack-1, by anna"],
  [author("operator", "ben"), "10.0.0.9", "accepted rack-1", "accepted rack-1, by ben from 10.0.0.9"],
  [author("anonymous"), "10.0.0.7", "discovered rack-1", "discovered rack-1, by anonymous from 10.0.0.7"],
  [author("anonymous"), "10.0.0.7", "discovered rack-1 from 10.0.0.7", "discovered rack-1 from 10.0.0.7, by anonymous"],
  [author("agent", "b8:27:eb:00:00:01"), "10.0.0.7", "rack-1 runs", "rack-1 runs, from 10.0.0.7"],
  [author("unknown", "new"), null, "rack-1 runs", "rack-1 runs, by new"],
] as const) {
  test(`an event that ${by?.kind ?? "nobody known"} caused from ${from ?? "here"} ends: ${end}`, () => {
    const about = {
      id: 1,
      time: null,
      type: "t",
      severity: "info",
      nodeId: null,
      nodeName: "rack-1",
      rolloutId: null,
    } as const;
    const line = renderEvent({ ...about, by, from, message }, { color: false, width: 80 } as never);
    assert.equal(line.split("  ").at(-1), end);
  });
}
