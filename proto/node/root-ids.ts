/** By what a boot can name the partition with a root filesystem. An id that there is not is empty. */
export interface RootIds {
  /** PARTUUID: of a GPT the partition's GUID, of an MBR its disk id and the partition's number ("4e639091-02"). */
  readonly partitionUuid: string;
  /** The filesystem's own; squashfs and older erofs have none. */
  readonly filesystemUuid: string;
  /** Whether another partition of the same machine has that PARTUUID; absent is no. */
  readonly partitionUuidShared?: boolean;
  /** Whether another filesystem of the same machine has that UUID; absent is no. */
  readonly filesystemUuidShared?: boolean;
}

const hex = "[0-9a-fA-F]";
const uuid = `${hex}{8}(-${hex}{4}){3}-${hex}{12}`;
const partitionUuidForm = new RegExp(`^(${uuid}|${hex}{8}-${hex}{2})$`);
/** UUIDs; the 16 digits of NTFS and the 8 of FAT and ISO 9660, which no root has, are left out on purpose. */
const filesystemUuidForm = new RegExp(`^${uuid}$`);

/**
 * The ids as far as they have the form of one: they come from a card or from the network, and go into a kernel command
 * line. What has another form is as good as none.
 */
export function parseRootIds(found: RootIds): RootIds {
  const { partitionUuid, filesystemUuid, partitionUuidShared, filesystemUuidShared } = found;
  return {
    partitionUuid: partitionUuidForm.test(partitionUuid) ? partitionUuid.toLowerCase() : "",
    filesystemUuid: filesystemUuidForm.test(filesystemUuid) ? filesystemUuid.toLowerCase() : "",
    ...(partitionUuidShared === true && { partitionUuidShared }),
    ...(filesystemUuidShared === true && { filesystemUuidShared }),
  };
}

/** Whether both name the same partition and the same filesystem, by the same ids. */
export function sameRootIds(one: RootIds, other: RootIds): boolean {
  return (
    one.partitionUuid === other.partitionUuid &&
    one.filesystemUuid === other.filesystemUuid &&
    (one.partitionUuidShared ?? false) === (other.partitionUuidShared ?? false) &&
    (one.filesystemUuidShared ?? false) === (other.filesystemUuidShared ?? false)
  );
}
