import assert from "node:assert/strict";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { describe, it } from "node:test";
import { status } from "@grpc/grpc-js";
import type { Problem } from "../../../../controller/check/problem.ts";
import { imageNameFromFile } from "../../../../controller/cli/commands/image-name.ts";
import { translateCallError } from "../../../../controller/cli/connection/controller-error.ts";
import { chooseTarget } from "../../../../controller/cli/connection/controller-target.ts";
import { chooseLook } from "../../../../controller/cli/render/style.ts";
import { Failure } from "../../../../proto/failure.ts";
import { assertGolden } from "../../../golden.ts";
import { run } from "./a-console.ts";
import { refusal } from "./a-controller.ts";

const commands = [
  "serve",
  "setup plan",
  "setup apply",
  "setup undo",
  "setup status",
  "status",
  "events",
  "backup",
  "restore",
  "completion",
  "nodes",
  "node show",
  "node logs",
  "node rename",
  "node accept",
  "node forget",
  "boot",
  "reboot",
  "identify",
  "board-report",
  "inventory",
  "disks",
  "mkfs",
  "wipe",
  "unmount",
  "images",
  "images add",
  "images search",
  "images derive",
  "images capture",
  "images show",
  "images remove",
  "reimage",
  "rollouts",
  "rollout show",
  "watch",
  "cancel",
  "rootfs build",
  "rootfs bake",
  "rootfs import",
  "boot-tree build",
];

describe("help", () => {
  it("of the program shows a typical session and the exit codes", async () => {
    const { code, stdout } = await run(["--help"]);
    assert.equal(code, 0);
    assertGolden("cli/help", stdout);
  });

  for (const command of commands)
    it(`of ${command} says what it does and gives an example`, async () => {
      const { code, stdout, stderr } = await run([...command.split(" "), "--help"]);
      assert.deepEqual([code, stderr], [0, ""]);
      assert.match(stdout, new RegExp(`^Usage: controller ${command}\\b`));
      if (command !== "serve") assert.match(stdout, /\nExamples?:\n {2}\$ controller /);
      assert.match(stdout, /--socket <path>/);
    });

  it("is also had by `help COMMAND`", async () => {
    const { code, stdout } = await run(["help", "reimage"]);
    assert.equal(code, 0);
    assert.match(stdout, /^Usage: controller reimage/);
  });

  it("--version prints the version", async () => {
    assert.deepEqual(await run(["--version"]), { code: 0, stdout: "1.2.3\n", stderr: "" });
  });
});

describe("a wrong command line has exit code 2 and does nothing", () => {
  for (const [argv, message] of [
    [[], /Usage: controller/],
    [["nodez"], /unknown command 'nodez'/],
    [["nodes", "--yes"], /unknown option '--yes'/],
    [["images", "bogus"], /unknown command .bogus./],
    [["node"], /Usage: controller node/],
    [["node", "show"], /name the nodes to show/],
    [["node", "accept"], /name the nodes to accept, or give --all/],
    [["node", "accept", "a", "--all"], /not both/],
    [["boot", "rack-1", "sideways"], /Allowed choices are agent, local/],
    [["boot", "rack-1", "agent", "--image", "x"], /--image is only valid with local/],
    [["mkfs", "rack-1", "/dev/sda1", "--type", "ntfs", "--yes"], /Allowed choices are ext4, vfat/],
    [["mkfs", "rack-1", "/dev/sda1"], /there is nobody to confirm it .*: give --yes/],
    [["wipe", "rack-1", "/dev/sda"], /there is nobody to confirm it .*: give --yes/],
    [["identify", "rack-1", "--seconds", "601"], /whole number from 1 to 600/],
    [["identify", "rack-1", "--seconds", "1e2"], /whole number from 1 to 600/],
    [["events", "--limit", "-1"], /whole number/],
    [["reimage"], /name the nodes to reimage, or give --all/],
    [["reimage", "rack-1", "--all"], /not both/],
    [["reimage", "--all"], /there is nobody to confirm it .*: give --yes, or --dry-run/],
    [["images", "add", "/tmp/.img.xz"], /cannot derive a name from "\/tmp\/.img.xz": choose one with --name/],
    [["nodes", "-o", "table"], /Allowed choices are wide, json, yaml, name/],
    [["nodes", "-o", "yaml", "--json"], /cannot be used with option '--json'/],
    [["images", "show", "x", "-o", "yaml"], /-o is for lists: show is none/],
    [["nodes", "--sort-by", "modle"], /Did you mean model\? It is one of name, status/],
    [["nodes", "--sort-by", "label:"], /"" cannot be the key of a label/],
    [["inventory"], /give --list, or --host NAME, as Ansible does/],
    [["inventory", "--list", "--host", "x"], /cannot be used with/],
    [["nodes", "--server", "here:"], /"here:" is not HOST or HOST:PORT/],
    [["nodes", "--server", "a:1", "--socket", "/x"], /cannot be used with/],
  ] as const)
    it(argv.join(" ") || "(nothing)", async () => {
      const { code, stdout, stderr } = await run(argv, { socket: "/nonexistent/controller.sock" });
      assert.equal(code, 2, stderr);
      assert.equal(stdout, "");
      assert.match(stderr, message);
    });
});

