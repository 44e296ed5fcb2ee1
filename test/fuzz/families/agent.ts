import assert from "node:assert/strict";
import fc from "fast-check";
import { parseExtSuperblock } from "../../../agent/card/parse-ext-superblock.ts";
import { planExtGrowth } from "../../../agent/card/plan-ext-growth.ts";
import { renderCardTable } from "../../../agent/card/render-card-table.ts";
import { replaceIds } from "../../../agent/card/replace-ids.ts";
import { checkPartialResponse, TemporaryError } from "../../../agent/fetch/check-partial-response.ts";
import { maxHeadBytes, parseResponseHead, readContentLength } from "../../../agent/fetch/parse-response-head.ts";
import { parseCpuinfo, parseDeviceTreeString, selectBoard } from "../../../agent/inventory/parse-board.ts";
import { parseLinkDump } from "../../../agent/inventory/parse-link-dump.ts";
import { parseLsblk, selectColumns } from "../../../agent/inventory/parse-lsblk.ts";
import { parseMountinfo, rootMount } from "../../../agent/inventory/parse-mountinfo.ts";
import { parseFilesystemUuid, parsePartitionUuid } from "../../../agent/inventory/parse-root-ids.ts";
import { parseLogLine } from "../../../agent/log/parse-log-line.ts";
import { resolveOptions } from "../../../agent/options/options.ts";
import { parseGuardState } from "../../../agent/watchdog/parse-guard-state.ts";
import { blockDeviceToWire } from "../../../proto/disk/block-device-codec.ts";
import { parseMdir } from "../../../proto/disk/mtools.ts";
import { parseBlkid } from "../../../proto/disk/parse-blkid.ts";
import { parseSize } from "../../../proto/disk/parse-size.ts";
import { Failure } from "../../../proto/failure.ts";
import { BlockDevice as WireDevice } from "../../../proto/gen/pallet/v1/disk.ts";
import { parseSocketAddress } from "../../../proto/linux/parse-socket-address.ts";
import { maxLogError, maxLogFields, maxLogMessage } from "../../../proto/log-limits.ts";
import { parseEndpoint, renderEndpoint } from "../../../proto/names/endpoint.ts";
import { parseMacAddress } from "../../../proto/names/node-id.ts";
import { isLoopback, plainAddress } from "../../../proto/names/plain-address.ts";
import { addAgentToInittab } from "../../../proto/system/inittab.ts";
import { type InstalledSystem, parseStamp, renderStamp } from "../../../proto/system/installed-system.ts";
import { parseKernelCommandLine, splitKernelWords } from "../../../proto/system/kernel-command-line.ts";
import { parseProgram } from "../../../proto/system/parse-program.ts";
import { parseResidentSettings, renderResidentSettings } from "../../../proto/system/resident-settings.ts";
import { parseTasks } from "../../../proto/system/tasks/parse-tasks.ts";
import { renderTasks, withoutSecrets } from "../../../proto/system/tasks/render-tasks.ts";
import { family, unlessRefused } from "../frame/family.ts";
import { mutatedBytes, mutatedFields, mutatedText } from "../frame/mutations.ts";
import { goldenTexts, gptImage, mbrImage, sealGpt } from "./samples.ts";

const totalBytes = 10_000_000;

const heads: readonly string[] = [
  [
    "HTTP/1.1 206 Partial Content",
    `ETag: "${"ab".repeat(32)}"`,
    "Content-Type: application/zstd",
    "Accept-Ranges: bytes",
    `Content-Range: bytes 1000-1999/${totalBytes}`,
    "Content-Length: 1000",
    "Connection: keep-alive",
    "",
    "body",
  ].join("\r\n"),
  "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */12\r\nContent-Length: 0\r\n\r\n",
  "HTTP/1.1 503 \r\nRetry-After: 1\r\nContent-Length: 3\r\n\r\nno\n",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\n",
];

const tasksFile = renderTasks(
  [
    { name: "update", run: { kind: "command", words: ["apt-get", "update"] }, timeoutMs: 60_000 },
    {
      ...{ name: "join", user: "ops", timeoutMs: 1 },
      run: { kind: "script", text: '#!/bin/sh -e\ncat "$PALLET_SECRETS/token"\n' },
      environment: { K3S_URL: "https://10.77.0.1:6443" },
      secrets: { token: "secret" },
    },
  ],
  "ab".repeat(32),
);

