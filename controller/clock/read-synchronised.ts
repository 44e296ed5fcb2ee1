import { execa } from "../../proto/linux/leashed-execa.ts";

/**
 * Whether something keeps this machine's clock right (chrony, ntpd, timesyncd), as the kernel was told. timedatectl(1) asks
 * systemd, because adjtimex(2) is not for a service with ProtectClock=. False where nobody knows.
 */
export async function readSynchronised(): Promise<boolean> {
  const { failed, stdout } = await execa("timedatectl", ["show", "--property=NTPSynchronized", "--value"], {
    reject: false,
    stdin: "ignore",
    timeout: 10_000,
  });
  return !failed && stdout.trim() === "yes";
}
