import type { VirtualBoard } from "../../rack/virtual/virtual-board.ts";

/** Runs inside of the node, whose clock counts, so that starting programs from outside is not measured with it. */
const script = `
say() { read -r uptime _ </proc/uptime; echo "$1 $uptime"; }
old=$(busybox pidof pallet-agent)
say killed
kill -9 $old
new=
while [ -z "$new" ] || [ "$new" = "$old" ]; do sleep 0.1; new=$(busybox pidof pallet-agent); done
say back
# Port 7710 in the state "listening" (Documentation/networking/proc_net_tcp.rst).
until grep -q ':1E1E 0*:0000 0A' /proc/net/tcp /proc/net/tcp6; do sleep 0.1; done
say serves
`;

/** Kills the agent of a netbooted node (SIGKILL). Resolves when it serves again, with how long what took. */
export async function killAgentAndTime(
  board: VirtualBoard,
): Promise<{ readonly backAfterMs: number; readonly servesAfterMs: number }> {
  const said = await board.run("sh", ["-c", script]);
  const at = (word: string): number => {
    const seconds = new RegExp(`^${word} ([0-9.]+)$`, "m").exec(said)?.[1];
    if (seconds === undefined) throw new Error(`the node did not say when its agent was ${word}: ${said}`);
    return Math.round(Number(seconds) * 1000);
  };
  return { backAfterMs: at("back") - at("killed"), servesAfterMs: at("serves") - at("killed") };
}
