import assert from "node:assert/strict";
import path from "node:path";
import fc from "fast-check";
import { judgeContinuation } from "../../../controller/cli/download/judge-continuation.ts";
import { type Location, resolveReference } from "../../../controller/cli/download/location.ts";
import { openDownload } from "../../../controller/cli/download/open-download.ts";
import { parseContentRange } from "../../../controller/cli/download/parse-content-range.ts";
import { parseWebAddress, shownAddress } from "../../../controller/cli/download/parse-web-address.ts";
import { planRedirect } from "../../../controller/cli/download/plan-redirect.ts";
import { parseOsList } from "../../../controller/cli/os-list/parse-os-list.ts";
import { limits } from "../../../proto/limits.ts";
import { foregroundClock } from "../../../proto/time/clock.ts";
import { maxUploadBytes } from "../../../proto/upload-limits.ts";
import { aGroup, aList, anEntry } from "../../unit/controller/cli/os-list/a-list.ts";
import { family, unlessRefused, unlessRejected } from "../frame/family.ts";
import { mutatedText } from "../frame/mutations.ts";
import { hostile } from "./http.ts";

const noWaits = { ...foregroundClock, setTimeout: (callback: () => void) => foregroundClock.setTimeout(callback, 0) };
const mostBytes = 100_000;
const password = "hunter2";

const file: Location = { kind: "file", path: "/srv/images/list.json" };
const web: Location = { kind: "web", url: new URL("https://host/lists/list.json") };

/**
 * What web servers and lists of images send to a command line. Left out: TLS (OpenSSL's), and answers that redirect a
 * real request, because their addresses would lead out of this machine; where they may lead is asked by itself.
 */
