// What a flood sends over TCP, as the first bytes of a connection: to HTTP, and to whatever speaks TLS or HTTP/2.
import type { Chance } from "./chance.ts";

/** Makes the first bytes of one connection of its kind. */
export type Streams = Readonly<Record<string, () => Buffer>>;

/** Of HTTP (RFC 9112). @param kernel a boot file that there is */
export function httpStreams({ rubbish, mac }: Chance, kernel: string): Streams {
  const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n`;
  return {
    rubbish: () => rubbish(2000),
    "unfinished headers": () => Buffer.from(`${get("/")}A: `),
    "endless headers": () => Buffer.from(`${get("/")}${"A: b\r\n".repeat(3000)}`),
    pipelined: () => Buffer.from(`${get(`/boot/${kernel}`)}\r\n`.repeat(100)),
    "odd path": () => Buffer.from(`${get(`/${encodeURIComponent(rubbish(200).toString("latin1"))}`)}\r\n`),
    "out of the tree": () => Buffer.from(`${get("/boot/..%2f..%2f..%2fetc/shadow")}\r\n`),
    "invented board": () => Buffer.from(`${get(`/boot/pxelinux.cfg/01-${mac().replaceAll(":", "-")}`)}\r\n`),
    "an image": () => Buffer.from(`${get(`/images/${"a".repeat(64)}.zst`)}Range: bytes=-1,99999999999-0\r\n\r\n`),
    "a body": () =>
      Buffer.from(`POST /boot/x HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n${"x".repeat(5000)}`),
    smuggled: () => Buffer.from(`${get("/")}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`),
    silence: () => Buffer.alloc(0),
  };
}

const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/** Of TLS (RFC 8446), HTTP/2 (RFC 9113), and neither. */
export function rawStreams({ rubbish }: Chance): Streams {
  return {
    rubbish: () => rubbish(2000),
    "http/2 rubbish": () => Buffer.concat([Buffer.from(preface), rubbish(500)]),
    "many settings": () =>
      Buffer.concat([
        Buffer.from(preface),
        ...Array.from({ length: 500 }, () => Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])),
      ]),
    "tls rubbish": () => Buffer.concat([Buffer.from([0x16, 3, 1, 2, 0, 1]), rubbish(600)]),
    "tls of a length that is not there": () => Buffer.from([0x16, 3, 1, 0xff, 0xff, 1, 0, 0xff, 0xff]),
    silence: () => Buffer.alloc(0),
  };
}