/** A read of something that begins with these bytes and has zeros behind them, asked for as a file may be. */
function readOf(start: Buffer, mostBytes: number) {
  return async (offsetBytes: number, lengthBytes: number): Promise<Buffer> => {
    assert.ok(Number.isSafeInteger(offsetBytes) && offsetBytes >= 0, `a read at ${offsetBytes}`);
    assert.ok(Number.isSafeInteger(lengthBytes) && lengthBytes >= 0, `a read of ${lengthBytes} bytes`);
    assert.ok(lengthBytes <= mostBytes, `a read of ${lengthBytes} bytes`);
    return start.subarray(offsetBytes, offsetBytes + lengthBytes);
  };
}

function elf(bits: 32 | 64): Buffer {
  const file = Buffer.alloc(1024);
  file.write("\x7fELF", "latin1");
  file.writeUInt8(bits === 64 ? 2 : 1, 4);
  file.writeUInt8(1, 5);
  file.writeUInt16LE(bits === 64 ? 183 : 40, 18);
  const loader = "/lib/ld-linux-aarch64.so.1\0";
  file.write(loader, 512);
  if (bits === 64) {
    file.writeBigUInt64LE(64n, 32);
    file.writeUInt16LE(56, 54);
    file.writeUInt16LE(2, 56);
    file.writeUInt32LE(3, 64 + 56);
    file.writeBigUInt64LE(512n, 64 + 56 + 8);
    file.writeBigUInt64LE(BigInt(loader.length), 64 + 56 + 32);
  } else {
    file.writeUInt32LE(52, 28);
    file.writeUInt16LE(32, 42);
    file.writeUInt16LE(1, 44);
    file.writeUInt32LE(3, 52);
    file.writeUInt32LE(512, 56);
    file.writeUInt32LE(loader.length, 68);
  }
  return file;
}

function extSuperblock(): Buffer {
  const bytes = Buffer.alloc(1024);
  bytes.writeUInt32LE(8192, 0x00);
  bytes.writeUInt32LE(16_384, 0x04);
  bytes.writeUInt32LE(2, 0x18);
  bytes.writeUInt32LE(32_768, 0x20);
  bytes.writeUInt32LE(8192, 0x28);
  bytes.writeUInt16LE(0xef53, 0x38);
  bytes.writeUInt16LE(1, 0x3a);
  bytes.writeUInt32LE(1, 0x4c);
  bytes.writeUInt16LE(256, 0x58);
  bytes.writeUInt32LE(0x10, 0x5c);
  bytes.writeUInt32LE(0x2c2, 0x60);
  bytes.writeUInt32LE(0x46b, 0x64);
  bytes.writeUInt16LE(64, 0xfe);
  bytes.writeUInt16LE(100, 0xce);
  return bytes;
}

const extFields = [
  ...([
    [0x04, 4],
    [0x18, 4],
    [0x20, 4],
    [0x28, 4],
    [0x3a, 2],
    [0x4c, 4],
    [0x58, 2],
    [0x5c, 4],
  ] as const),
  ...([
    [0x60, 4],
    [0x64, 4],
    [0xce, 2],
    [0xfe, 2],
    [0x150, 4],
  ] as const),
] as const;

/** A message of rtnetlink(7) with one Ethernet interface, and the end. */
function linkDump(): Buffer {
  const attribute = (type: number, content: Buffer): Buffer => {
    const bytes = Buffer.alloc((4 + content.length + 3) & ~3);
    bytes.writeUInt16LE(4 + content.length, 0);
    bytes.writeUInt16LE(type, 2);
    content.copy(bytes, 4);
    return bytes;
  };
  const info = Buffer.alloc(16);
  info.writeUInt16LE(1, 2);
  const body = Buffer.concat([
    info,
    attribute(3, Buffer.from("eth0\0")),
    attribute(1, Buffer.from("dca632010203", "hex")),
    attribute(54, Buffer.from("dca632010203", "hex")),
    attribute(18, attribute(1, Buffer.from("bridge\0"))),
  ]);
  const message = (type: number, content: Buffer): Buffer => {
    const header = Buffer.alloc(16);
    header.writeUInt32LE(16 + content.length, 0);
    header.writeUInt16LE(type, 4);
    return Buffer.concat([header, content]);
  };
  return Buffer.concat([message(16, body), message(3, Buffer.alloc(4))]);
}

