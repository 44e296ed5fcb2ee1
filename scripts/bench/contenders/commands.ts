import type { BenchStage } from "../stage/bench-stage.ts";
import type { FileServer } from "../stage/file-server.ts";
import type { Instructions } from "../stage/hide-aes.ts";
import { measured } from "../stage/measured.ts";
import { noHiddenAes } from "../stage/receiver-processor.ts";
import { runProgram } from "../stage/started-program.ts";
import type { Contender } from "./contender.ts";

/** A contender that is one command; it fetches the named file of the image from the server of files. */
function commandContender(
  contender: Pick<Contender, "id" | "title" | "verifies"> & {
    readonly command: (url: (extension: string) => string, stage: BenchStage) => readonly string[];
    readonly files?: (stage: BenchStage) => FileServer;
    readonly absence?: Contender["absence"];
  },
): Contender {
  const { command, files = (stage) => stage.files, absence = async () => undefined, ...rest } = contender;
  return {
    ...rest,
    before: "another system",
    after: "the image",
    absence,
    run: async (stage) => {
      const words = command((extension) => `${files(stage).base}/${stage.formName}${extension}`, stage);
      const figures = await measured(stage, stage.filesGroup, async (place) => {
        await runProgram(rest.id, place, words);
      });
      return { figures };
    },
  };
}

/**
 * The usual pipeline. dd writes past the page cache and flushes the device at the end, so that nothing is left undone.
 */
function pipeline(
  decompress: string,
  url: string,
  device: string,
  curlOptions: readonly string[] = [],
): readonly string[] {
  const script = `set -o pipefail; device=$1; shift; curl --fail --silent --show-error "$@" | ${decompress} | dd of="$device" bs=4M iflag=fullblock oflag=direct conv=fsync,notrunc status=none`;
  return ["bash", "-c", script, "bash", device, ...curlOptions, url];
}

/**
 * The pipeline over TLS 1.3. Its curl is told which cipher is cheapest for the processor, as an agent chooses it: by
 * itself it takes AES-256, which costs more on either kind.
 */
function securePipeline(id: string, title: string, instructions: Instructions): Contender {
  return commandContender({
    id,
    title,
    verifies: false,
    files: ({ secureFiles }) => secureFiles,
    absence: async ({ processors }) => (processors[instructions] === undefined ? noHiddenAes : undefined),
    command(url, { card, processors, secureFiles }) {
      const { enter = [], ciphers = "" } = processors[instructions] ?? {};
      const options = [...secureFiles.curlOptions, "--tls13-ciphers", ciphers];
      return [...enter, ...pipeline("zstd -dc", url(".zst"), card.device, options)];
    },
  });
}

/** The programs that people use today, each with the kind of file that suits it. */
export const commandContenders: readonly Contender[] = [
  commandContender({
    id: "curl-zstd-dd",
    title: "`curl \\| zstd -dc \\| dd oflag=direct`",
    verifies: false,
    command: (url, { card }) => pipeline("zstd -dc", url(".zst"), card.device),
  }),
  securePipeline("curl-tls-zstd-dd", "`curl https://… \\| zstd -dc \\| dd oflag=direct`", "all"),
  securePipeline("curl-tls-zstd-dd-no-aes", "… the same where AES instructions are hidden", "no AES"),
  commandContender({
    id: "curl-xz-dd",
    title: "`curl \\| xz -dc \\| dd oflag=direct`",
    verifies: false,
    command: (url, { card }) => pipeline("xz -dc", url(".xz"), card.device),
  }),
  commandContender({
    id: "bmaptool-zst",
    title: "`bmaptool copy` (.zst)",
    verifies: false,
    command: (url, { card }) => ["bmaptool", "--quiet", "copy", "--bmap", url(".bmap"), url(".zst"), card.device],
  }),
  commandContender({
    id: "bmaptool-gz",
    title: "`bmaptool copy` (.gz)",
    verifies: false,
    command: (url, { card }) => ["bmaptool", "--quiet", "copy", "--bmap", url(".bmap"), url(".gz"), card.device],
  }),
];
