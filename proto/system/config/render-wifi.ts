import type { WifiConfig } from "../system-config.ts";

/** The interface that systems without names of their own for interfaces have, and that is looked for. */
export const wifiInterface = "wlan0";

/** A keyfile of NetworkManager (nm-settings-keyfile(5)) for any wireless interface. Secret. */
export function renderWifiKeyfile({ ssid, passphrase, hidden }: WifiConfig): string {
  return lines(
    "[connection]",
    "id=pallet-wifi",
    "type=wifi",
    "",
    "[wifi]",
    "mode=infrastructure",
    // As numbers, whatever its characters mean to the format.
    `ssid=${[...Buffer.from(ssid)].map((byte) => `${byte};`).join("")}`,
    ...(hidden === true ? ["hidden=true"] : []),
    ...(passphrase === undefined
      ? []
      : [
          "",
          "[wifi-security]",
          "key-mgmt=wpa-psk",
          `psk=${passphrase.replaceAll("\\", "\\\\").replaceAll(" ", "\\s")}`,
        ]),
    "",
    "[ipv4]",
    "method=auto",
    "",
    "[ipv6]",
    "method=auto",
  );
}

/** wpa_supplicant.conf(5). Secret. */
export function renderSupplicant({ country, ssid, passphrase, hidden }: WifiConfig): string {
  const isRaw = passphrase !== undefined && /^[0-9a-fA-F]{64}$/.test(passphrase);
  return lines(
    "ctrl_interface=/run/wpa_supplicant",
    "update_config=1",
    `country=${country}`,
    "",
    "network={",
    `    ssid=${Buffer.from(ssid).toString("hex")}`,
    ...(hidden === true ? ["    scan_ssid=1"] : []),
    passphrase === undefined ? "    key_mgmt=NONE" : `    psk=${isRaw ? passphrase : `"${passphrase}"`}`,
    "}",
  );
}

/** What netplan is told under "wifis". Secret. */
export function renderNetplanWifi({ ssid, passphrase, hidden }: WifiConfig): object {
  const point = {
    ...(passphrase !== undefined && { password: passphrase }),
    ...(hidden === true && { hidden: true }),
  };
  return { [wifiInterface]: { dhcp4: true, "access-points": Object.fromEntries([[ssid, point]]) } };
}

/** modprobe.d(5) with the country whose rules for radios count, from the first moment on. */
export function renderRegulatoryDomain(country: string): string {
  return `options cfg80211 ieee80211_regdom=${country}\n`;
}

/** NetworkManager's memory of what was switched off: Raspberry Pi OS keeps radios off until a country is set. */
export function withWirelessEnabled(text: string): string {
  return text.replaceAll(/^WirelessEnabled=false$/gm, "WirelessEnabled=true");
}

function lines(...all: readonly string[]): string {
  return all.map((line) => `${line}\n`).join("");
}
