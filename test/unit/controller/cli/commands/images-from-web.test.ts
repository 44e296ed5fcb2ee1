import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { Failure } from "../../../../../proto/failure.ts";
import type { AddImageHeader, AddImageRequest } from "../../../../../proto/gen/pallet/v1/controller.ts";
import { anImage } from "../a-catalogue.ts";
import { jsonLines, run } from "../a-console.ts";
import { type AController, refusal, startController } from "../a-controller.ts";
import { type AWebServer, sendFile, startWebServer } from "../download/a-web-server.ts";
import { aGroup, aList, anEntry } from "../os-list/a-list.ts";

const content = randomBytes(2 * 2 ** 20 + 17);
const sha256 = createHash("sha256").update(content).digest("hex");
const other = "ab".repeat(32);

let folder: string;
let controller: AController;
let web: AWebServer;
/** What the web server has, by path; the image breaks off after some bytes once if asked. */
let files: Map<string, string | Buffer>;
let breakAfter: number | undefined;
/** The calls that came to their end. */
let taken: { header: AddImageHeader | undefined; bytes: Buffer }[];
let begun: number;
/** Whether the controller refuses what comes first. */
let refuses: boolean;

before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "pallet-cli-"));
});
after(() => rm(folder, { recursive: true }));
beforeEach(async () => {
  files = new Map<string, string | Buffer>([["/images/Debian%2013.img.xz", content]]);
  breakAfter = undefined;
  taken = [];
  begun = 0;
  refuses = false;
  web = await startWebServer((request, response) => {
    const file = files.get(request.url?.split("?")[0] ?? "");
    if (file === undefined) return void response.writeHead(404).end("not here");
    sendFile(request, response, Buffer.from(file), { breakAfter });
    if (file === content) breakAfter = undefined;
  });
  controller = await startController({
    addImage: (call) => {
      void (async () => {
        begun += 1;
        const got = { header: undefined as AddImageHeader | undefined, bytes: Buffer.alloc(0) };
        for await (const { part } of call as AsyncIterable<AddImageRequest>) {
          if (part?.$case === "header") got.header = part.value;
          if (refuses && part?.$case === "chunk") {
            call.emit("error", refusal(status.INVALID_ARGUMENT, new Failure("invalid", "it has no root partition")));
            return;
          }
          if (part?.$case === "chunk") got.bytes = Buffer.concat([got.bytes, part.value]);
          const received = { done: BigInt(got.bytes.length), total: got.header?.fileBytes ?? 0n };
          call.write({ part: { $case: "progress", value: { step: "receiving", received } } });
        }
        // As the real door: that it was cut off is told a moment after the end.
        await delay(20);
        if (call.cancelled) return;
        taken.push(got);
        const digest = got.header?.imageDigest === other ? "cd".repeat(32) : got.header?.imageDigest;
        call.write({
          part: { $case: "image", value: { ...anImage, name: got.header?.name ?? "", ...(digest && { digest }) } },
        });
        call.end();
      })().catch(() => {});
    },
  });
});
afterEach(async () => {
  await web.close();
  await controller.close();
});

const images = (...argv: readonly string[]) => run(["images", ...argv], { socket: controller.socket });
const image = () => web.url("/images/Debian%2013.img.xz");

