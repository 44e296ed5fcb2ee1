import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Config } from "../../../../controller/config/config.ts";
import { exampleConfig, serveOptions } from "../../../../controller/config/document-config.ts";
import { parseConfigFile } from "../../../../controller/config/parse-config-file.ts";
import { parseEnvironment, parseFlags } from "../../../../controller/config/parse-text-values.ts";
import { configFailure, resolveConfig } from "../../../../controller/config/resolve-config.ts";
import { flagOf, settingList, variableOf } from "../../../../controller/config/settings.ts";

interface Sources {
  readonly file?: string;
  readonly env?: Record<string, string>;
  readonly flags?: Record<string, string | boolean>;
}

function resolve({ file = "", env = {}, flags = {} }: Sources): ReturnType<typeof resolveConfig> {
  return resolveConfig([
    parseFlags(flags, "/work"),
    parseEnvironment(env, "/work"),
    parseConfigFile(file, "/etc/pallet/c.yaml"),
  ]);
}

function configOf(sources: Sources): Config {
  const result = resolve(sources);
  assert.ok(result.ok, result.ok ? "" : result.problems.join("\n"));
  return result.config;
}

function problemsOf(sources: Sources): readonly string[] {
  const result = resolve(sources);
  assert.ok(!result.ok, "the config is right, and should not be");
  return result.problems;
}

