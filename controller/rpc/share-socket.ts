import { chmod, chown, readFile } from "node:fs/promises";
import { userInfo } from "node:os";
import process from "node:process";
import { Failure } from "../../proto/failure.ts";
import { parseGroupId } from "./parse-group-id.ts";

/** Lets the members of a group use a socket that was its owner's alone. Throws a Failure when there is no such group. */
export async function shareSocket(path: string, group: string): Promise<void> {
  const id = parseGroupId(await readFile("/etc/group", "utf8"), group);
  if (id === undefined) {
    throw new Failure(
      "invalid",
      `there is no group ${group} in /etc/group; make it (groupadd ${group}), or change socketGroup`,
    );
  }
  try {
    await chown(path, process.getuid?.() ?? 0, id);
    await chmod(path, 0o660);
  } catch (cause) {
    // Who is not root can only give to a group that he is in.
    const { username } = userInfo();
    const remedy =
      (cause as NodeJS.ErrnoException).code === "EPERM"
        ? `put ${username} into it (usermod --append --groups ${group} ${username}), and start the controller again`
        : "change socketGroup";
    throw new Failure("invalid", `the socket ${path} cannot be given to the group ${group}; ${remedy}`, { cause });
  }
}
