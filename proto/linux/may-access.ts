import { access, constants } from "node:fs/promises";

/**
 * Whether this user may do that with a file or folder (access(2)); false also where there is none.
 *
 * @param mode F_OK asks only whether it is there
 */
export function mayAccess(path: string, mode: number = constants.F_OK): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}
