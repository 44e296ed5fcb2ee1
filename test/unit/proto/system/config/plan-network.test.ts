import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { NetworkAbilities, SystemAbilities } from "../../../../../proto/system/config/abilities.ts";
import { judgeNetwork, planNetwork, withInterfaces } from "../../../../../proto/system/config/plan-network.ts";
import { renderSupplicant, renderWifiKeyfile } from "../../../../../proto/system/config/render-wifi.ts";
import type { InterfaceConfig, NetworkConfig } from "../../../../../proto/system/system-config.ts";
import { abilitiesOf } from "./some-abilities.ts";

const fixed: InterfaceConfig = {
  name: "eth0",
  addresses: ["10.0.0.7/24", "2001:db8::7/64"],
  gateways: ["10.0.0.1", "2001:db8::1"],
  dns: ["10.0.0.1"],
  searchDomains: ["rack"],
};
const wifi = { country: "CH", ssid: "net", passphrase: "correct horse" } as const;

function written(
  network: NetworkConfig,
  about: NetworkAbilities,
  other: Partial<SystemAbilities> = {},
): Record<string, string> {
  const edits = planNetwork(network, abilitiesOf({ network: about, ...other }));
  return Object.fromEntries(
    edits.flatMap((edit) => {
      if (edit.kind === "file") return [[edit.path, String(edit.content)]];
      return edit.kind === "amend" ? [[edit.path, edit.amend("", () => undefined) ?? ""]] : [];
    }),
  );
}

describe("planNetwork", () => {
  it("writes .network files of systemd-networkd, and resolv.conf where nothing else does", () => {
    assert.deepEqual(written({ interfaces: [fixed, { name: "en*" }] }, { manager: "systemd-networkd" }), {
      "/etc/systemd/network/05-pallet-0.network":
        "[Match]\nName=eth0\n\n[Network]\nAddress=10.0.0.7/24\nAddress=2001:db8::7/64\nGateway=10.0.0.1\n" +
        "Gateway=2001:db8::1\nDNS=10.0.0.1\nDomains=rack\n",
      "/etc/systemd/network/05-pallet-1.network": "[Match]\nName=en*\n\n[Network]\nDHCP=yes\n",
      "/etc/resolv.conf": "search rack\nnameserver 10.0.0.1\n",
    });
    const resolved = written({ interfaces: [fixed] }, { manager: "systemd-networkd", resolver: "systemd-resolved" });
    assert.equal(resolved["/etc/resolv.conf"], undefined);
  });

  it("writes keyfiles of NetworkManager", () => {
    assert.deepEqual(written({ interfaces: [fixed, { name: "en*" }] }, { manager: "NetworkManager" }), {
      "/etc/NetworkManager/system-connections/pallet-0.nmconnection":
        "[connection]\nid=pallet-0\ntype=ethernet\ninterface-name=eth0\nautoconnect-priority=100\n\n" +
        "[ipv4]\nmethod=manual\naddress1=10.0.0.7/24\ngateway=10.0.0.1\ndns=10.0.0.1;\ndns-search=rack;\n\n" +
        "[ipv6]\nmethod=manual\naddress1=2001:db8::7/64\ngateway=2001:db8::1\ndns-search=rack;\n",
      "/etc/NetworkManager/system-connections/pallet-1.nmconnection":
        "[connection]\nid=pallet-1\ntype=ethernet\nautoconnect-priority=100\n\n[match]\ninterface-name=en*;\n\n" +
        "[ipv4]\nmethod=auto\n\n[ipv6]\nmethod=auto\n",
    });
  });

  it("writes one file for netplan, Wi-Fi in it", () => {
    const { "/etc/netplan/90-pallet.yaml": yaml = "" } = written(
      { interfaces: [fixed, { name: "en*" }], wifi },
      { manager: "netplan", wifi: "wpa_supplicant", resolver: "systemd-resolved" },
    );
    assert.deepEqual(JSON.parse(yaml), {
      network: {
        version: 2,
        ethernets: {
          eth0: {
            dhcp4: false,
            dhcp6: false,
            addresses: ["10.0.0.7/24", "2001:db8::7/64"],
            routes: [
              { to: "0.0.0.0/0", via: "10.0.0.1" },
              { to: "::/0", via: "2001:db8::1" },
            ],
            nameservers: { addresses: ["10.0.0.1"], search: ["rack"] },
          },
          pallet1: { match: { name: "en*" }, dhcp4: true, dhcp6: true },
        },
        wifis: { wlan0: { dhcp4: true, "access-points": { net: { password: "correct horse" } } } },
      },
    });
  });

  it("writes stanzas of interfaces(5)", () => {
    const { "/etc/network/interfaces": text } = written({ interfaces: [fixed] }, { manager: "ifupdown" });
    assert.match(
      text ?? "",
      /^auto eth0\niface eth0 inet static\n {4}address 10\.0\.0\.7\n {4}netmask 255\.255\.255\.0\n {4}gateway 10\.0\.0\.1\n/m,
    );
    assert.match(
      text ?? "",
      /^iface eth0 inet6 static\n {4}address 2001:db8::7\n {4}netmask 64\n {4}gateway 2001:db8::1\n#/m,
    );
  });

  it("writes a block of dhcpcd.conf(5)", () => {
    const { "/etc/dhcpcd.conf": text } = written({ interfaces: [fixed] }, { manager: "dhcpcd" });
    assert.match(
      text ?? "",
      /\ninterface eth0\nstatic ip_address=10\.0\.0\.7\/24\nstatic ip6_address=2001:db8::7\/64\nstatic routers=10\.0\.0\.1\nstatic domain_name_servers=10\.0\.0\.1\n/,
    );
  });

  it("joins Wi-Fi by wpa_supplicant(8) where no network manager does", () => {
    const units = {
      "wpa_supplicant@.service": {
        path: "/lib/systemd/system/wpa_supplicant@.service",
        wantedBy: ["multi-user.target"],
      },
    };
    const about = { manager: "systemd-networkd", wifi: "wpa_supplicant" } as const;
    const edits = planNetwork(
      { wifi },
      abilitiesOf({ network: about, units, radios: ["platform-x:wlan", "platform-x:bluetooth"] }),
    );
    assert.deepEqual(
      edits.filter(({ kind }) => kind !== "remove-matching").map(({ path }) => path),
      [
        "/etc/modprobe.d/pallet-wifi.conf",
        "/var/lib/systemd/rfkill/platform-x:wlan",
        "/etc/wpa_supplicant/wpa_supplicant-wlan0.conf",
        "/etc/systemd/network/06-pallet-wifi.network",
        "/etc/systemd/system/multi-user.target.wants/wpa_supplicant@wlan0.service",
      ],
    );
    assert.doesNotMatch(edits.map(({ does }) => does).join(), /correct horse/);
  });

  for (const [what, network, about, message] of [
    ["no network manager", { interfaces: [fixed] }, {}, /starts no network manager that is known/],
    ["a pattern where none is known", { interfaces: [{ name: "en*" }] }, { manager: "ifupdown" }, /knows no patterns/],
    [
      "two addresses of dhcpcd",
      { interfaces: [{ name: "e", addresses: ["10.0.0.1/8", "10.0.0.2/8"] }] },
      { manager: "dhcpcd" },
      /one address of each family/,
    ],
    ["no Wi-Fi", { wifi }, { manager: "NetworkManager" }, /nothing that joins wireless networks/],
    [
      "no unit for Wi-Fi",
      { wifi },
      { manager: "systemd-networkd", wifi: "wpa_supplicant" },
      /no wpa_supplicant@\.service/,
    ],
    [
      "DNS beside DHCP of ifupdown",
      { interfaces: [{ name: "e", dns: ["10.0.0.1"] }] },
      { manager: "ifupdown" },
      /leave dns out/,
    ],
  ] as const)
    it(`refuses ${what}`, () => {
      const refusals = judgeNetwork(network, abilitiesOf({ network: about }));
      assert.equal(refusals.length, 1);
      assert.match(refusals[0] ?? "", message);
    });
});

