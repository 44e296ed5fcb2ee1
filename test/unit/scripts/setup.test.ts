// The shell scripts that every npm script begins with, where there is no Node 24 yet, or a Node that is too old.
import assert from "node:assert/strict";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { after, before, beforeEach, describe, it } from "node:test";
import { execa } from "execa";

const top = path.resolve(import.meta.dirname, "../../..");
const platform = `linux-${process.arch}`;

/**
 * A checkout with the scripts alone, its npm packages as npm leaves them, and programs that stand in for npm and its
 * Node.
 */
describe("a fresh checkout", () => {
  let folder: string;
  let checkout: string;
  const at = (...names: string[]) => path.join(checkout, ...names);
  const program = (name: string, text: string) =>
    writeFile(path.join(folder, "programs", name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  /** A Node that says this version and platform of itself. */
  const oldNode = (version: string, itsPlatform = platform) =>
    program("node", `case $1 in --version) echo ${version} ;; *) echo ${itsPlatform} ;; esac`);
  const setup = (...words: string[]) =>
    execa("sh", [at("scripts/setup"), ...words], {
      env: { PATH: `${folder}/programs:/usr/bin:/bin`, npm_node_execpath: path.join(folder, "programs/node") },
      extendEnv: false,
      reject: false,
    });

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "pallet-setup-"));
    checkout = path.join(folder, "checkout");
    await mkdir(path.join(folder, "programs"));
  });
  after(() => rm(folder, { recursive: true }));
  beforeEach(async () => {
    await rm(checkout, { recursive: true, force: true });
    await mkdir(at("scripts"), { recursive: true });
    for (const name of ["setup", "launch", "debian-packages"])
      await copyFile(path.join(top, "scripts", name), at("scripts", name));
    await writeFile(at("package-lock.json"), "{}");
    await program(
      "npm",
      `mkdir -p node_modules/.bin node_modules/node-${platform}/bin
       ln -s ${process.execPath} node_modules/node-${platform}/bin/node
       touch node_modules/.package-lock.json`,
    );
  });

  for (const version of ["v18.20.4", "v19.9.0", "v8.17.0"])
    it(`says in one line that ${version} is too old, and how to get another, and installs nothing`, async () => {
      await oldNode(version);
      const { exitCode, stderr, stdout } = await setup("run");
      assert.equal(exitCode, 1);
      assert.equal(stdout, "");
      assert.match(
        stderr,
        new RegExp(
          `^setup: Pallet needs Node\\.js 20 or later; this is ${version} \\(.*\\)\\. Install it from \\S+, or with: npm install .+$`,
        ),
      );
      assert.deepEqual(await readdir(checkout), ["package-lock.json", "scripts"]);
    });

  it("says that Node is missing", async () => {
    await rm(path.join(folder, "programs/node"), { force: true });
    const { exitCode, stderr } = await setup("npm");
    assert.equal(exitCode, 1);
    assert.match(stderr, /^setup: Pallet needs Node\.js 20 or later, and npm; install them from \S+$/);
  });

  // npm 9 and 10, which come with Node 20 (https://github.com/npm/cli/issues/4362).
  it("gets Node 24 into its search path although npm removed the link to it", async () => {
    await oldNode("v20.20.2");
    const { exitCode, stderr } = await setup("npm");
    assert.equal(exitCode, 0, stderr);
    const { stdout } = await execa(at("node_modules/.bin/node"), ["--version"]);
    assert.equal(stdout, process.version);
    assert.deepEqual((await setup("npm")).stderr, "", "a second run has nothing to say");
  });

  for (const [title, lacks, missing] of [
    ["asks for a package that is missing", ["kubernetes-client", "kubectl"], "kubernetes-client"],
    ["is content with another one that will do", ["kubernetes-client"], undefined],
  ] as const)
    it(title, async () => {
      await oldNode("v20.20.2");
      const absent = lacks.map((name) => `${name}) ;;`).join(" ");
      await program(
        "dpkg-query",
        `for name; do case $name in -*) ;; ${absent} *) echo "installed $name" ;; esac; done`,
      );
      await program("id", "echo 1000");
      const { exitCode, stderr } = await setup("test");
      assert.equal(exitCode, 0, stderr);
      const [, asked] = /--no-install-recommends (.*)$/m.exec(stderr) ?? [];
      assert.equal(asked, missing);
    });

  it("says that there is no Node 24 for a platform", async () => {
    await oldNode("v20.20.2", "linux-arm");
    const { exitCode, stderr } = await setup("npm");
    assert.equal(exitCode, 1);
    assert.match(
      stderr,
      /^setup: Pallet comes with Node\.js 24 .* linux-x64 and linux-arm64 only; this is linux-arm$/m,
    );
  });

  it("says that the Node 24 it brings does not start on a system without glibc", async () => {
    await oldNode("v20.20.2");
    await program("npm", "mkdir -p node_modules/.bin; touch node_modules/.package-lock.json");
    await mkdir(at("node_modules/.bin"), { recursive: true });
    await writeFile(at("node_modules/.bin/node"), "#!/lib/ld-musl.so\n", { mode: 0o755 });
    const { exitCode, stderr } = await setup("npm");
    assert.equal(exitCode, 1);
    assert.match(stderr, /^setup: the Node\.js 24 that comes with Pallet does not start here; it needs glibc/m);
  });

  it("shows help without installing anything, without even a Node", async () => {
    await writeFile(at("scripts/demo.help"), "the help\n");
    for (const words of [["--help"], ["--nodes", "3", "-h"]]) {
      const { exitCode, stdout, stderr } = await execa(
        "sh",
        [at("scripts/launch"), "run", "node", "scripts/demo.ts", ...words],
        { env: { PATH: "/usr/bin:/bin", npm_node_execpath: "/nowhere" }, extendEnv: false, reject: false },
      );
      assert.deepEqual([exitCode, stdout, stderr], [0, "the help", ""]);
    }
    assert.deepEqual(await readdir(checkout), ["package-lock.json", "scripts"]);
  });

  it("starts a program with its arguments, on the Node that it brought, and ends as that does", async () => {
    await oldNode("v20.20.2");
    const text = "console.log(process.version, process.argv.slice(2).join()); process.exitCode = 7;";
    await writeFile(at("scripts/program.ts"), text);
    const { exitCode, stdout, stderr } = await execa(
      "sh",
      [at("scripts/launch"), "npm", "node", "scripts/program.ts", "a b", "--", "--help"],
      {
        env: { PATH: `${folder}/programs:/usr/bin:/bin`, npm_node_execpath: path.join(folder, "programs/node") },
        extendEnv: false,
        reject: false,
      },
    );
    assert.deepEqual([exitCode, stdout], [7, `${process.version} a b,--,--help`], stderr);
  });
});

describe("the scripts of package.json", () => {
  it("begin with the launcher, and have a page of help or a program that tells its own", async () => {
    const { scripts } = JSON.parse(await readFile(path.join(top, "package.json"), "utf8")) as {
      scripts: Record<string, string>;
    };
    const telling = ["controller/main.ts", "agent/main.ts", "check"];
    for (const [name, command] of Object.entries(scripts)) {
      const [, program = ""] = /^exec sh scripts\/launch \w+ \w+ (\S+)/.exec(command) ?? [];
      assert.notEqual(program, "", `${name}: ${command}`);
      if (telling.includes(program)) continue;
      const help = await readFile(path.join(top, program.replace(/\.ts$/, ".help")), "utf8");
      assert.match(help, new RegExp(`^npm (run )?${name}\\b`), name);
    }
  });
});
