import type { BenchStage } from "../stage/bench-stage.ts";
import { measured } from "../stage/measured.ts";
import { runProgram } from "../stage/started-program.ts";
import type { Contender } from "./contender.ts";

/** A contender that is one command; it fetches the named file of the image from the plain HTTP server. */
function commandContender(
  contender: Pick<Contender, "id" | "title" | "verifies"> & {
    readonly command: (url: (extension: string) => string, stage: BenchStage) => readonly string[];
    readonly absence?: Contender["absence"];
  },
): Contender {
  const { command, absence = async () => undefined, ...rest } = contender;
  return {
    ...rest,
    before: "another system",
    after: "the image",
    absence,
    run: async (stage) => {
      const words = command((extension) => `${stage.filesBase}/${stage.formName}${extension}`, stage);
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
function pipeline(decompress: string, url: string, device: string): readonly string[] {
  const script = `set -o pipefail; curl --fail --silent --show-error "$1" | ${decompress} | dd of="$2" bs=4M iflag=fullblock oflag=direct conv=fsync,notrunc status=none`;
  return ["bash", "-c", script, "bash", url, device];
}

/** The programs that people use today, each with the kind of file that suits it. */
export const commandContenders: readonly Contender[] = [
  commandContender({
    id: "curl-zstd-dd",
    title: "`curl \\| zstd -dc \\| dd oflag=direct`",
    verifies: false,
    command: (url, { card }) => pipeline("zstd -dc", url(".zst"), card.device),
  }),
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
