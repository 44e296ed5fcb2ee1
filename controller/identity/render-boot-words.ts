import { agentWords } from "../../proto/system/kernel-command-line.ts";

/** The kernel words by which an agent knows whom to believe, and proves that its boot asked this controller. */
export function renderBootWords({
  fingerprint,
  token,
}: {
  /** Of the authority to believe. */
  readonly fingerprint: string;
  readonly token: string;
}): readonly string[] {
  return [`${agentWords.authority}=${fingerprint}`, `${agentWords.token}=${token}`];
}
