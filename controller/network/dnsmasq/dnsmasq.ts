import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { Failure } from "../../../proto/failure.ts";
import { execa } from "../../../proto/linux/leashed-execa.ts";
import { assertInstalled } from "../missing-program.ts";
import type { DhcpConfig } from "../network-config.ts";
import { type SupervisorOptions, superviseProcess, systemEnvironment } from "../supervise-process.ts";
import { writeFileAtomically } from "../write-file-atomically.ts";
import { explainDnsmasqEnd } from "./explain-dnsmasq-end.ts";
import { type KnownHost, renderDhcpHosts } from "./render-dhcp-hosts.ts";
import { type DnsmasqSettings, renderDnsmasq } from "./render-dnsmasq.ts";
import { renderNames } from "./render-names.ts";

/** A running dnsmasq. */
export interface Dnsmasq {
  /** Replaces the list of known hosts. */
  setHosts(hosts: readonly KnownHost[]): Promise<void>;
  close(): Promise<void>;
}

export interface DnsmasqOptions extends SupervisorOptions {
  /** Folder for its files; made when it does not exist. Leases stay there. */
  readonly directory: string;
  /** What the settings were made from. */
  readonly config: { readonly dhcp: DhcpConfig; readonly advertise: string };
  /** They name the files of `dnsmasqFiles(directory)`. */
  readonly settings: DnsmasqSettings;
  readonly hosts: readonly KnownHost[];
  /** Notified of each line that it logs. */
  onLine(line: string): void;
}

/** The capabilities that dnsmasq needs; it drops the others, so that its root can do little. */
const capabilities = ["net_admin", "net_bind_service", "net_raw", "setgid"];

/** Where dnsmasq's files are. */
export function dnsmasqFiles(directory: string): DnsmasqSettings["files"] {
  return {
    leases: path.join(directory, "leases"),
    hosts: path.join(directory, "hosts"),
    names: path.join(directory, "names"),
    processId: path.join(directory, "pid"),
  };
}

/** Starts dnsmasq, of Debian's package dnsmasq-base. Throws a Failure that says what keeps it from running. */
export async function startDnsmasq(options: Omit<DnsmasqOptions, "config">): Promise<Dnsmasq> {
  const { directory, settings, clock, log } = options;
  await assertInstalled(["dnsmasq", "setpriv"], {
    purpose: "DHCP",
    instead: "set dhcp.mode to none",
  });
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const files = dnsmasqFiles(directory);
  const configurationFile = path.join(directory, "dnsmasq.conf");
  await writeFile(configurationFile, renderDnsmasq(settings));
  await writeFile(files.hosts, renderDhcpHosts(options.hosts, settings));
  await writeFile(files.names, renderNames(options.hosts, settings));
  await check(configurationFile);

  const own = ["--keep-in-foreground", `--conf-file=${configurationFile}`, "--log-facility=-"];
  const dnsmasq = await superviseProcess(
    {
      name: "dnsmasq",
      command: [...confinement(), "dnsmasq", ...own] as [string, ...string[]],
      isReady: (line) => / started, version /.test(line),
      explainEnd: explainDnsmasqEnd,
      onLine: options.onLine,
      stopSignal: "SIGTERM",
    },
    { clock, log },
  );
  return {
    async setHosts(hosts) {
      await writeFileAtomically(files.hosts, renderDhcpHosts(hosts, settings));
      await writeFileAtomically(files.names, renderNames(hosts, settings));
      dnsmasq.signal("SIGHUP");
    },
    close: () => dnsmasq.close(),
  };
}

/** Options of setpriv(1), which stands before them: only root has capabilities to give away. */
function confinement(): string[] {
  const confined = ["--no-new-privs", `--bounding-set=-all,${capabilities.map((each) => `+${each}`).join(",")}`];
  return [...(process.getuid?.() === 0 ? confined : []), "--"];
}

async function check(configurationFile: string): Promise<void> {
  const checked = await execa("dnsmasq", ["--test", `--conf-file=${configurationFile}`], {
    reject: false,
    env: systemEnvironment,
  });
  if (checked.exitCode === 0) return;
  throw new Failure("tool-failed", `dnsmasq rejects the configuration that Pallet wrote for it: ${checked.stderr}`, {
    cause: checked,
  });
}