describe("a controller that cannot be reached", () => {
  it("at its socket: says how to start it or to say where it is", async () => {
    const { code, stdout, stderr } = await run(["nodes"], { socket: "/nonexistent/controller.sock" });
    assert.deepEqual([code, stdout], [1, ""]);
    assert.equal(
      stderr,
      'error: no controller answers at /nonexistent/controller.sock: start it with "controller serve", or say ' +
        "where it is, with --socket PATH (or PALLET_SOCKET) or --server HOST --bundle FILE\n",
    );
  });

  it("at an address: says so", async () => {
    const { stderr } = await run(["watch", "x", "--server", "127.0.0.1:1"]);
    assert.match(
      stderr,
      /^error: no controller answers at 127\.0\.0\.1:1: start it with "controller serve", or correct/,
    );
  });

  it("for programs: as JSON on stderr", async () => {
    const { stderr } = await run(["nodes", "--json"], { socket: "/nonexistent/controller.sock" });
    assert.equal(JSON.parse(stderr).error.reason, "internal");
  });

  it("because of the socket's permissions: says to be root", async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), "pallet-cli-"));
    try {
      await chmod(folder, 0o700);
      const error = Object.assign(new Error("x"), {
        code: status.UNAVAILABLE,
        details: `No connection established. Last error: connect EACCES ${folder}/controller.sock.`,
      });
      const translated = translateCallError(error, `unix:${folder}/controller.sock`, "ListNodes");
      assert.equal(translated.message, `permission denied: ${folder}/controller.sock; run this as root (sudo)`);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("errors of calls", () => {
  const translate = (code: status, details: string) =>
    translateCallError(Object.assign(new Error(details), { code, details }), "unix:/s", "ListNodes");

  it("say what each status means, and whether repeating makes sense", () => {
    for (const [code, details, message, isLost] of [
      [status.UNAVAILABLE, "Connection dropped", /connection to the controller broke/, true],
      [status.CANCELLED, "Call cancelled", /shutting down or has crashed/, true],
      [status.DEADLINE_EXCEEDED, "", /did not answer ListNodes in time/, true],
      [status.NOT_FOUND, "no node x", /^no node x$/, false],
      [status.PERMISSION_DENIED, "", /refused ListNodes \(PERMISSION_DENIED\)/, false],
      [status.INTERNAL, "Received RST_STREAM with code 2", /ListNodes failed: Received RST_STREAM/, true],
      [status.UNKNOWN, "TypeError", /ListNodes failed: TypeError/, false],
    ] as const) {
      const error = translate(code, details);
      assert.match(error.message, message);
      assert.equal("isConnectionLost" in error && error.isConnectionLost, isLost, `${status[code]}`);
    }
  });

  it("carry the failure that the controller sent along: reason, message and evidence", () => {
    const failure = new Failure("too-small", "the card is too small", { expected: "2 GiB", found: "1 GiB" });
    const sent = Object.assign(new Error(), refusal(status.FAILED_PRECONDITION, failure));
    const error = translateCallError(sent, "unix:/s", "X");
    assert.ok(error instanceof Failure);
    assert.deepEqual(
      [error.reason, error.message, error.evidence],
      [failure.reason, failure.message, failure.evidence],
    );
    assert.equal(error.cause, sent);
  });

  it("tell a controller that shuts down from one that refuses", () => {
    const closing = refusal(status.UNAVAILABLE, new Failure("node-silent", "the controller is shutting down"));
    const error = translateCallError(Object.assign(new Error(), closing), "unix:/s", "X");
    assert.equal("isConnectionLost" in error && error.isConnectionLost, true);
  });
});

describe("where the controller is", () => {
  for (const [options, env, name, bundle] of [
    [{}, {}, "unix:/run/pallet/controller.sock"],
    [{}, { PALLET_SOCKET: "" }, "unix:/run/pallet/controller.sock"],
    [{}, { PALLET_SOCKET: "/a" }, "unix:/a"],
    [{}, { PALLET_SOCKET: "/a", PALLET_SERVER: "h:1", PALLET_BUNDLE: "/e" }, "h:1", "/e"],
    [{ bundle: "/b" }, { PALLET_SERVER: "h", PALLET_BUNDLE: "/e" }, "h:7700", "/b"],
    [{ socket: "/b" }, { PALLET_SOCKET: "/a", PALLET_SERVER: "h:1", PALLET_BUNDLE: "/e" }, "unix:/b"],
    [{ server: "[fd00::1]:7700" }, { PALLET_SOCKET: "/a" }, "[fd00::1]:7700"],
  ] as const)
    it(`${JSON.stringify(options)} ${JSON.stringify(env)}: ${name}`, () => {
      assert.deepEqual(chooseTarget(options, env), { name, ...(bundle !== undefined && { bundle }) });
    });
  for (const server of ["dns:///x", "host:", "host:port", "fd00::1:7700", "unix:/x", "a b:1"])
    it(`refuses ${server}`, () => {
      assert.throws(() => chooseTarget({ server }, {}), /is not HOST or HOST:PORT/);
    });
  it("refuses a bundle for this machine's own", () => {
    assert.throws(() => chooseTarget({ bundle: "/b" }, {}), /--bundle is for a controller elsewhere/);
  });
});

describe("names of images from names of files", () => {
  for (const [file, name] of [
    ["debian-12.img.xz", "debian-12"],
    ["/srv/Raspios Lite (arm64) 2024-11-19.img.gz", "raspios-lite-arm64-2024-11-19"],
    ["image.zst", "image"],
    ["ubuntu-24.04.3-preinstalled-server-arm64+raspi.img", "ubuntu-24.04.3-preinstalled-server-arm64-raspi"],
    ["_x.raw", "x"],
    [`${"a".repeat(80)}.img`, "a".repeat(63)],
    [".img.xz", undefined],
    ["-", undefined],
    ["", undefined],
  ] as const)
    it(`${file || "(empty)"}: ${name}`, () => {
      assert.equal(imageNameFromFile(file), name);
    });
});

it("characters beyond ASCII are used unless the locale or the terminal cannot show them", () => {
  const output = { isTerminal: true, size: () => ({ columns: 80 }) };
  const unicode = (env: Record<string, string>) => chooseLook(env, output).unicode;
  assert.deepEqual(
    [
      {},
      { LANG: "de_DE.UTF-8" },
      { LANG: "C.utf8" },
      { LANG: "C" },
      { LC_ALL: "POSIX", LANG: "C.UTF-8" },
      { TERM: "linux" },
    ].map(unicode),
    [true, true, true, false, false, false],
  );
});

describe("serve", () => {
  const options = [
    { flags: "--socket <path>", description: "socket" },
    { flags: "--config <file>", description: "file" },
    { flags: "--menu", description: "menu" },
  ];

  const unexpected = () => Promise.reject(new Error("that was not asked for"));

  it("installs what its configuration needs with --install, before it serves", async () => {
    const done: unknown[] = [];
    const serve = {
      options: [{ flags: "--config <file>", description: "the file" }],
      run: async (values: unknown) => void done.push(["run", values]),
      check: unexpected,
      install: async (values: unknown, log: (line: string) => void) => {
        done.push(["install", values]);
        log("installing dnsmasq-base");
      },
    };
    const { stderr, code } = await run(["serve", "--install", "--config", "c.yaml"], { serve });
    assert.deepEqual([stderr, code], ["installing dnsmasq-base\n", 0]);
    assert.deepEqual(
      done,
      ["install", "run"].map((name) => [name, { config: "c.yaml" }]),
    );
  });

  it("lists what keeps nodes from booting with --check, each with its remedy, and ends with exit code 1", async () => {
    const given: unknown[] = [];
    const problems: Problem[] = [
      {
        part: "ports",
        message: "dnsmasq (pid 7) holds UDP port 69 (TFTP)",
        remedy: "systemctl disable --now dnsmasq",
        isFatal: true,
      },
      { part: "boot tree", message: "nothing was built in /b", remedy: "controller boot-tree build", isFatal: false },
    ];
    const unserved = [{ boards: ["Pi 5 (C1)"], missing: ["a.dtb"], remedy: "build it" }];
    const check = async (values: unknown) => {
      given.push(values);
      return { problems, warnings: [], unserved, kernel: { path: "agent/vmlinuz" } };
    };
    const serve = { options, run: unexpected, check, install: unexpected };
    assert.deepEqual(await run(["serve", "--check", "--config", "c.yaml"], { serve }), {
      code: 1,
      stdout: [
        "2 problems keep nodes from booting",
        "",
        "ports: dnsmasq (pid 7) holds UDP port 69 (TFTP)",
        "  remedy: systemctl disable --now dnsmasq",
        "",
        "boot tree: nothing was built in /b",
        "  remedy: controller boot-tree build",
        "",
      ].join("\n"),
      stderr: "",
    });
    assert.deepEqual(given, [{ config: "c.yaml" }]);
    const json = await run(["serve", "--check", "--json"], { serve });
    assert.equal(json.code, 1);
    assert.deepEqual(JSON.parse(json.stdout), {
      isFine: false,
      problems,
      warnings: [],
      unserved,
      kernel: { path: "agent/vmlinuz" },
    });
    problems.splice(0);
    const fine = await run(["serve", "--check"], { serve });
    assert.equal(fine.code, 0);
    assert.match(fine.stdout, /^found nothing that would keep a node from booting\n {2}kernel {2}agent\/vmlinuz\n/);
    assert.ok(
      fine.stdout.endsWith(
        "\nthese boards would not boot into the agent: Pi 5 (C1)\n  missing: a.dtb\n  remedy: build it\n",
      ),
      fine.stdout,
    );
    assert.equal((await run(["serve", "--json"], { serve })).code, 2);
  });

  it("is given its options by name, the program's --socket among them", async () => {
    let given: unknown;
    const serve = {
      options,
      run: async (values: unknown) => {
        given = values;
      },
      check: unexpected,
      install: unexpected,
    };
    const outcome = await run(["serve", "--config", "c.yaml", "--menu", "--socket", "/s"], { serve });
    assert.equal(outcome.code, 0);
    assert.deepEqual(given, { config: "c.yaml", menu: true, socket: "/s" });
  });

  it("ends with exit code 1 and every line of what is wrong with the configuration", async () => {
    const serve = {
      options,
      run: () => Promise.reject(new Failure("invalid", "two problems:\n  a\n  b")),
      check: unexpected,
      install: unexpected,
    };
    assert.deepEqual(await run(["serve"], { serve }), {
      code: 1,
      stdout: "",
      stderr: "error: two problems:\n    a\n    b\n",
    });
  });

  it("is told to stop by its signal, and has then done what it should", async () => {
    let press: ((key: "SIGTERM") => void) | undefined;
    const serve = {
      options,
      run: (_: unknown, signal: AbortSignal) =>
        new Promise<void>((resolve) => {
          signal.addEventListener("abort", () => resolve());
          press?.("SIGTERM");
        }),
      check: unexpected,
      install: unexpected,
    };
    const outcome = run(["serve"], {
      serve,
      onStart: (key) => {
        press = key;
      },
    });
    assert.equal((await outcome).code, 0);
  });
});