describe("withInterfaces", () => {
  it("makes the image's own stanzas for an interface comments, and keeps all others", () => {
    const image =
      "# kept\nauto lo eth0\nallow-hotplug eth0\niface lo inet loopback\n\niface eth0 inet dhcp\n\tmetric 5\n# kept too\niface eth1 inet dhcp\n";
    const once = withInterfaces(image, ["eth0"], ["auto eth0", "iface eth0 inet dhcp"]);
    assert.equal(
      once,
      "# kept\n#pallet# auto lo eth0\nauto lo\n#pallet# allow-hotplug eth0\niface lo inet loopback\n\n#pallet# iface eth0 inet dhcp\n" +
        "#pallet# \tmetric 5\n# kept too\niface eth1 inet dhcp\n" +
        "# BEGIN Pallet (made at the reimage; changes in here are lost at the next)\nauto eth0\niface eth0 inet dhcp\n# END Pallet\n",
    );
    assert.equal(withInterfaces(once, ["eth0"], ["auto eth0", "iface eth0 inet dhcp"]), once);
  });
});

describe("Wi-Fi", () => {
  it("keeps whatever a network's name and passphrase have in them", () => {
    const odd = { country: "CH", ssid: '"; #\\', passphrase: 'a" b\\c #;=' };
    assert.match(renderSupplicant(odd), /\n {4}ssid=223b20235c\n {4}psk="a" b\\c #;="\n/);
    assert.match(renderWifiKeyfile(odd), /\nssid=34;59;32;35;92;\n[\s\S]*\npsk=a"\\sb\\\\c\\s#;=\n/);
    assert.match(renderSupplicant({ ...odd, passphrase: "ab".repeat(32) }), /\n {4}psk=(ab){32}\n/);
    assert.match(renderSupplicant({ country: "CH", ssid: "x", hidden: true }), /scan_ssid=1\n {4}key_mgmt=NONE/);
  });
});
