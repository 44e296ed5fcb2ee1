import { execa } from "../../../proto/linux/leashed-execa.ts";
import { type AsynchronousIo, renderCardDrive } from "./render-qemu-arguments.ts";

/** The better way that QEMU has here: its build and the kernel may both lack io_uring, and a sandbox may forbid it. */
export async function chooseAsynchronousIo(card: string): Promise<AsynchronousIo> {
  const nothing = ["-nodefaults", "-no-user-config", "-machine", "none", "-display", "none", "-monitor", "stdio"];
  const { exitCode } = await execa("qemu-system-aarch64", [...nothing, ...renderCardDrive(card, "io_uring", "none")], {
    input: "quit\n",
    reject: false,
    timeout: 20_000,
  });
  return exitCode === 0 ? "io_uring" : "threads";
}
