/** Partitions that hold hashes or signatures, and the partition that these cover. */
interface VerityTypes {
  readonly data: string;
  readonly hashes: readonly string[];
}

/**
 * Partition types of the Discoverable Partitions Specification (uapi-group.org) for / and /usr, of the architectures
 * that these images have: the data, then dm-verity's hashes and their signature. A partition of hashes of another
 * architecture is noticed by its content.
 */
export const verityTypes: readonly VerityTypes[] = [
  // root, 64-bit Arm
  {
    data: "b921b045-1df0-41c3-af44-4c6f280d3fae",
    hashes: ["df3300ce-d69f-4c92-978c-9bfb0f38d820", "6db69de6-29f4-4758-a7a5-962190f00ce3"],
  },
  // /usr, 64-bit Arm
  {
    data: "b0e01050-ee5f-4390-949a-9101b17104e9",
    hashes: ["6e11a4e7-fbca-4ded-b9e9-e1a512bb664e", "c23ce4ff-44bd-4b00-b2d4-b41b3419e02a"],
  },
  // root, 32-bit Arm
  {
    data: "69dad710-2ce4-4e3c-b16c-21a1d49abed3",
    hashes: ["7386cdf2-203c-47a9-a498-f2ecce45a2d6", "42b0455f-eb11-491d-98d3-56145ba9d037"],
  },
  // /usr, 32-bit Arm
  {
    data: "7d0359a3-02b3-4f0a-865c-654403e70625",
    hashes: ["c215d751-7bcd-4649-be90-6627490a4c05", "d7ff812f-37d1-4902-a810-d76ba57b975a"],
  },
  // root, x86-64
  {
    data: "4f68bce3-e8cd-4db1-96e7-fbcaf984b709",
    hashes: ["2c7357ed-ebd2-46d9-aec1-23d437ec2bf5", "41092b05-9fc8-4523-994f-2def0408b176"],
  },
  // /usr, x86-64
  {
    data: "8484680c-9521-48c6-9c11-b0720656f69e",
    hashes: ["77ff5f63-e7b6-4633-acf4-1565b864c0e6", "e7bb33fb-06cf-4e81-8273-e543b413e2e2"],
  },
];