describe("images add URL", () => {
  it("sends the file on as it comes, with its length, under a name made from the address", async () => {
    const { code, stdout, stderr } = await images("add", `${image()}?key=secret`);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.equal(taken[0]?.header?.name, "debian-13");
    assert.equal(taken[0]?.header?.fileBytes, BigInt(content.length));
    assert.ok(taken[0]?.bytes.equals(content));
    assert.match(stdout, /debian-13: receiving.*\nadded debian-13/);
  });

  it("goes on when the transfer breaks, and tells it", async () => {
    breakAfter = 1_000_000;
    const { code, stderr } = await images("add", image(), "--sha256", sha256.toUpperCase(), "--name", "x");
    assert.equal(code, 0);
    assert.match(
      stderr,
      /^the transfer of http.*Debian%2013\.img\.xz broke off after 1000000 bytes \(.*\); going on in 1 s, try 1 of 8\n$/,
    );
    assert.ok(taken[0]?.bytes.equals(content));
  });

  it("tells that on a line of its own on a terminal", async () => {
    breakAfter = 1_000_000;
    const terminal = { columns: 100, rows: 30 };
    const { code, stderr } = await run(["images", "add", image()], { socket: controller.socket, terminal });
    assert.equal(code, 0);
    assert.match(stderr, /^the transfer of .* try 1 of 8\n$/);
  });

  it("ends the call before its end when the file has another digest", async () => {
    const { code, stderr } = await images("add", image(), "--sha256", other);
    assert.equal(code, 1);
    assert.match(stderr, /Debian%2013\.img\.xz has another SHA-256 than was given for it, so nothing was made of it/);
    assert.match(stderr, new RegExp(`expected: ${other}\n  found: {4}${sha256}`));
    assert.deepEqual([begun, taken.length], [1, 0]);
  });

  it("checks the digest of a file, too", async () => {
    const file = path.join(folder, "a.img.xz");
    await writeFile(file, content);
    assert.equal((await images("add", file, "--sha256", sha256)).code, 0);
    assert.equal((await images("add", file, "--sha256", other)).code, 1);
    assert.equal(taken.length, 1);
  });

  it("takes a block map only where it is named, from the web too", async () => {
    files.set("/images/Debian%2013.img.bmap", "beside");
    files.set("/map", "named");
    await images("add", image());
    await images("add", image(), "--bmap", web.url("/map"));
    assert.deepEqual(
      taken.map(({ header }) => String(Buffer.from(header?.blockMap ?? []))),
      ["", "named"],
    );
  });

  for (const [title, argv, code, message] of [
    ["is not there", () => ["add", web.url("/none.img")], 1, /404, there is no such file: check the address/],
    ["has no name", () => ["add", web.url("/")], 2, /cannot derive a name from "": choose one with --name/],
    ["has credentials", () => ["add", "https://me:hunter2@host/a.img"], 2, /host\/a\.img was given with credentials/],
    ["has another scheme", () => ["add", "ftp://host/a.img"], 2, /"ftp:" is neither a path nor http or https/],
    ["has a digest that is none", () => ["add", image(), "--sha256", "abc"], 2, /Give 64 hexadecimal digits/],
    ["has a block map that is not there", () => ["add", image(), "--bmap", web.url("/no.bmap")], 1, /no\.bmap: .*404/],
  ] as const)
    it(`sends nothing when the address ${title}`, async () => {
      const outcome = await images(...argv());
      assert.equal(outcome.code, code, outcome.stderr);
      assert.match(outcome.stderr, message);
      assert.doesNotMatch(outcome.stderr + outcome.stdout, /hunter2/);
      assert.equal(begun, 0);
    });

  it("ends at once when the controller refuses the image while nothing more comes", async () => {
    refuses = true;
    const silent = await startWebServer((_, response) => {
      response.writeHead(200, { "content-length": content.length }).write(content.subarray(0, 1000));
    });
    try {
      const { code, stderr } = await images("add", silent.url("/a.img"));
      assert.deepEqual([code, stderr], [1, "error: it has no root partition\n"]);
      assert.equal(silent.asked.length, 1);
    } finally {
      await silent.close();
    }
  });

  it("stops at Ctrl-C while it waits for the server", async () => {
    breakAfter = 1000;
    const { code } = await run(["images", "add", image()], {
      socket: controller.socket,
      onWrite: ({ stderr }, press) => {
        if (stderr.includes("broke off")) press("SIGINT");
      },
    });
    assert.deepEqual([code, taken.length], [130, 0]);
  });
});