describe("config", () => {
  it("has defaults that bind to loopback and depend on each other", () => {
    const config = configOf({ file: "stateDirectory: /srv/state" });
    assert.equal(config.listen, "127.0.0.1");
    assert.equal(config.advertise, "127.0.0.1");
    assert.deepEqual([config.grpcPort, config.httpPort, config.tftpPort], [7700, 7701, 69]);
    assert.equal(config.imageDirectory, "/srv/state/images");
    assert.equal(config.bootTree, "/srv/state/boot");
    assert.deepEqual(config.bootProfile.agent, { append: ["panic=30"] });
    assert.deepEqual(config.nfs, { mode: "none" });
  });

  it("exports what controller rootfs build makes, unless another folder is named", () => {
    const nfs = (file: string) => configOf({ file: `listen: 10.0.0.1\n${file}` }).nfs;
    assert.deepEqual(nfs("nfs: {mode: ganesha}"), { mode: "ganesha", rootfs: "/var/lib/pallet/rootfs" });
    assert.equal(nfs("stateDirectory: /srv\nnfs: {mode: kernel}").rootfs, "/srv/rootfs");
    assert.equal(nfs("nfs: {mode: kernel, rootfs: /srv/other}").rootfs, "/srv/other");
  });

  it("reads hooks in their order, with what is not said", () => {
    const { hooks } = configOf({
      file: `hooks:
  - {name: drain, when: before-reimage, command: [/usr/local/bin/drain, --fast], labelSelector: rack=a, timeoutMs: 60000}
  - {name: announce, when: after-proved, webhook: "https://there/hook?a=b", secretFile: /etc/pallet/secret}`,
    });
    assert.deepEqual(hooks, [
      {
        name: "drain",
        when: "before-reimage",
        labels: [{ kind: "in", key: "rack", values: ["a"] }],
        timeoutMs: 60_000,
        action: { kind: "command", command: ["/usr/local/bin/drain", "--fast"] },
      },
      {
        name: "announce",
        when: "after-proved",
        labels: [],
        timeoutMs: 300_000,
        action: { kind: "webhook", url: "https://there/hook?a=b", secretFile: "/etc/pallet/secret" },
      },
    ]);
    assert.deepEqual(configOf({}).hooks, []);
  });

  it("reads what hooks give", () => {
    const given = (gives: string) =>
      configOf({ file: `hooks: [{name: join, when: before-reimage, command: [/join], gives: ${gives}}]` }).hooks[0]
        ?.gives;
    assert.deepEqual(given("{values: [server_url], secrets: [join_token]}"), {
      values: ["server_url"],
      secrets: ["join_token"],
    });
    assert.deepEqual(given("{secrets: [join_token]}"), { values: [], secrets: ["join_token"] });
  });

  it("lets a boot without an initrd be asked for", () => {
    for (const kernel of ["", "kernel: my/Image, "]) {
      const { bootProfile } = configOf({ file: `bootProfile: {agent: {${kernel}initrd: none}}` });
      assert.equal(bootProfile.agent.initrd, "none");
    }
  });

  it("reads everything from a file", () => {
    const config = configOf({
      file: `
        listen: 10.77.0.1
        tftpPort: 0
        bootProfile:
          agent: {kernel: agent/Image, initrd: agent/initrd.img, append: [root=/dev/nfs, ip=dhcp]}
          local:
            append: ["panic=10"]
          menu: true
          menuTimeoutMs: 20000
          cardFirmware: reformat
        reimage:
          bootTimeoutMs: 1234
          longestBootMs: 2345`,
    });
    assert.equal(config.advertise, "10.77.0.1");
    assert.equal(config.tftpPort, 0);
    assert.deepEqual(config.bootProfile, {
      agent: { kernel: "agent/Image", initrd: "agent/initrd.img", append: ["root=/dev/nfs", "ip=dhcp"] },
      local: { append: ["panic=10"] },
      menu: true,
      menuTimeoutMs: 20_000,
      loader: "auto",
      cardFirmware: "reformat",
    });
    assert.equal(config.reimage.bootTimeoutMs, 1234);
    assert.equal(config.reimage.longestBootMs, 2345);
  });

  it("reads which disks are protected", () => {
    assert.deepEqual(configOf({}).disks.protected, { labels: [], serials: [] });
    const file = "disks: {protected: {labels: [Photos, ' My data '], serials: [0x5ca3e900, S3Z8NB0K]}}";
    assert.match(problemsOf({ file })[0] ?? "", /is not a value for disks\.protected\.serials; .*in quotes/);
    const quoted = file.replace("0x5ca3e900", "'0x5ca3e900'");
    assert.deepEqual(configOf({ file: quoted }).disks.protected, {
      labels: ["Photos", "My data"],
      serials: ["0x5ca3e900", "S3Z8NB0K"],
    });
  });

  it("reads rates with their units, and limits nothing by default", () => {
    assert.deepEqual(configOf({}).limits, {});
    assert.deepEqual(configOf({ file: "limits:\n  # total: 1 Gbit/s\n" }).limits, {});
    const file = "limits: {total: 500 Mbit/s, perNode: 8 MiB/s, uplink: 1 Gbit/s, writers: 12}";
    assert.deepEqual(configOf({ file }).limits, {
      totalBytesPerSecond: 62_500_000,
      perNodeBytesPerSecond: 8_388_608,
      uplinkBytesPerSecond: 125_000_000,
      writers: 12,
    });
    assert.equal(configOf({ flags: { limitsTotal: "64kbit/s" } }).limits.totalBytesPerSecond, 8000);
  });

  it("reads what is served for the nodes' network", () => {
    const { dhcp, nfs } = configOf({
      file: `
        listen: 10.77.0.1
        dhcp:
          mode: server
          interface: eth0
          range: [10.77.0.100, 10.77.0.250]
          dnsUpstream: [9.9.9.9]
        nfs: {mode: kernel, rootfs: root}`,
    });
    assert.deepEqual(dhcp, {
      mode: "server",
      interface: "eth0",
      range: ["10.77.0.100", "10.77.0.250"],
      leaseSeconds: 43_200,
      replyDelaySeconds: 2,
      dns: [],
      dnsUpstream: ["9.9.9.9"],
    });
    assert.deepEqual(nfs, { mode: "kernel", rootfs: "/etc/pallet/root" });
  });

  it("lets flags win over the environment, and that over the file", () => {
    const file = "grpcPort: 1\nhttpPort: 2\ntftpPort: 3";
    const env = { PALLET_GRPC_PORT: "11", PALLET_HTTP_PORT: "12", PALLET_LOG_LEVEL: "" };
    const config = configOf({ file, env, flags: { grpcPort: "21" } });
    assert.deepEqual([config.grpcPort, config.httpPort, config.tftpPort, config.logLevel], [21, 12, 3, "info"]);
  });

  it("fills a frame with a TFTP block, or what the path carries", () => {
    assert.equal(configOf({}).tftpMaxBlockBytes, 1468);
    assert.equal(configOf({ file: "tftp: {maxBlockBytes: 1388}" }).tftpMaxBlockBytes, 1388);
  });

  it("opens TCP to every call only where that is said", () => {
    assert.equal(configOf({}).insecure, false);
    assert.equal(configOf({ file: "listen: 127.0.0.1" }).insecure, false);
    assert.equal(configOf({ file: "insecure: true" }).insecure, true);
    assert.equal(configOf({ env: { PALLET_INSECURE: "true" } }).insecure, true);
    // As commander hands over --insecure without a value.
    assert.equal(configOf({ flags: { insecure: true } }).insecure, true);
    assert.equal(configOf({ flags: { insecure: "false" }, file: "insecure: true" }).insecure, false);
  });

  it("takes relative paths from where they were said", () => {
    const config = configOf({
      file: "stateDirectory: state\nbootTree: ../boot",
      env: { PALLET_SOCKET: "run/c.sock" },
      flags: { imageDirectory: "images" },
    });
    assert.equal(config.stateDirectory, "/etc/pallet/state");
    assert.equal(config.bootTree, "/etc/boot");
    assert.equal(config.socket, "/work/run/c.sock");
    assert.equal(config.imageDirectory, "/work/images");
  });

  it("cannot be changed any more", () => {
    const config = configOf({});
    assert.throws(() => Object.assign(config, { grpcPort: 1 }), TypeError);
    assert.throws(() => (config.bootProfile.agent.append as string[]).push("x"), TypeError);
  });

  it("comes from an empty file, and from one with comments only", () => {
    assert.deepEqual(configOf({ file: "# nothing\n" }), configOf({}));
  });

  describe("problems", () => {
    for (const [name, sources, expected] of [
      [
        "a port out of range",
        { file: "\ngrpcPort: 99999" },
        /^\/etc\/pallet\/c\.yaml line 2: 99999 is not a value for grpcPort; give a port number/,
      ],
      [
        "a port that is text",
        { env: { PALLET_HTTP_PORT: "http" } },
        /^PALLET_HTTP_PORT: "http" is not a value for httpPort/,
      ],
      ["a flag without a number", { flags: { tftpPort: "6 9" } }, /^--tftp-port: "6 9" is not a value for tftpPort/],
      [
        "a TFTP block below every client's own",
        { file: "tftp: {maxBlockBytes: 511}" },
        /511 is not a value for tftp\.maxBlockBytes; give a number of bytes from 512 to 65464/,
      ],
      [
        "a fraction",
        { file: "heartbeatIntervalMs: 1.5" },
        /1\.5 is not a value for heartbeatIntervalMs; give a number of milli/,
      ],
      ["a key without a value", { file: "listen:" }, /line 1: nothing is not a value for listen; give the IP address/],
      ["a host name to listen on", { file: "listen: eth0" }, /"eth0" is not a value for listen/],
      ["a list where text is meant", { file: "socket: [a]" }, /\["a"\] is not a value for socket/],
      [
        "a socket path that is too long",
        { flags: { socket: `/${"s".repeat(107)}` } },
        /--socket: .* at most 107 bytes/,
      ],
      ["an unknown level", { env: { PALLET_LOG_LEVEL: "loud" } }, /give one of trace, debug, info, warn, error, fatal/],
      [
        "a boot path that leaves the tree",
        { file: "bootProfile: {agent: {kernel: ../vmlinuz}}" },
        /bootProfile\.agent\.kernel; give a path relative to bootTree/,
      ],
      ["an absolute boot path", { file: "bootProfile: {agent: {initrd: /initrd}}" }, /bootProfile\.agent\.initrd/],
      [
        "words with spaces",
        { file: "bootProfile: {local: {append: ['a b']}}" },
        /\["a b"\] is not a value for bootProfile\.local\.append/,
      ],
      [
        "a policy for firmware that nobody knows",
        { flags: { bootProfileCardFirmware: "delete" } },
        /--boot-profile-card-firmware: "delete" .* give one of auto, rename, reformat, keep/,
      ],
      [
        "a rate without a unit",
        { file: "limits: {total: 500}" },
        /line 1: 500 is not a value for limits\.total; give a rate/,
      ],
      [
        "a rate in a unit that means two things",
        { flags: { limitsTotal: "500 Mbps" } },
        /as "500 Mbit\/s" or "60 MB\/s"/,
      ],
      ["a rate of next to nothing", { env: { PALLET_LIMITS_PER_NODE: "1 kbit/s" } }, /of at least 64 kbit\/s/],
      ["nobody who may write", { flags: { limitsWriters: "0" } }, /limits\.writers; give a number from 1/],
      ["words in one string", { file: "bootProfile: {local: {append: quiet}}" }, /give a list of words/],
      ["a boolean in quotes", { file: "bootProfile: {menu: 'yes'}" }, /give true or false/],
      ["a misspelt key", { file: "\n\ngrpcprt: 1" }, /line 3: there is no key "grpcprt"; did you mean "grpcPort"\?/],
      [
        "a misspelt key in a group",
        { file: "reimage:\n  bootTimeoutMS: 1" },
        /line 2: there is no key "reimage\.bootTimeoutMS"; did you mean "reimage\.bootTimeoutMs"/,
      ],
      ["a key that resembles none", { file: "colour: red" }, /there is no key "colour"; the keys are stateDirectory, /],
      ["a key that is no text", { file: "? [a]\n: 1" }, /line 1: a key is not a word/],
      ["a key that occurs twice", { file: "listen: 1.2.3.4\nlisten: 1.2.3.5" }, /line 2: a key appears twice/],
      ["a group with a value", { file: "reimage: 5" }, /"reimage" is a group of keys/],
      ["a file that is a list", { file: "- a" }, /the file has no keys/],
      ["bad YAML", { file: "listen: [1" }, /^\/etc\/pallet\/c\.yaml line 1: /],
      [
        "a misspelt variable",
        { env: { PALLET_GRCP_PORT: "1" } },
        /^PALLET_GRCP_PORT: there is no such variable; did you mean PALLET_GRPC_PORT\?/,
      ],
      [
        "all interfaces without a name for nodes",
        { file: "listen: 0.0.0.0" },
        /line 1: listen is 0\.0\.0\.0, which nodes cannot connect to; set advertise \(--advertise, PALLET_ADVERTISE\)/,
      ],
      [
        "all interfaces as the name for nodes",
        { flags: { advertise: "0.0.0.0" } },
        /^--advertise: advertise is 0\.0\.0\.0/,
      ],
      [
        "another address that is none",
        { file: "advertiseAlso: ['http://x']" },
        /is not a value for advertiseAlso; give a/,
      ],
      [
        "all interfaces as another address",
        { file: "advertiseAlso: [10.0.0.1, '0.0.0.0:7700']" },
        /line 1: advertiseAlso has 0\.0\.0\.0:7700, which nodes cannot connect to/,
      ],
      [
        "two services on one port",
        { flags: { grpcPort: "9", httpPort: "9" } },
        /^--http-port: httpPort and grpcPort are both 9/,
      ],
      [
        "DHCP without an interface",
        { file: "listen: 10.0.0.1\ndhcp: {mode: proxy}" },
        /line 2: dhcp\.mode is proxy, so dhcp\.interface must name/,
      ],
      [
        "a range that ends before it begins",
        { file: "listen: 10.0.0.1\ndhcp: {mode: server, interface: eth0, range: [10.0.0.9, 10.0.0.8]}" },
        /dhcp\.range ends before it starts/,
      ],
      [
        "a gateway in another network",
        { file: "listen: 10.0.0.1\ndhcp: {mode: proxy, interface: eth0, subnet: 10.0.0.0/24, gateway: 10.0.1.1}" },
        /10\.0\.1\.1 is not a host address in dhcp\.subnet, 10\.0\.0\.0\/24/,
      ],
      ["an interface that is more", { file: 'dhcp: {interface: "eth0\\nx"}' }, /is not a value for dhcp\.interface/],
      [
        "a DNS server by name",
        { file: "dhcp: {dns: [dns.example]}" },
        /is not a value for dhcp\.dns; give a list of at most 8/,
      ],
      [
        "DHCP for a controller that only itself can reach",
        { file: "dhcp: {mode: proxy, interface: eth0}" },
        /dhcp\.mode is proxy, but nodes cannot reach this machine at 127\.0\.0\.1; set listen/,
      ],
      [
        "a kernel without the initrd that belongs to it",
        { file: "bootProfile: {agent: {kernel: my/Image}}" },
        /kernel is my\/Image, so bootProfile\.agent\.initrd must name the initrd that belongs to it, or none/,
      ],
      [
        "an initrd of another kernel than the one that is built",
        { flags: { bootProfileAgentInitrd: "my/initrd" } },
        /^--boot-profile-agent-initrd: .* bootProfile\.agent\.kernel must name the kernel that it belongs to/,
      ],
      ["a folder that needs quoting", { file: "nfs: {rootfs: 'a b'}" }, /"a b" is not a value for nfs\.rootfs/],
      [
        "a folder in the private /run of nfs-ganesha",
        { file: "listen: 10.0.0.1\nnfs: {mode: ganesha, rootfs: /run/root}" },
        /nfs\.rootfs is in \/run/,
      ],
      [
        "NFS under a host name",
        { file: "advertise: boot.rack\nnfs: {mode: kernel, rootfs: /r}" },
        /only mount their root filesystem from an IPv4 address, but advertise is boot\.rack/,
      ],
    ] as const satisfies [string, Sources, RegExp][]) {
      it(`tells ${name}`, () => {
        const problems = problemsOf(sources);
        assert.equal(problems.length, 1, problems.join("\n"));
        assert.match(problems[0] ?? "", expected);
      });
    }

    it("of hooks are told all at once, each at its place", () => {
      const file = `hooks:
  - {name: Drain, when: before-reimage, command: drain}
  - {name: page, when: sometimes, webhook: "ftp://there", secretFile: /s, timeoutMs: 5, tiemout: 6}
  - {name: a, when: after-proved, command: []}
  - {when: after-failed, labelSelector: "rack>1", webhook: "https://me:secret@there/", secretFile: secret}
  - hook
  - {name: b, when: after-proved, webhook: "http://a:99999/", secretFile: /s}`;
      const at = "/etc/pallet/c.yaml line 1: ";
      assert.deepEqual(
        problemsOf({ file }).map((problem) =>
          problem.replace(at, "").replace(/(?<=: the label selector "rack>1").*/, ""),
        ),
        [
          '"Drain" is not a value for hooks[0].name; give a name of at most 63 small letters, digits and "-"',
          '"drain" is not a value for hooks[0].command; give a list of the program\'s absolute path and its arguments, at most 64 in all',
          '"sometimes" is not a value for hooks[1].when; give one of before-reimage, after-proved, after-configured, after-failed',
          '"ftp://there" is not a value for hooks[1].webhook; give an http or https address of at most 2048 characters',
          "5 is not a value for hooks[1].timeoutMs; give a number of milliseconds from 100 to 86400000 (a day)",
          'hooks[1] has "tiemout", which means nothing there; its keys are name, when, command, webhook, secretFile, labelSelector, gives, timeoutMs',
          "nothing is not a value for hooks[2].command[0]; give an absolute path",
          'nothing is not a value for hooks[3].name; give a name of at most 63 small letters, digits and "-"',
          "hooks[3].webhook: leave user and password out: they would be in every message about it",
          '"secret" is not a value for hooks[3].secretFile; give an absolute path',
          'hooks[3].labelSelector: the label selector "rack>1"',
          '"hook" is not a value for hooks[4]; give a group of keys',
          "hooks[5].webhook: there is no such address",
        ],
      );
    });

    it("of hooks that contradict themselves or each other are told", () => {
      const hook = (more: string): string => `hooks: [{name: a, when: after-proved, ${more}}]`;
      const secret = "secretFile: /etc/pallet/secret";
      for (const [file, problem] of [
        [hook(""), "hooks[0]: a does nothing; give it a command or a webhook"],
        [
          hook(`command: [/a], webhook: "http://a", ${secret}`),
          "hooks[0]: a has a command and a webhook; make two hooks of it",
        ],
        [hook(`command: [/a], ${secret}`), "hooks[0]: a has a secretFile, which only a webhook has; delete it"],
        [hook('webhook: "http://a"'), "hooks[0]: a needs a secretFile: receivers tell by its secret who calls"],
        [
          hook("command: [/a], gives: {secrets: [token]}"),
          'hooks[0]: a gives values, which only a before-reimage hook can; delete "gives"',
        ],
        [hook("command: [/a], gives: {}"), "hooks[0].gives: it names nothing; name what the hook gives, or delete it"],
        [hook("command: [/a], gives: {values: [a, a]}"), "hooks[0].gives: it names one thing twice"],
        [
          hook("command: [/a], gives: {secrets: [Join-Token]}"),
          '"Join-Token" is not a value for hooks[0].gives.secrets[0]; give names of small letters, digits and "_"',
        ],
        ["hooks: {}", "{} is not a value for hooks; give a list of hooks"],
        [
          `hooks:\n${"  - {name: a, when: after-proved, command: [/a]}\n".repeat(2)}`,
          "hooks[1].name: another hook is called a too",
        ],
      ] as const)
        assert.deepEqual(problemsOf({ file }), [`/etc/pallet/c.yaml line 1: ${problem}`]);
    });

    it("are told all at once, whatever their source", () => {
      const problems = problemsOf({
        file: "listen: nowhere\nsocket: 5\ncolour: red",
        env: { PALLET_HTTP_PORT: "x", PALLET_LOGLEVEL: "info" },
        flags: { grpcPort: "-1" },
      });
      assert.equal(problems.length, 6, problems.join("\n"));
      const { reason, message } = configFailure(problems);
      assert.equal(reason, "invalid");
      assert.equal(message.split("\n").length, 7);
      assert.match(message, /^the configuration has 6 problems:\n {2}/);
    });

    it("are not told of variables of other programs", () => {
      configOf({ env: { PALLET_CONFIG: "x", PALLET_ADDRESS: "y", PALLET_DEMO_CACHE: "z", HOME: "/" } });
    });

    it("are not told where the same value is given by a stronger source", () => {
      assert.equal(configOf({ file: "grpcPort: nonsense", flags: { grpcPort: "1" } }).grpcPort, 1);
    });
  });

  describe("documentation", () => {
    it("has an example file that says what is so anyway", () => {
      assert.deepEqual(configOf({ file: exampleConfig }), configOf({}));
    });

    it("names every key in the example, and every flag among the options", () => {
      for (const setting of settingList) {
        assert.ok(exampleConfig.includes(`${setting.key.split(".").at(-1)}:`), setting.key);
        const flag = flagOf(setting);
        if (flag !== undefined)
          assert.ok(
            serveOptions.some(({ flags }) => flags.startsWith(`${flag} ${setting.kind === "boolean" ? "[" : "<"}`)),
            flag,
          );
      }
    });

    it("gives every setting a flag and a variable of its own", () => {
      for (const nameOf of [flagOf, variableOf]) {
        const names = settingList.flatMap((setting) => nameOf(setting) ?? []);
        assert.equal(new Set(names).size, names.length);
      }
    });
  });
});

for (const [title, text, problems] of [
  ["one mistake in YAML that brings many with it", "- [".repeat(20), 11],
  ["an alias without its anchor", "hooks:\n- *a", 1],
  ["a thousand lists in each other", "- ".repeat(1000), 1],
  ["a thousand keys in each other", "? ".repeat(1000), 1],
] as const)
  it(`tells few problems of a config file with ${title}`, () => {
    assert.equal(parseConfigFile(text, "/etc/pallet/c.yaml").problems.length, problems);
  });
