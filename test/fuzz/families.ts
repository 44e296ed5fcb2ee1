import { agent } from "./families/agent.ts";
import { backups } from "./families/backups.ts";
import { boot } from "./families/boot.ts";
import { configs } from "./families/configs.ts";
import { controller } from "./families/controller.ts";
import { downloads } from "./families/downloads.ts";
import { http } from "./families/http.ts";
import { identity } from "./families/identity.ts";
import { images } from "./families/images.ts";
import { wire } from "./families/wire.ts";
import type { AnyFamily } from "./frame/family.ts";

/** All families. A group gets the same time, whatever it has; keep its checks about equally quick. */
export const groups = {
  agent,
  backups,
  boot,
  configs,
  controller,
  downloads,
  http,
  identity,
  images,
  wire,
} as const satisfies Readonly<Record<string, readonly AnyFamily[]>>;
