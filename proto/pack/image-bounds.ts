/**
 * An image is a whole number of sectors of this size, and its partition table counts in them; a disk's own may be
 * larger.
 */
export const sectorBytes = 512;

/** Most bytes of an image: 2 TiB. No card is larger, and a file of a few kilobytes can decompress to any size. */
export const maxImageBytes = 2 ** 41;

/** Most bytes before the first partition: the agent holds them in memory until everything else is written. */
export const maxFirstPartitionBytes = 64 * 1024 * 1024;

/**
 * Why an image of this size cannot have its first partition at this byte, as the predicate of a sentence;
 * undefined when it can. The importer refuses such an image, and the agent such a write.
 */
export function whyNotFirstPartition(firstPartitionBytes: number, imageBytes: number): string | undefined {
  const isPlace =
    firstPartitionBytes % sectorBytes === 0 &&
    firstPartitionBytes >= sectorBytes &&
    firstPartitionBytes <= maxFirstPartitionBytes;
  if (!isPlace) return `is not a multiple of ${sectorBytes} from ${sectorBytes} to ${maxFirstPartitionBytes}`;
  if (firstPartitionBytes >= imageBytes) return `is past the end of an image of ${imageBytes} bytes`;
  return undefined;
}
