import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { describeProgram, renderManual, shareFiles } from "../../../../controller/cli/share-files.ts";
import { everyCommand } from "../../../../controller/cli/tree/command-shape.ts";
import { settingList } from "../../../../controller/config/settings.ts";
import { execa } from "../../../../proto/linux/leashed-execa.ts";
import { requires } from "../../../requirements.ts";

const edition = { version: "1.2.3", date: "2026-11-30" };
const manual = renderManual(edition);
const textOf = (name: string) => manual.find((page) => page.name === name)?.text ?? "";

describe("the manual", () => {
  it("has a page for the program, for each of its commands, and for the config file", () => {
    const { commands } = describeProgram();
    const names = commands.map(({ words }) => words.join("-")).filter((name) => name !== "controller-help");
    assert.deepEqual(
      manual.map(({ name, section }) => `${name}(${section})`),
      ["controller(1)", ...names.map((name) => `${name}(1)`), "pallet.yaml(5)"],
    );
  });

  it("tells every command, option and example", () => {
    const unescaped = manual.map(({ text }) => text.replaceAll("\\-", "-").replaceAll(/\\f[BRI]/g, "")).join("\n");
    for (const { words, options, commands } of everyCommand(describeProgram())) {
      if (words.at(-1) === "help") continue;
      assert.ok(commands.length > 0 || unescaped.includes(words.join(" ")), words.join(" "));
      for (const { long = "" } of options) assert.ok(unescaped.includes(long), long);
    }
  });

  it("tells every setting with its default, its flag and its variable", () => {
    const page = textOf("pallet.yaml").replaceAll("\\-", "-");
    for (const { key } of settingList) assert.ok(page.includes(`\\fB${key}\\fR\n`), key);
    assert.match(
      page,
      /\\fBgrpcPort\\fR\n(?:.+\n)+?Default: 7700\.\n\.br\nAlso \\fB--grpc-port\\fR, or \\fBPALLET_GRPC_PORT\\fR/,
    );
  });

  it("is the same for the same version and date, and plain ASCII", () => {
    assert.deepEqual(renderManual(edition), manual);
    for (const { name, text } of manual) assert.match(text, /^[\n\x20-\x7e]*$/, name);
  });
});

describe("the files of a package", requires("manual"), () => {
  let folder = "";
  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), "pallet-share-"));
    for (const [file, content] of shareFiles(edition)) {
      await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
      await writeFile(path.join(folder, file), content);
    }
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const pages = [...shareFiles(edition).keys()].filter((file) => file.startsWith("man/"));

  it("are the manual, and completions where the shells look for them", () => {
    const others = [...shareFiles(edition).keys()].filter((file) => !pages.includes(file));
    assert.deepEqual(others, [
      "bash-completion/completions/controller",
      "zsh/vendor-completions/_controller",
      "fish/vendor_completions.d/controller.fish",
    ]);
    assert.ok(pages.includes("man/man1/controller-reimage.1") && pages.includes("man/man5/pallet.yaml.5"));
  });

  it("are pages in which mandoc finds nothing to complain of", async () => {
    const { stdout } = await execa("mandoc", ["-Tlint", "-W", "style", ...pages], { cwd: folder, reject: false });
    // lexgrog(1) wants a name and its summary on one line, however long.
    const complaints = stdout
      .split("\n")
      .filter((line) => line !== "" && !/:4:\d+: STYLE: input text line longer/.test(line));
    assert.deepEqual(complaints, []);
  });

  it("are pages of which groff warns in no way", async () => {
    for (const page of pages) {
      const { stderr } = await execa("groff", ["-ww", "-man", "-Tutf8", "-z", page], { cwd: folder });
      assert.equal(stderr, "", page);
    }
  });

  it("are pages that man shows and whatis knows", async () => {
    const { stdout, stderr } = await execa("man", ["--warnings", "-l", "man/man1/controller-reimage.1"], {
      cwd: folder,
      env: { MANWIDTH: "100", LC_ALL: "C.UTF-8" },
    });
    assert.equal(stderr, "");
    // The minus of an option is one that can be copied, not a hyphen.
    assert.match(stdout, /^ {7}--no-resident$/m);
    assert.match(stdout, /^ {7}controller reimage --all --disk 'nvme,size>200GB'$/m);
    for (const heading of [
      "NAME",
      "SYNOPSIS",
      "DESCRIPTION",
      "OPTIONS",
      "EXAMPLES",
      "EXIT STATUS",
      "FILES",
      "SEE ALSO",
    ])
      assert.match(stdout, new RegExp(`^${heading}$`, "m"));
    const whatis = await execa("lexgrog", pages, { cwd: folder });
    assert.equal(whatis.stdout.split("\n").length, pages.length);
  });
});