describe("images add --from LIST", () => {
  const listed = (parts: Readonly<Record<string, unknown>>) => {
    files.set(
      "/list.json",
      aList(aGroup("Group", anEntry({ name: "Deb", url: "images/Debian%2013.img.xz", ...parts }))),
    );
    return web.url("/list.json");
  };
  const good = { image_download_sha256: sha256, extract_sha256: "cd".repeat(32), bmap_url: "/map" };

  it("sends the image with the digest that it must have, and its block map, and says what the list says", async () => {
    files.set("/map", "of the list");
    const { code, stderr } = await images("add", "deb", "--from", listed(good));
    assert.equal(code, 0, stderr);
    assert.equal(taken[0]?.header?.name, "debian-13");
    assert.equal(taken[0]?.header?.imageDigest, "cd".repeat(32));
    assert.equal(String(Buffer.from(taken[0]?.header?.blockMap ?? [])), "of the list");
    assert.match(
      stderr,
      /^From the list: Group \/ Deb \(released 2026-11-01; devices: pi5-64bit, pi4-64bit; init_format: cloudinit-rpi\)\.\nUsing the block map http.*\/map\.\n$/,
    );
  });

  it("with --json tells what the list says with the image", async () => {
    const { stdout } = await images("add", "Group / Deb", "--from", listed(good), "--no-bmap", "--json");
    const last = jsonLines(stdout).at(-1);
    assert.equal(last?.["type"], "image-added");
    assert.partialDeepStrictEqual(last, { listed: { path: "Group / Deb", initFormat: "cloudinit-rpi" } });
    assert.equal(taken[0]?.header?.blockMap.length, 0);
  });

  it("needs no network for a list and an image in a folder", async () => {
    await writeFile(path.join(folder, "here.img.xz"), content);
    const list = path.join(folder, "list.json");
    const entry = { name: "Here", url: "here.img.xz", image_download_sha256: sha256, extract_sha256: "cd".repeat(32) };
    await writeFile(list, aList(anEntry(entry)));
    const { code, stderr } = await images("add", "here", "--from", list);
    assert.equal(code, 0, stderr);
    assert.equal(taken[0]?.header?.name, "here");
    assert.deepEqual(web.asked, []);
  });

  it("says so when the list has no digest, and then believes its length at least", async () => {
    const none = { image_download_sha256: "", extract_sha256: "" };
    const wrong = await images("add", "deb", "--from", listed(none));
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /is not what the list says, and the list has no digest of it/);
    const right = await images("add", "deb", "--from", listed({ ...none, image_download_size: content.length }));
    assert.equal(right.code, 0);
    assert.match(right.stderr, /note: the list has no digest of this image/);
    assert.equal(begun, 1);
  });

  it("says what to do when the controller does not know that an image must have a digest", async () => {
    const { code, stderr } = await images(
      "add",
      "deb",
      "--from",
      listed({ ...good, bmap_url: "", extract_sha256: other }),
    );
    assert.equal(code, 1);
    assert.match(stderr, /is older than this program .* remove it with: controller images remove debian-13/);
  });

  for (const [title, parts, message] of [
    [
      "lies about its file",
      { ...good, bmap_url: "", image_download_sha256: other },
      /has another SHA-256 than was given/,
    ],
    ["names a block map that is not there", { ...good, bmap_url: "/none" }, /\/none: .*404/],
    ["names an image that is not there", { ...good, url: "none.img", bmap_url: "" }, /none\.img: .*404/],
    [
      "has an image of an absurd size",
      { ...good, extract_size: 1e30 },
      /list\.json is wrong: "Deb" is left out: its extract_size/,
    ],
    [
      "names a file of this machine",
      { ...good, url: "file:///etc/passwd" },
      /is left out: .* is no address on a web server/,
    ],
  ] as const)
    it(`adds nothing when the list ${title}`, async () => {
      const { code, stderr } = await images("add", "deb", "--from", listed(parts));
      assert.equal(code, 1);
      assert.match(stderr, message);
      assert.deepEqual(taken, []);
    });

  for (const [title, text, message] of [
    ["is no list", "<html>", /cannot use the list http.*\/list\.json: it is no JSON/],
    ["is empty", "", /list\.json is empty/],
    [
      "is too large",
      `{"os_list":[${" ".repeat(5 * 2 ** 20)}]}`,
      /list\.json is too large: it may have at most 4194304 bytes/,
    ],
  ] as const)
    it(`refuses a file that ${title}`, async () => {
      files.set("/list.json", text);
      const { code, stderr } = await images("add", "deb", "--from", web.url("/list.json"));
      assert.equal(code, 1);
      assert.match(stderr, message);
    });
});

describe("images search", () => {
  it("shows what fits as a table, and what was left out", async () => {
    const list = aList(
      aGroup("Group", anEntry({ name: "Deb Lite" }), anEntry({ name: "Deb Full", devices: [] })),
      anEntry({ name: "bad\u001b[2J" }),
      { name: "More", description: "", subitems_url: "more.json" },
    );
    files.set("/list.json", list);
    files.set("/more.json", aList(anEntry({ name: "Deb Other" })));
    const { code, stdout, stderr } = await images("search", "DEB", "pi5", "--from", web.url("/list.json"));
    assert.equal(code, 0);
    assert.match(
      stdout,
      /^NAME +DOWNLOAD +SIZE +RELEASED +INIT +DEVICES +IN\nDeb Lite +477 MiB +1\.86 GiB +2026-11-01 +cloudinit-rpi +pi5-64bit,pi4-64bit +Group\nDeb Other .* More\n$/,
    );
    assert.equal(stderr, 'note: an entry has control characters in its name: "bad\\u001b[2J"\n');
    assert.equal(begun, 0);
  });

  it("with --json gives everything", async () => {
    files.set("/list.json", aList(anEntry({ name: "Deb" }), "nothing"));
    const { stdout } = await images("search", "--from", web.url("/list.json"), "--json");
    const { images: found, problems } = JSON.parse(stdout);
    assert.deepEqual([found[0].name, found[0].extractSha256, found[0].bmapUrl], ["Deb", "ab".repeat(32), null]);
    assert.deepEqual(problems, ["an entry is no object"]);
  });

  it("says when nothing fits, and wants a list", async () => {
    files.set("/list.json", aList());
    const { code, stderr } = await images("search", "x", "--from", web.url("/list.json"));
    assert.deepEqual([code, stderr], [0, 'no image in the list fits "x"\n']);
    assert.equal((await images("search", "x")).code, 2);
  });
});
