// Writes an image by etcher-sdk as balenaEtcher does: from a URL to a block device, and reads it back. Runs in the folder
// where etcher-sdk is installed, as a program of its own. Arguments: that folder, URL, device, size of the device in bytes.
const { createRequire } = require("node:module");
const [folder, url, device, size] = process.argv.slice(2);
const { sourceDestination, multiWrite } = createRequire(`${folder}/`)("etcher-sdk");

(async () => {
  const drive = {
    raw: device,
    device,
    devicePath: null,
    description: "card",
    isReadOnly: false,
    isSystem: false,
    mountpoints: [],
    size: Number(size),
    blockSize: 512,
    logicalBlockSize: 512,
  };
  const destination = new sourceDestination.BlockDevice({ drive, unmountOnSuccess: false, write: true, direct: true });
  const source = await new sourceDestination.Http({ url, avoidRandomAccess: true }).getInnerSource();
  const { failures } = await multiWrite.pipeSourceToDestinations({
    source,
    destinations: [destination],
    onFail: (_, error) => {
      throw error;
    },
    onProgress: () => {},
    verify: true,
  });
  for (const error of failures.values()) throw error;
  process.exit(0);
})().catch((error) => {
  process.stderr.write(`${error?.stack ?? error}\n`.slice(-4000));
  process.exit(1);
});