const stamp = renderStamp({
  imageName: "raspberry-pi-os",
  imageDigest: "ab".repeat(32) as never,
  reimageId: "r1",
  installedAt: "2026-01-01T00:00:00.000Z",
  ids: [{ partitionNumber: 1, imageUuid: "4e639091-01", cardUuid: "12345678-01" }],
});
const settings = renderResidentSettings({
  node: "dc:a6:32:01:02:03" as never,
  controllers: [
    { host: "10.0.0.1", port: 7700 },
    { host: "fe80::1", port: 7700 },
  ],
});
const commandLine =
  'console=serial0,115200 root=PARTUUID=4e639091-02 rootwait pallet.controller=10.0.0.1:7700,[fe80::1]:7700 pallet.node=dc-a6-32-01-02-03 pallet.insecure-tcp quiet "a b"="c d" -- x';

const texts: readonly string[] = [
  "processor\t: 0\nBogoMIPS\t: 108.00\n\nHardware\t: BCM2835\nSerial\t\t: 100000001234abcd\nModel\t\t: Raspberry Pi 4 Model B Rev 1.4\n",
  "22 1 0:20 / / ro,relatime shared:1 - nfs 10.0.0.1:/roots/root rw,vers=3\n29 22 179:2 / /mnt/a\\040b rw - ext4 /dev/mmcblk0p2 rw\n",
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   0: 0100007F:1E1E 0100007F:A2F4 01 00000000:00000000 00:00000000 00000000     0        0 12345 1\n",
  "0000000000000000FFFF00000100007F:1E1E",
  "on 60\n",
  "DEVNAME=/dev/mmcblk0p1\nUUID=1234-ABCD\nLABEL=M-CM-)\\ b\nTYPE=vfat\nPTTYPE=dos\nPTUUID=deadbeef\nPART_ENTRY_UUID=deadbeef-01\n",
  "::/config.txt\n::/overlays/\n",
  "Available output columns:\n        NAME  device name\n       KNAME  internal kernel device name\n MOUNTPOINTS  all\n",
];

/**
 * What the agent reads: from servers, from disks and images, from the kernel and its tools. Left out: loop devices'
 * `parseLoopStatus`, a structure of the kernel's own; and functions that only read a file and hand it on.
 */