export const downloads = [
  family<{ readonly answer: string; readonly pieceBytes: number }>({
    name: "downloads: answers",
    inputs: fc.record({
      answer: mutatedText(
        [
          'HTTP/1.1 200 OK\r\nETag: "x"\r\nContent-Length: 10\r\n\r\n0123456789',
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n",
          "HTTP/1.0 200 OK\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n\r\n0123456789",
          'HTTP/1.1 200 OK\r\nETag: "x"\r\nContent-Length: 20\r\n\r\n0123456789',
          'HTTP/1.1 206 Partial Content\r\nETag: "x"\r\nContent-Range: bytes 10-19/20\r\nContent-Length: 10\r\n\r\n0123456789',
        ],
        {
          words: ["\r\n", "\r\n\r\n", "HTTP/1.1 200 ", "Content-Length: ", "Content-Range: bytes ", "/", "-", "10"],
          maxCharacters: 40_000,
        },
      ),
      pieceBytes: fc.constantFrom(3, 100, 65_536),
    }),
    async check({ answer, pieceBytes }) {
      const state = await hostile();
      Object.assign(state, { answer, pieceBytes: Math.max(pieceBytes, answer.length / 100) });
      await unlessRejected(async () => {
        const download = await openDownload(new URL(`http://127.0.0.1:${state.port}/x`), {
          ...{ signal: new AbortController().signal, clock: noWaits, mostBytes, isVouched: false, idleMs: 5_000 },
          onTrouble: (sentence) => assert.ok(sentence.length < 1_000, sentence),
        });
        let received = 0;
        for await (const part of download.bytes) received += part.length;
        assert.ok(received <= mostBytes);
        if (download.fileBytes > 0) assert.equal(received, download.fileBytes, "it takes a part for the whole");
      });
    },
  }),
  family<string>({
    name: "downloads: ranges",
    inputs: mutatedText(["bytes 10-19/20", "bytes 0-0/*", "bytes */20", "bytes 10-19/999999999999999"], {
      words: ["bytes ", "-", "/", "*", "9007199254740993", " ", "10"],
      maxCharacters: 10_000,
    }),
    check(text) {
      const range = parseContentRange(text);
      if (range === undefined) return;
      const { first, last, totalBytes = Number.MAX_SAFE_INTEGER } = range;
      assert.ok(Number.isSafeInteger(last) && first >= 0 && first <= last && last < totalBytes);
      // Only the part that was asked for is gone on with.
      const begun = { shown: "x", totalBytes: 20, etag: undefined, lastModified: undefined, validator: '"x"' };
      const head = { statusCode: 206, headers: { "content-range": text } };
      if (unlessRefused(() => judgeContinuation(head, begun, 10)) === "goes-on")
        assert.ok(first === 10 && last < 20 && (range.totalBytes ?? 20) === 20, text);
    },
  }),
  family<string>({
    name: "downloads: addresses",
    inputs: mutatedText(
      [
        "https://host/a.img?b#c",
        `https://me:${password}@host/a.img`,
        "http://[::1]:80/a",
        "//host/a",
        "../../etc/passwd",
        "file:///srv/images/a%20b",
        "sub/a.img",
        "internal://format",
      ],
      {
        words: ["http://", "https://", "file:", "..", "/", "\\", "@", ":", "%2f", "%00", "\0", "\r\n"],
        maxCharacters: 9_000,
      },
    ),
    check(text) {
      const url = unlessRefused(() => parseWebAddress(text));
      if (url !== undefined) {
        assert.ok(/^https?:$/.test(url.protocol) && url.username === "" && url.password === "");
        assert.ok(shownAddress(url).length <= 300);
      }
      const next = unlessRefused(() => planRedirect({ statusCode: 302, headers: { location: text } }, web.url, 0));
      if (next !== undefined) assert.ok(next.protocol === "https:" && next.username === "" && next.password === "");
      const beside = unlessRefused(() => resolveReference(file, text));
      if (beside?.kind === "file")
        assert.ok(beside.path.startsWith("/srv/images/") && path.resolve(beside.path) === beside.path, beside.path);
      assert.notEqual(unlessRefused(() => resolveReference(web, text))?.kind, "file");
    },
  }),
  family<string>({
    name: "downloads: lists",
    inputs: mutatedText(
      [
        aList(anEntry(), aGroup("Group", anEntry({ bmap_url: "a.bmap" }), aGroup("Inner", anEntry()))),
        aList({ name: "More", description: "", subitems_url: "more.json" }, anEntry({ url: "internal://format" })),
        `{"os_list":${"[".repeat(50)}${"]".repeat(50)}}`,
      ],
      {
        words: [
          '"',
          "{",
          "}",
          "[",
          "]",
          ",",
          ":",
          "null",
          "1e999",
          "-1",
          '"subitems":',
          '"url":',
          "\\u0000",
          '"os_list":[',
        ],
        // V8 clears away late what JSON.parse of nested brackets leaves (a plateau of 0.8 GiB with 100,000 characters),
        // which would count as memory taken. One list as long as the door lets in is in parse-os-list.test.ts.
        maxCharacters: 20_000,
      },
    ),
    check(text) {
      const list = unlessRefused(() => parseOsList(text, ["Above"]));
      if (list === undefined) return;
      const { listEntries, listDepth, listTextCharacters, listDevices } = limits.downloads;
      assert.ok(list.items.length + list.problems.length <= listEntries.most + 1);
      for (const problem of list.problems) assert.ok(problem.text.length <= 1_000, problem.text);
      for (const item of list.items) {
        const within = item.kind === "image" ? item.entry.within : item.within;
        assert.ok(within.length <= listDepth.most && within[0] === "Above");
        if (item.kind !== "image") continue;
        const { name, description, extractBytes, downloadBytes, extractSha256, downloadSha256, devices } = item.entry;
        assert.match(name, /^[^\p{Cc}]+$/u);
        assert.ok(name.length <= listTextCharacters.most && description.length <= listTextCharacters.most);
        for (const bytes of [extractBytes, downloadBytes])
          assert.ok(bytes === undefined || (Number.isInteger(bytes) && bytes > 0 && bytes <= maxUploadBytes));
        for (const digest of [extractSha256, downloadSha256])
          assert.ok(digest === undefined || /^[0-9a-f]{64}$/.test(digest));
        assert.ok(devices.length <= listDevices.most && devices.every((word) => word.length <= 64));
      }
    },
  }),
];
