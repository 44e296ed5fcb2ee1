import { constants } from "node:os";
import { type KoffiFunction, loadKoffiAddon } from "../pack/koffi-addon.ts";

/** C library functions that Node does not expose. They do not block, and throw an error with its `code`. */
export interface CLibrary {
  /** ioctl(2), with a structure that is read or written, or nothing. */
  ioctl(fd: number, request: number, structure?: Uint8Array): number;
  /** flock(2). */
  flock(fd: number, operation: number): void;
  /** socket(2): the new file descriptor, which the caller closes. */
  socket(domain: number, type: number, protocol: number): number;
  /** send(2): how many bytes were taken. */
  send(fd: number, bytes: Uint8Array, flags: number): number;
  /** recv(2): how many bytes were put into the buffer. */
  recv(fd: number, buffer: Uint8Array, flags: number): number;
  /** getsockopt(2): puts the option into the structure, which has to be as long as the option is. */
  getsockopt(fd: number, level: number, option: number, structure: Uint8Array): void;
  /** mkfifo(3): a named pipe with these permission bits, less the umask. */
  mkfifo(path: string, mode: number): void;
  /** fcntl(2), F_DUPFD_CLOEXEC: another file descriptor of the same file, which the caller closes. */
  duplicate(fd: number): number;
  /** sendmsg(2) of all the bytes, with an open file of this process beside them (SCM_RIGHTS, unix(7)). */
  sendDescriptor(fd: number, bytes: Uint8Array, descriptor: number): void;
  /**
   * recvmsg(2) without waiting: how many bytes were put into the buffer, and the open file that came beside them, which
   * the caller closes; of several only the first is taken. Throws EAGAIN where nothing has come.
   */
  receiveDescriptor(fd: number, buffer: Uint8Array): { readonly bytes: number; readonly descriptor?: number };
  /** settimeofday(2), with a timeval; the timezone is left as it is. */
  settimeofday(timeval: Uint8Array): void;
}

/** F_DUPFD_CLOEXEC of fcntl.h, on x64 and arm64. */
const duplicateCloseOnExec = 1030;

/** SOL_SOCKET, SCM_RIGHTS, MSG_DONTWAIT, MSG_NOSIGNAL and MSG_CMSG_CLOEXEC of socket(7), on x64 and arm64. */
const solSocket = 1;
const scmRights = 1;
const dontWait = 0x40;
const noSignal = 0x4000;
const closeOnExec = 0x4000_0000;
/** CMSG_LEN(sizeof(int)) of cmsg(3) on 64 bits: length, level and type, then one descriptor. */
const controlBytes = 20;
const controlAt = { length: 0, level: 8, type: 12, descriptor: 16 } as const;

let library: CLibrary | undefined;

/** Throws when it cannot be called: linux on x64 or arm64 with glibc is needed. */
export function loadLibc(): CLibrary {
  library ??= declareFunctions();
  return library;
}

function declareFunctions(): CLibrary {
  const koffi = loadKoffiAddon();
  const c = koffi.load(null);
  const ioctl = c.func("int ioctl(int fd, unsigned long request, void *structure)");
  const flock = c.func("int flock(int fd, int operation)");
  const socket = c.func("int socket(int domain, int type, int protocol)");
  const send = c.func("long send(int fd, const void *bytes, unsigned long length, int flags)");
  const recv = c.func("long recv(int fd, void *buffer, unsigned long length, int flags)");
  const getsockopt = c.func("int getsockopt(int fd, int level, int option, void *structure, void *length)");
  const mkfifo = c.func("int mkfifo(const char *path, unsigned int mode)");
  const fcntl = c.func("int fcntl(int fd, int command, int argument)");
  koffi.struct("iovec", { base: "void *", length: "size_t" });
  koffi.struct("msghdr", {
    ...{ name: "void *", nameLength: "uint32_t", vectors: "iovec *", vectorCount: "size_t" },
    ...{ control: "void *", controlLength: "size_t", flags: "int" },
  });
  const sendmsg = c.func("long sendmsg(int fd, const msghdr *message, int flags)");
  const recvmsg = c.func("long recvmsg(int fd, _Inout_ msghdr *message, int flags)");
  const message = (bytes: Uint8Array, control: Uint8Array) => ({
    ...{ name: null, nameLength: 0, vectors: { base: bytes, length: bytes.length }, vectorCount: 1 },
    ...{ control, controlLength: control.length, flags: 0 },
  });
  const settimeofday = c.func("int settimeofday(const void *timeval, const void *timezone)");
  const call = (name: string, code: KoffiFunction, ...values: readonly unknown[]): number => {
    const result = Number(code(...values));
    if (result >= 0) return result;
    const errno = koffi.errno();
    const symbol = Object.entries(constants.errno).find(([, value]) => value === errno)?.[0] ?? `errno ${errno}`;
    throw Object.assign(new Error(`${name}: ${symbol}`), { code: symbol });
  };
  return {
    ioctl: (fd, request, structure) => call("ioctl", ioctl, fd, request, structure ?? null),
    settimeofday: (timeval) => void call("settimeofday", settimeofday, timeval, null),
    mkfifo: (path, mode) => void call("mkfifo", mkfifo, path, mode),
    duplicate: (fd) => call("fcntl", fcntl, fd, duplicateCloseOnExec, 0),
    flock: (fd, operation) => void call("flock", flock, fd, operation),
    socket: (domain, type, protocol) => call("socket", socket, domain, type, protocol),
    send: (fd, bytes, flags) => call("send", send, fd, bytes, bytes.length, flags),
    recv: (fd, buffer, flags) => call("recv", recv, fd, buffer, buffer.length, flags),
    sendDescriptor(fd, bytes, descriptor) {
      const control = new DataView(new ArrayBuffer(controlBytes));
      control.setBigUint64(controlAt.length, BigInt(controlBytes), true);
      control.setInt32(controlAt.level, solSocket, true);
      control.setInt32(controlAt.type, scmRights, true);
      control.setInt32(controlAt.descriptor, descriptor, true);
      const sent = call("sendmsg", sendmsg, fd, message(bytes, new Uint8Array(control.buffer)), dontWait | noSignal);
      if (sent !== bytes.length) throw new Error(`sendmsg: ${sent} of ${bytes.length} bytes were taken`);
    },
    receiveDescriptor(fd, buffer) {
      const control = new DataView(new ArrayBuffer(controlBytes));
      const header = message(buffer, new Uint8Array(control.buffer));
      const bytes = call("recvmsg", recvmsg, fd, header, dontWait | closeOnExec);
      const isDescriptor =
        header.controlLength >= controlBytes &&
        control.getInt32(controlAt.level, true) === solSocket &&
        control.getInt32(controlAt.type, true) === scmRights;
      return { bytes, ...(isDescriptor && { descriptor: control.getInt32(controlAt.descriptor, true) }) };
    },
    getsockopt(fd, level, option, structure) {
      call(
        "getsockopt",
        getsockopt,
        fd,
        level,
        option,
        structure,
        new Uint8Array(Uint32Array.of(structure.length).buffer),
      );
    },
  };
}