export const agent = [
  family<string>({
    name: "http: heads of answers",
    inputs: fc.oneof(
      // A field of white space with an end that does not fit.
      fc
        .tuple(fc.constantFrom(" ", "\t", " \t", " a", "\xa0", ","), fc.constantFrom("\n", "\r", "\x85", "x", ""))
        .map(([unit, end]) => `HTTP/1.1 200 OK\r\na:${unit.repeat(Math.floor(16_000 / unit.length))}${end}\r\n\r\n`),
      mutatedText(heads, {
        words: [
          "\r\n",
          "\r\n\r\n",
          "HTTP/1.1 ",
          "Content-Length: ",
          "Content-Range: bytes ",
          "a:",
          ":",
          " \t",
          "bytes */",
          "206",
        ],
        maxCharacters: maxHeadBytes + 8,
      }),
    ),
    check(text) {
      const bytes = Buffer.from(text, "latin1");
      const parsed = unlessRefused(() => parseResponseHead(bytes));
      if (parsed === undefined) return;
      assert.ok(parsed.lengthBytes <= bytes.length && parsed.lengthBytes <= maxHeadBytes + 4);
      assert.ok(parsed.head.statusCode >= 100 && parsed.head.statusCode <= 999);
      const length = unlessRefused(() => readContentLength(parsed.head));
      assert.ok(length === undefined || (Number.isSafeInteger(length) && length >= 0));
      const wanted = { url: "http://10.0.0.1/x", fromByte: 1000, lengthBytes: 1000, totalBytes, validators: undefined };
      unlessRefused(() => checkPartialResponse(parsed.head, wanted), Failure, TemporaryError);
    },
  }),
  family<string>({
    name: "inventory: lsblk",
    inputs: fc.oneof(
      mutatedText(goldenTexts("inventory", ".lsblk.json"), {
        words: ['"children":', '[{"name":"x",', "{}", "[]", '"size":', '"log-sec":', "1e999", '"mountpoints":[null]'],
        maxCharacters: 100_000,
      }),
      fc
        .tuple(
          fc.constantFrom('{"name":"a","children":[', '{"kname":"b","mountpoints":["/"],"children":['),
          fc.constantFrom(2, 40, 1_000, 20_000),
        )
        .map(([open, depth]) => `{"blockdevices":[${open.repeat(depth)}${"]}".repeat(depth)}]}`),
    ),
    check(json) {
      const devices = unlessRefused(() => parseLsblk(json));
      for (const device of devices ?? []) {
        assert.ok(device.name !== "" && Number.isSafeInteger(device.sizeBytes) && device.sizeBytes >= 0);
        // What the inventory has, the controller can be told.
        WireDevice.encode(blockDeviceToWire(device)).finish();
      }
      assert.ok(selectColumns(json).length > 0 || json.includes("Available"));
    },
  }),
  family<Buffer>({
    name: "inventory: links",
    inputs: fc.oneof(
      mutatedBytes(linkDump()),
      mutatedFields(linkDump(), [
        [0, 4],
        [4, 2],
        [18, 2],
        [32, 2],
        [34, 2],
        [44, 2],
        [46, 2],
      ]),
    ),
    check(bytes) {
      const { links = [] } = unlessRefused(() => parseLinkDump(bytes), Error) ?? {};
      for (const { mac } of links) assert.match(mac ?? "00:00:00:00:00:00", /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/);
    },
  }),
  family<string>({
    name: "inventory: texts of the kernel and of tools",
    inputs: mutatedText(texts, {
      words: ["Model\t: ", "\n", " - ", "\\040", "M-", "M-^", "\\", "UUID=", "0A", "::/"],
      maxCharacters: 100_000,
    }),
    check(text) {
      const board = parseCpuinfo(text);
      const tree = { model: parseDeviceTreeString(Buffer.from(text)), serial: "" };
      assert.ok(selectBoard(tree, board).serial.length <= text.length);
      rootMount(parseMountinfo(text));
      parseSocketAddress(text);
      parseGuardState(text);
      for (const value of Object.values(parseBlkid(text))) assert.doesNotMatch(value, /\p{Cc}/u);
      parseMdir(0, text, "");
      selectColumns(text);
      parseSize(text);
    },
  }),
  family<Buffer>({
    name: "inventory: ids of the root",
    inputs: fc.oneof(
      mutatedFields(gptImage().subarray(0, 4096), [
        [584, 8],
        [592, 4],
        [596, 4],
        [440, 4],
      ]),
      mutatedBytes(mbrImage().subarray(0, 1024), Buffer.concat([Buffer.alloc(1024), extSuperblock()])),
    ),
    async check(start) {
      for (const number of [1, 2, 128, 2 ** 31]) {
        const id = await parsePartitionUuid(readOf(start, 4096), number);
        assert.match(id, /^([0-9a-f]{8}-[0-9a-f]{2,8}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})?$/);
      }
      assert.match(
        (await parseFilesystemUuid(readOf(start, 4096))) ?? "",
        /^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})?$/,
      );
    },
  }),
  family<{ readonly superblock: Buffer; readonly oldBytes: number; readonly lengthBytes: number }>({
    name: "cards: ext superblocks",
    inputs: fc.record({
      superblock: fc.oneof(mutatedFields(extSuperblock(), extFields), mutatedBytes(extSuperblock())),
      oldBytes: fc.constantFrom(64 * 2 ** 20, 2 ** 30, 2 ** 41),
      lengthBytes: fc.constantFrom(64 * 2 ** 20, 2 ** 33, 2 ** 43),
    }),
    check({ superblock, oldBytes, lengthBytes }) {
      const found = parseExtSuperblock(superblock);
      const growth = planExtGrowth(superblock, { oldBytes, lengthBytes });
      if ("whyNot" in growth || found === undefined) return;
      assert.ok(Number.isSafeInteger(growth.blocks) && growth.blocks > 0, `${growth.blocks} blocks`);
      const most = Math.max(oldBytes, lengthBytes);
      assert.ok(
        growth.blocks * growth.blockBytes <= most,
        `${growth.blocks} blocks of ${growth.blockBytes} bytes in ${most}`,
      );
    },
  }),
  family<{ readonly start: Buffer; readonly diskBytes: number; readonly endBytes: number; readonly number: number }>({
    name: "cards: partition tables",
    inputs: fc.record({
      start: fc.oneof(
        mutatedFields(gptImage().subarray(0, 32 * 1024), [
          [544, 8],
          [552, 8],
          [560, 8],
          [584, 8],
          [592, 4],
          [596, 4],
          [1056, 8],
          [1064, 8],
          [1184, 8],
          [1192, 8],
          [450, 1],
        ]).map(sealGpt),
        mutatedBytes(gptImage().subarray(0, 32 * 1024)).map(sealGpt),
        mutatedFields(mbrImage().subarray(0, 8192), [
          [450, 1],
          [454, 4],
          [458, 4],
          [466, 1],
          [470, 4],
          [474, 4],
          [440, 4],
          [510, 2],
        ]),
      ),
      diskBytes: fc.constantFrom(2 ** 20, 2 ** 20 + 512, 2 ** 30, 2 ** 40, 2 ** 43),
      endBytes: fc.constantFrom(0, 2 ** 20, 2 ** 29, Number.MAX_SAFE_INTEGER),
      number: fc.integer({ min: 1, max: 5 }),
    }),
    check({ start, diskBytes, endBytes, number }) {
      const { offsetBytes, lengthBytes } = placeOf(start, number);
      const growth = {
        partitionNumber: number,
        filesystemType: "ext4",
        offsetBytes,
        lengthBytes,
        ...(endBytes > 0 && { endBytes }),
      };
      const ids = [{ partitionNumber: number, imageUuid: "deadbeef-01", cardUuid: "12345678-01" }];
      const table = renderCardTable(start, { diskBytes, growth, ids });
      assert.equal(table.start.length, start.length);
      if (table.backup !== undefined) {
        assert.ok(table.backup.offsetBytes >= 0 && table.backup.offsetBytes + table.backup.bytes.length <= diskBytes);
      }
      if (table.growth !== undefined && "lengthBytes" in table.growth && table.growth.lengthBytes !== lengthBytes) {
        assert.ok(offsetBytes + table.growth.lengthBytes <= diskBytes, "a partition that is longer than its card");
      }
    },
  }),
  family<Buffer>({
    name: "programs: elf",
    inputs: fc.oneof(
      mutatedFields(elf(64), [
        [18, 2],
        [32, 8],
        [54, 2],
        [56, 2],
        [64, 4],
        [120, 4],
        [128, 8],
        [152, 8],
        [4, 1],
      ]),
      mutatedFields(elf(32), [
        [18, 2],
        [28, 4],
        [42, 2],
        [44, 2],
        [52, 4],
        [56, 4],
        [68, 4],
        [4, 1],
      ]),
      mutatedBytes(elf(64), elf(32), Buffer.from("#!/bin/sh\n")),
    ),
    async check(file) {
      const program = await parseProgram(readOf(file, 64 * 1024));
      if (program.kind === "elf") assert.ok((program.interpreter ?? "").length <= 4096);
    },
  }),
  family<string>({
    name: "kernel command lines and options",
    inputs: mutatedText([commandLine, "pallet.controller=10.0.0.1", ""], {
      words: ["pallet.controller=", "pallet.node=", "pallet.insecure-tcp=", '"', "=", " -- ", ","],
      maxCharacters: 4096,
    }),
    check(text) {
      const words = splitKernelWords(text);
      assert.ok(words.every((word) => word !== "") && words.join("").length <= text.length);
      parseKernelCommandLine(text);
      const flags = { port: "7710", role: "netboot", installedFile: "/etc/pallet/installed.json" };
      const options = unlessRefused(() => resolveOptions(flags, text));
      assert.ok((options?.controllers ?? []).length <= 8);
    },
  }),
  family<string>({
    name: "stamps and settings of resident agents",
    inputs: mutatedText([stamp, settings], {
      words: ['"ids":', '"controllers":', "[", "]", "{", "}", "1,", '"a:1",'],
      maxCharacters: 64 * 1024,
    }),
    check(text) {
      const found = unlessRefused(() => parseStamp(text));
      if (found !== undefined) assert.deepEqual(parseStamp(renderStamp(found)), withoutNoIds(found));
      const kept = unlessRefused(() => parseResidentSettings(text));
      if (kept !== undefined) assert.ok(kept.controllers.length >= 1 && kept.controllers.length <= 8);
    },
  }),
  family<string>({
    name: "tasks of an installed system",
    inputs: mutatedText([tasksFile], {
      words: [
        `"__proto__":{"a":"b"},`,
        `"secrets":{"..":""}`,
        `"#!/"`,
        `\\u0000`,
        `"timeoutMs":1e999`,
        `"user":"root"`,
      ],
    }),
    check(text) {
      const found = unlessRefused(() => parseTasks(text));
      if (found === undefined) return;
      assert.deepEqual(parseTasks(renderTasks(found.tasks, found.configDigest)), found);
      for (const { name, secrets } of found.tasks) {
        for (const each of Object.keys(secrets ?? {})) assert.doesNotMatch(each, /^[.-]|\//);
        const without = withoutSecrets(found, name);
        assert.equal(without.tasks.find((task) => task.name === name)?.secrets, undefined);
      }
    },
  }),
  family<string>({
    name: "names: MAC addresses, endpoints, addresses",
    inputs: mutatedText(
      [
        "dc:a6:32:01:02:03",
        "DC-A6-32-01-02-03",
        "dca6.3201.0203",
        "10.0.0.1:7700",
        "[fe80::1%eth0]:7700",
        "::ffff:10.0.0.1",
        "host.example:1",
        "fe80::1%eth0",
      ],
      { words: [":", "[", "]", "%", "::", "ffff"], maxCharacters: 100_000 },
    ),
    check(text) {
      const mac = parseMacAddress(text);
      if (mac !== undefined) {
        assert.match(mac, /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/);
        assert.equal(parseMacAddress(mac), mac);
      }
      const endpoint = parseEndpoint(text, 7700);
      if (endpoint !== undefined) {
        assert.ok(endpoint.port >= 1 && endpoint.port <= 65_535);
        assert.deepEqual(parseEndpoint(renderEndpoint(endpoint)), endpoint);
      }
      const plain = plainAddress(text);
      assert.equal(plainAddress(plain), plain);
      isLoopback(text);
    },
  }),
  family<string>({
    name: "log lines",
    inputs: mutatedText(
      [
        '{"level":30,"time":1700000000000,"pid":1,"hostname":"a","msg":"registered","node":"dc:a6:32:01:02:03"}',
        '{"level":50,"time":1,"err":{"type":"Error","message":"x","stack":"Error: x\\n at y","code":"E"},"msg":"broken"}',
      ],
      { words: ['"err":', '"level":', '"time":', "{", "}", "[", '"a":'], maxCharacters: 200_000 },
    ),
    check(line) {
      const { message, fieldsJson, error, time } = parseLogLine(line, new Set(["pid"]));
      assert.ok(message.length <= maxLogMessage && fieldsJson.length <= maxLogFields && error.length <= maxLogError);
      assert.ok(Number.isFinite(time));
      if (fieldsJson !== "") JSON.parse(fieldsJson);
    },
  }),
  family<string>({
    name: "cards: inittabs",
    inputs: mutatedText(
      ["::sysinit:/etc/init.d/rcS\n# a comment\nplt:2345:respawn:/usr/bin/pallet-agent\n1:2345:respawn:/sbin/getty\n"],
      {
        words: [":", "::", "respawn:", "#", "\n", " ", "\t"],
        maxCharacters: 64 * 1024,
      },
    ),
    check(text) {
      for (const system of ["busybox", "sysvinit"] as const) {
        const added = addAgentToInittab(text, system, "resident");
        assert.equal(addAgentToInittab(added, system, "resident"), added);
      }
    },
  }),
  family<string>({
    name: "cards: ids in texts",
    inputs: mutatedText(
      [
        "root=PARTUUID=4e639091-02 rootwait\n",
        "PARTUUID='4e639091-01' /boot vfat defaults 0 2\n/dev/disk/by-partuuid/4e639091-02 / ext4\n",
      ],
      {
        words: ["PARTUUID=", "/by-partuuid/", "4e639091-02", "4e639091-"],
        maxCharacters: 1024 * 1024,
      },
    ),
    check(text) {
      const changed = replaceIds(text, [{ partitionNumber: 2, imageUuid: "4e639091-02", cardUuid: "12345678-02" }]);
      assert.equal(changed.length, text.length);
    },
  }),
];

/** An empty list of ids is not written. */
function withoutNoIds(stamp: InstalledSystem): InstalledSystem {
  const { ids, ...rest } = stamp;
  return ids === undefined || ids.length === 0 ? rest : stamp;
}

/** Where the table has a partition, as a controller would say it; anywhere when it has none. */
function placeOf(start: Buffer, number: number): { readonly offsetBytes: number; readonly lengthBytes: number } {
  const isGpt = start.length >= 1024 && start.toString("latin1", 512, 520) === "EFI PART";
  const at = isGpt ? 1024 + (number - 1) * 128 + 32 : 446 + (number - 1) * 16 + 8;
  if (start.length < at + 16) return { offsetBytes: 512, lengthBytes: 512 };
  const [first, last] = isGpt
    ? [Number(start.readBigUInt64LE(at)), Number(start.readBigUInt64LE(at + 8))]
    : [start.readUInt32LE(at), start.readUInt32LE(at) + start.readUInt32LE(at + 4) - 1];
  return { offsetBytes: first * 512, lengthBytes: (last + 1 - first) * 512 };
}
