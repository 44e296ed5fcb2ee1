import { setTimeout as delay } from "node:timers/promises";
import type { NetworkAsker } from "./boot-rom.ts";
import { createFirmwareFetch, type FirmwareFetch, MissingFile, need, type Patience } from "./firmware-fetch.ts";
import { loadByFirmware, type Started } from "./load-by-firmware.ts";
import type { MachineSpec } from "./machine-spec.ts";
import { type ConfigTxt, parseConfigTxt } from "./parse-config-txt.ts";
import { type PiModel, piModels } from "./pi-model.ts";
import { print } from "./serial-console.ts";

const pauseMs = 2000;
/** A boot ROM sends five DHCP requests, one each 5 s ("Known problems" of boot-net.adoc). */
const ofBootRom: Patience = { timeoutMs: 5000, maxTimeouts: 5 };

/** What the firmware has to know of the board that it runs on. */
export type FirmwareSpec = Pick<MachineSpec, "model" | "serial" | "mac" | "address" | "tftp">;

/**
 * Boot ROM, bootloader and firmware: ask for what a Pi of this model asks for, in its order, do what config.txt says, and
 * return what they start. A server that is silent from the start sends a boot ROM to sleep, for good; bootcode.bin from
 * the card and bootloaders in an EEPROM ask on. (DHCP has no part here: the server's silence stands for that of DHCP,
 * too.) Without a kernel, start*.elf stops for good.
 */
export async function runFirmware(spec: FirmwareSpec, asker: NetworkAsker = "board"): Promise<Started> {
  const model: PiModel = piModels[spec.model];
  print(`${model.model}, serial ${spec.serial}, mac ${spec.mac}, ip ${spec.address}`);
  for (;;) {
    const fetch = createFirmwareFetch(spec, model.cardFirst ? ofBootRom : undefined);
    try {
      return await boot(fetch, model, spec.serial, asker);
    } catch (error) {
      print(`firmware: ${error instanceof Error ? error.message : String(error)}`);
      if (error instanceof MissingFile && model.stopsWithoutKernel) await stop("firmware: stopped");
      if (model.cardFirst && !fetch.isAnswered()) {
        if (asker === "board") await stop("boot ROM: nobody has answered in 25 s: asleep");
        print("bootcode.bin: nobody answers, asking again");
        continue;
      }
    }
    print(`firmware: trying again in ${pauseMs / 1000} s`);
    await delay(pauseMs);
  }
}

async function stop(why: string): Promise<never> {
  print(`${why} until the power is cut`);
  return await new Promise(() => setInterval(() => undefined, 1 << 30));
}

async function boot(fetch: FirmwareFetch, model: PiModel, serial: string, asker: NetworkAsker): Promise<Started> {
  if (asker === "board") for (const name of model.bootRom) await fetch.get(name);
  // The probe for a folder of the board's own: if it is not there, everything is asked for at the top.
  const folder = `${serial}/`;
  const probe = model.firmware?.plain[0] ?? "config.txt";
  const at = (await fetch.get(folder + probe)) === undefined ? "" : folder;
  const first = await readConfig(fetch, at, model);
  if (model.bootRom.length === 0) await fetch.get(`${at}pieeprom.sig`);
  if (model.firmware !== undefined) {
    const { plain, withCamera } = model.firmware;
    for (const name of first.settings.get("start_x") === "1" ? withCamera : plain) await need(fetch, at + name);
  }
  await fetch.get(`${at}dt-blob.bin`);
  // Only now, since neither boot ROM nor bootloader follow includes.
  const read = () => readConfig(fetch, at, model, first.includes);
  return loadByFirmware({ fetch, at, model, read });
}

async function readConfig(
  fetch: FirmwareFetch,
  at: string,
  { filters }: PiModel,
  includes: readonly string[] = [],
): Promise<ConfigTxt> {
  const text = (await fetch.get(`${at}config.txt`))?.toString("utf8") ?? "";
  const included = new Map<string, string>();
  for (const name of includes) included.set(name, (await fetch.get(at + name))?.toString("utf8") ?? "");
  return parseConfigTxt(text, filters, included);
}
