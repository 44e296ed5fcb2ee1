import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { findHookProblems } from "../../../../controller/hooks/find-hook-problems.ts";
import type { Hook, HookAction } from "../../../../controller/hooks/hook.ts";

let folder = "";
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "pallet-hooks-"));
});
after(() => rm(folder, { recursive: true }));

function hook(name: string, action: HookAction): Hook {
  return { name, when: "before-reimage", labels: [], timeoutMs: 1000, action };
}

test("what hooks lack on this machine is found, all of it", async () => {
  const file = (name: string): string => path.join(folder, name);
  const put = async (name: string, text: string, mode: number): Promise<void> => {
    await writeFile(file(name), text);
    await chmod(file(name), mode);
  };
  const secret = `whsec_${Buffer.alloc(32, 1).toString("base64")}\n`;
  await put("run", "#!/bin/sh\n", 0o755);
  await put("plain", "#!/bin/sh\n", 0o644);
  await put("secret", secret, 0o640);
  await put("open", secret, 0o644);
  await put("empty", "", 0o600);
  const command = (name: string): Hook => hook(name, { kind: "command", command: [file(name), "--flag"] });
  const webhook = (name: string): Hook => hook(name, { kind: "webhook", url: "http://there/", secretFile: file(name) });
  const hooks = [
    command("run"),
    webhook("secret"),
    command("absent"),
    command("plain"),
    webhook("open"),
    webhook("empty"),
  ];
  const problems = await findHookProblems([
    ...hooks,
    webhook("gone"),
    hook("folder", { kind: "command", command: [folder] }),
  ]);
  assert.deepEqual(
    problems.map(({ hook: name, message }) => `${name}: ${message.replaceAll(folder, "")}`),
    [
      "absent: its command /absent does not exist",
      "plain: its command /plain may not be run",
      "open: the secret file /open cannot be used: other users of this machine may read or change it; chmod 600 /open",
      'empty: the secret file /empty cannot be used: it is not one line of "whsec_" and base64; make one: (printf whsec_; openssl rand -base64 32) >FILE',
      "gone: the secret file /gone cannot be used: ENOENT",
      "folder: its command  is not a file",
    ],
  );
});
