/** First word of glibc's locale-archive (locale/locarchive.h), in the byte order of its machine. */
const archiveMagic = 0xde020109;
/** Bytes of an entry of its table of names: hash, where the name is, where the locale is. */
const entryBytes = 12;
const longestName = 64;

/**
 * Names of the locales in the start of a locale-archive(5) of glibc, of a little-endian machine; those that are not in
 * it are left out, as is what is no name.
 */
export function parseLocaleArchive(start: Buffer, mostNames: number): readonly string[] {
  if (start.length < 24 || start.readUInt32LE(0) !== archiveMagic) return [];
  const [tableAt, tableSize] = [start.readUInt32LE(8), start.readUInt32LE(16)];
  const names: string[] = [];
  for (let index = 0; index < tableSize && names.length < mostNames; index++) {
    const at = tableAt + index * entryBytes;
    if (at + entryBytes > start.length) break;
    const nameAt = start.readUInt32LE(at + 4);
    if (nameAt === 0 || nameAt >= start.length) continue;
    const end = start.indexOf(0, nameAt);
    const name = start.toString("latin1", nameAt, end < 0 ? nameAt : Math.min(end, nameAt + longestName));
    if (/^[A-Za-z0-9_.@-]+$/.test(name)) names.push(name);
  }
  return names;
}
