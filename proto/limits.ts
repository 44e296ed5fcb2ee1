/** A bound on what comes from outside. */
export interface Limit {
  /** The most that is taken; what is more is refused, or cut where the reason says so. */
  readonly most: number;
  /** Of what `most` is a number. */
  readonly unit: string;
  /** Why it is there, and what happens at it. */
  readonly reason: string;
}

/**
 * Every bound on what nodes, operators and strangers can send: one table for both programs. `.github/LIMITS.md` is drawn
 * from it by `GOLDEN=write npm run test:one -- documentation-limits`. A limit stands here, or is named here by the one
 * place that holds it; a module that keeps to one reads it from here.
 */
export const limits = {
  tftp: {
    requestBytes: {
      most: 1024,
      unit: "bytes",
      reason: "RFC 2347 bounds a request to 512; senders with long option lists exceed it a little, attackers a lot",
    },
    requestOptions: { most: 16, unit: "options in a request", reason: "there are four that mean something" },
    blockBytes: {
      most: 1468,
      unit: "bytes",
      reason: "fills an Ethernet frame (1500 less 20 IP, 8 UDP, 4 TFTP), so that no packet is fragmented; more is cut",
    },
    windowBlocks: { most: 64, unit: "blocks", reason: "what one acknowledgement makes us send; more is cut" },
    transfers: {
      most: 256,
      unit: "transfers at one time",
      reason:
        "descriptors and memory; a rack has 40 nodes. As above, then an address that has two more than the newcomer gives one up",
    },
    transfersPerAddress: {
      most: 8,
      unit: "transfers at one time of one address",
      reason:
        "firmware asks for one file at a time, a board that is reset over and over leaves some behind; one that never acknowledged anything makes room, oldest first, then one that has stalled",
    },
    unprovenSends: {
      most: 3,
      unit: "packets",
      reason:
        "what one request brings to an address that acknowledged nothing: it may be forged; at most 516 bytes each, for no larger blocks nor windows begin before an acknowledgement",
    },
    stallMs: {
      most: 60_000,
      unit: "milliseconds",
      reason: "a transfer without progress, whatever interval its client named and whatever it repeats; then it ends",
    },
  },
  http: {
    connections: {
      most: 1024,
      unit: "connections at one time",
      reason: "descriptors; the address that has most gives up the one that was idle for longest, or its oldest",
    },
    connectionsPerAddress: {
      most: 128,
      unit: "connections at one time of one address",
      reason: "a node has three, a whole simulated rack may share one address; its longest idle one makes room",
    },
    requestsPerConnection: {
      most: 4,
      unit: "requests of one connection that wait for their answers",
      reason: "each holds a file; agents wait for one answer before they ask again; then the connection is closed",
    },
    headerBytes: { most: 8192, unit: "bytes", reason: "all headers of a request; answered with 431" },
    headersMs: {
      most: 10_000,
      unit: "milliseconds",
      reason: "until the headers of a request are there; answered with 408",
    },
    idleMs: { most: 60_000, unit: "milliseconds", reason: "between two requests of a connection; then it is closed" },
    stallMs: {
      most: 180_000,
      unit: "milliseconds",
      reason:
        "that a client may stop reading in the middle of an answer: a slow card may for a minute; then it is closed",
    },
  },
  tls: {
    handshakes: {
      most: 256,
      unit: "TLS handshakes at one time, for each port of the controller",
      reason: "a connection that has proved nothing holds a descriptor; the address that has most gives up its oldest",
    },
    handshakesPerAddress: {
      most: 32,
      unit: "of them of one address",
      reason: "a node makes three at most, a rack's management machine some more; more are closed at once",
    },
    handshakeMs: {
      most: 60_000,
      unit: "milliseconds",
      reason:
        "from the connection to the end of its handshake: a board that is busy may need many seconds; then it is closed",
    },
    connectionsAtOnce: {
      most: 24,
      unit: "connections of one address at once, to each TLS port of the controller, but from itself",
      reason:
        "a handshake costs a millisecond of its processor; a node needs five when it boots; more are closed at once",
    },
    connectionsPerSecond: {
      most: 4,
      unit: "connections a second of one address, in the long run",
      reason: "commands in a row from an operator's machine are three a second; more are closed at once",
    },
    strangers: {
      most: 128,
      unit: "connections at one time of those whose certificate proves nothing, or who have none, for each TLS port",
      reason: "some 200 KB each; agents that enrol are done in a second; the address that has most gives up its oldest",
    },
    strangersPerAddress: {
      most: 8,
      unit: "of them of one address",
      reason: "an agent has one until it has its certificate; more are closed at once",
    },
    plainConnections: {
      most: 32,
      unit: "connections without TLS at one time",
      reason: "an agent from before TLS is told so, and nothing else is to be had; more are closed at once",
    },
    plainStreams: { most: 4, unit: "open calls on one of them", reason: "such an agent makes one; more wait" },
    plainMs: { most: 10_000, unit: "milliseconds", reason: "until such a connection is closed" },
  },
  grpc: {
    streamsPerConnection: {
      most: 64,
      unit: "open calls on one connection, to every door of controller and agent",
      reason: "an operator's: a command line has 16; more wait (SETTINGS_MAX_CONCURRENT_STREAMS). Of an agent, too",
    },
    nodeStreams: {
      most: 8,
      unit: "open calls on one connection of a node's agent to the controller",
      reason: "an agent has three at most; more wait",
    },
    connectionsPerNode: {
      most: 8,
      unit: "connections to the controller at one time by which one node proves who it is",
      reason: "its agents have two or three, and old ones linger after a power cut; then the oldest is closed",
    },
    strangersStreams: {
      most: 4,
      unit: "open calls on one connection of somebody who proves nothing, to the controller",
      reason: "an agent that enrols makes one; what half a message holds is bounded so; more wait",
    },
    messageBytes: {
      most: 4 * 1024 * 1024,
      unit: "bytes",
      reason: "one message to a server, also when it is decompressed; answered with RESOURCE_EXHAUSTED",
    },
    sessionBytes: {
      most: 64 * 1024 * 1024,
      unit: "bytes",
      reason: "what HTTP/2 holds for one connection, above all for a reader that is slow; new calls are then refused",
    },
    connections: {
      most: 1024,
      unit: "TCP connections to the controller at one time",
      reason: "descriptors; the address that has most gives up its oldest",
    },
    connectionsPerAddress: {
      most: 64,
      unit: "of them of one address",
      reason: "an agent has one, a whole simulated rack may share one address; more are closed at once",
    },
    connectionsToAgent: {
      most: 64,
      unit: "TCP connections to an agent at one time",
      reason: "the controller has a few; the address that has most gives up its oldest",
    },
    connectionsToAgentPerAddress: {
      most: 32,
      unit: "of them of one address",
      reason: "half of them are always left for others; more are closed at once",
    },
    nodeRequestBytes: {
      most: 128 * 1024,
      unit: "bytes",
      reason: "a request of an agent, but for its log: a board's facts are 4 KB. More is refused unread",
    },
    requestFields: {
      most: 2048,
      unit: "fields and items of a request",
      reason: "at its top level, as the 1,000 records of a log: a million empty ones cost half a second to read",
    },
  },
  uploads: {
    atOnce: {
      most: 4,
      unit: "images that are added at one time",
      reason: "each takes the disk of a whole image and a core; one more is answered with RESOURCE_EXHAUSTED",
    },
    chunkBytes: { most: 1024 * 1024, unit: "bytes", reason: "one message of AddImage or DeriveImage" },
    fileBytes: {
      most: 2 ** 41,
      unit: "bytes",
      reason: "the file of one call, announced or not: no image is longer, whatever it is compressed by",
    },
    blockMapBytes: { most: 2 * 1024 * 1024, unit: "bytes", reason: "a block map (.bmap) that comes with an image" },
    unclaimed: {
      most: 16,
      unit: "connections",
      reason: "of the upload socket whose call has not come yet; one more is closed, and each holds at most 4 MiB",
    },
    claimMs: {
      most: 10_000,
      unit: "milliseconds",
      reason: "between a connection of the upload socket and the call that it is for",
    },
  },
  downloads: {
    addressCharacters: {
      most: 4096,
      unit: "UTF-16 code units",
      reason: "an http or https address of an image, a block map or a list; a longer one is refused",
    },
    redirects: { most: 8, unit: "redirects", reason: "on the way to one file; then it is refused, with the address" },
    idleMs: {
      most: 60_000,
      unit: "milliseconds",
      reason: "that a web server may be silent while a file comes from it; then the transfer counts as broken",
    },
    tries: {
      most: 8,
      unit: "tries to go on",
      reason:
        "with a transfer that broke, without 1 MiB more in between: two minutes, as a router restarts; then it fails",
    },
    retryMs: {
      most: 30_000,
      unit: "milliseconds",
      reason: "between two of these tries; the first comes after one second",
    },
    listBytes: {
      most: 4 * 1024 * 1024,
      unit: "bytes",
      reason:
        "one list of images (os_list of Raspberry Pi Imager), from a server or a file; Raspberry Pi's own has 0.3 MB",
    },
    lists: {
      most: 64,
      unit: "lists",
      reason: "that one list leads to by subitems_url, each as often as it is named; more are left out, which is told",
    },
    listDepth: {
      most: 8,
      unit: "levels",
      reason: "of entries in entries of a list (subitems, subitems_url); what is deeper is left out, which is told",
    },
    listEntries: {
      most: 10_000,
      unit: "entries",
      reason: "of one list and all that it leads to; what comes after them is left out, which is told",
    },
    listTextCharacters: {
      most: 1024,
      unit: "UTF-16 code units",
      reason: "a name or a description of a list; an entry with a longer one is left out, which is told",
    },
    listDevices: { most: 64, unit: "devices", reason: "of an entry of a list; those after it are left out" },
  },
  hooks: {
    configured: { most: 64, unit: "hooks", reason: "of a controller, for all moments together; more are refused" },
    nameCharacters: {
      most: 63,
      unit: "UTF-16 code units",
      reason: "the name of a hook; a longer one is refused",
    },
    commandArguments: {
      most: 64,
      unit: "words of a hook's command",
      reason: "with the program itself; more are refused",
    },
    argumentCharacters: {
      most: 4096,
      unit: "UTF-16 code units",
      reason: "a word of a hook's command, or the path of its secret; a longer one is refused",
    },
    urlCharacters: {
      most: 2048,
      unit: "UTF-16 code units",
      reason: "the address of a webhook; a longer one is refused",
    },
    secretBytes: { most: 64, unit: "bytes", reason: "the secret of a webhook, as Standard Webhooks has it" },
    secretFileBytes: { most: 1024, unit: "bytes", reason: "that are read of the file of a secret" },
    outputCharacters: {
      most: 1024,
      unit: "UTF-16 code units",
      reason:
        "the end of what a hook's command printed, or the beginning of what a receiver answered, which the failure keeps; more is cut",
    },
    answerBytes: {
      most: 262_144,
      unit: "bytes",
      reason: "that a hook answers which gives values; one that answers more fails",
    },
    givenValues: { most: 32, unit: "values and secrets", reason: "that one hook gives; more are refused" },
    valueCharacters: {
      most: 16_384,
      unit: "UTF-16 code units",
      reason: "of a value or secret that a hook gives; a hook that gives a longer one fails",
    },
    requestMs: {
      most: 30_000,
      unit: "milliseconds",
      reason: "for one try of a webhook until it is answered; then it is tried again",
    },
    retryMs: {
      most: 60_000,
      unit: "milliseconds",
      reason: "between two tries of a webhook; the first comes after one second at most",
    },
    retryAfterMs: {
      most: 3_600_000,
      unit: "milliseconds",
      reason: "that a receiver may ask to be left alone (Retry-After); for more it is asked again then",
    },
    afterAtOnce: {
      most: 16,
      unit: "hooks that run at one time after reimages",
      reason: "processes and connections of this machine; of one node one at a time; the others wait",
    },
    graceMs: {
      most: 5000,
      unit: "milliseconds",
      reason: "for the processes of a hook that is ended, between SIGTERM and SIGKILL",
    },
  },
  backups: {
    atOnce: {
      most: 1,
      unit: "backup that is taken at one time",
      reason: "each holds a copy of the database on the disk; another one is answered with RESOURCE_EXHAUSTED",
    },
    unreported: {
      most: 16,
      unit: "backups that were taken and of which nobody has said yet whether they are kept",
      reason: "of a caller that died; the oldest is forgotten, and does not count",
    },
    fileBytes: {
      most: 16 * 1024 * 1024,
      unit: "bytes",
      reason:
        "one file of profiles, identity or configuration in a backup: a larger one is left out, which is told, and refused by restore",
    },
    sumsBytes: {
      most: 64 * 1024 * 1024,
      unit: "bytes",
      reason: "the digests at the end of a backup, of some 500,000 files; a longer list is refused by restore",
    },
    files: {
      most: 10_000,
      unit: "files",
      reason: "of the folder of profiles, or of one image; those after them are left out, which is told",
    },
    members: {
      most: 500_000,
      unit: "files",
      reason: "in a backup that is restored; one with more is refused",
    },
  },
  logs: {
    messageCharacters: {
      most: 4096,
      unit: "UTF-16 code units",
      reason: "the message of one record; the agent cuts to it",
    },
    fieldCharacters: {
      most: 8192,
      unit: "UTF-16 code units",
      reason: "the fields of one record; the agent cuts to it",
    },
    errorCharacters: {
      most: 16_384,
      unit: "UTF-16 code units",
      reason: "the error of one record; the agent cuts to it",
    },
    records: { most: 1000, unit: "records", reason: "one ReportLogs call; an agent sends in batches" },
    textCharacters: {
      most: 1024 * 1024,
      unit: "UTF-16 code units",
      reason: "all texts of one ReportLogs call: at most that many bytes of UTF-8 where it matters",
    },
    requestBytes: {
      most: 4 * 1024 * 1024,
      unit: "bytes",
      reason: "one ReportLogs call: 1 MiB of text has up to 3 MiB as UTF-8. More is refused unread",
    },
    burstRecords: {
      most: 6000,
      unit: "records of a node at once",
      reason: "three times what an agent holds back while the controller is away; answered with RESOURCE_EXHAUSTED",
    },
    burstCharacters: {
      most: 3 * 1024 * 1024,
      unit: "UTF-16 code units of a node at once",
      reason: "three times what an agent holds back; answered with RESOURCE_EXHAUSTED, and sent again later",
    },
    recordsPerSecond: {
      most: 50,
      unit: "records a second of a node, in the long run",
      reason: "a write tells some in a minute; what is more waits on the node",
    },
    charactersPerSecond: {
      most: 16_384,
      unit: "UTF-16 code units a second of a node, in the long run",
      reason: "what is kept of a node would be gone in a minute; what is more waits on the node",
    },
    refusalMs: {
      most: 1000,
      unit: "milliseconds",
      reason: "until a batch over the quota is answered: a flood waits for its own answers",
    },
  },
  enrolment: {
    requestBytes: {
      most: 4096,
      unit: "bytes of a certificate request",
      reason: "one for a P-256 key has a few hundred; it is refused before it is taken apart",
    },
    usedTokens: {
      most: 20_000,
      unit: "used tokens that are remembered",
      reason:
        "each takes a boot config that somebody asked for; then the oldest is forgotten, and could be used again for the rest of its 30 minutes by whoever saw it, who could have asked for one of his own",
    },
    nodeCertificates: {
      most: 10_000,
      unit: "agents whose last certificate is noted",
      reason: "two for each of the nodes that can be known; the note only says who needs a former authority",
    },
    operators: {
      most: 1000,
      unit: "operators",
      reason: "with those that were revoked, of which the oldest makes room; then another one is refused",
    },
  },
  operations: {
    running: {
      most: 8,
      unit: "operations that run at one time on a node",
      reason:
        "memory, and a disk is written by one at a time; answered with RESOURCE_EXHAUSTED, and the controller waits",
    },
    runningWithoutDevice: {
      most: 4,
      unit: "of them that have no device (Identify)",
      reason: "so that blinking never keeps out a write; answered with RESOURCE_EXHAUSTED",
    },
    identifyMs: { most: 600_000, unit: "milliseconds", reason: "blinking of one Identify" },
    firmwareItems: {
      most: 16,
      unit: "partitions, and files",
      reason: "what one operation hides from a board's firmware",
    },
    partitions: { most: 256, unit: "partitions", reason: "Linux takes up to 256 minors of a disk" },
  },
  captures: {
    parts: {
      most: 2048,
      unit: "parts of a disk",
      reason: "that one message of ReadDisk asks for: it stays far below a message's bound; more are refused",
    },
    pieceBytes: {
      most: 1024 * 1024,
      unit: "bytes",
      reason: "of a disk in one message of an agent; more ends the capture",
    },
    readers: {
      most: 4,
      unit: "disks that are read at one time on a node",
      reason: "four MiB of memory each; one more is answered with RESOURCE_EXHAUSTED",
    },
    descriptorBytes: {
      most: 8 * 1024 * 1024,
      unit: "bytes",
      reason:
        "the group descriptors of one ext filesystem: 2 TiB have 8 MiB at most; with more, it is read as if it had no books",
    },
    tableReads: {
      most: 256,
      unit: "reads",
      reason: "until the partition table of a card is known: 60 logical partitions take 62; then it is refused",
    },
    folderNames: {
      most: 1000,
      unit: "names",
      reason: "in a folder of which the capture removes files; with more it is refused",
    },
  },
  agents: {
    answerBytes: {
      most: 2 * 1024 * 1024,
      unit: "bytes",
      reason:
        "one answer of an agent; a board report has 512 KiB of text. More is refused by the controller's gRPC client",
    },
    failureCharacters: {
      most: 4096,
      unit: "UTF-16 code units",
      reason: "the message of an agent's failure, which journal and events keep; more is cut",
    },
    evidenceCharacters: {
      most: 1024,
      unit: "UTF-16 code units",
      reason: "what a failure expected or found, and why a disk was not grown; more is cut",
    },
    devices: {
      most: 2048,
      unit: "block devices of a node",
      reason: "256 partitions on each of some disks, or a host's loop devices; a list with more is refused",
    },
    devicesDepth: {
      most: 16,
      unit: "block devices on top of each other",
      reason: "partition, RAID, LUKS and LVM are 5; a deeper tree is refused",
    },
    mountpoints: { most: 64, unit: "mount points of a block device", reason: "a list with more is refused" },
    pathCharacters: {
      most: 4096,
      unit: "UTF-16 code units",
      reason: "PATH_MAX of Linux: each text about a block device; a list with a longer one is refused",
    },
    diskBytes: {
      most: 2 ** 50,
      unit: "bytes",
      reason: "a pebibyte; a list of block devices with a larger one is refused",
    },
  },
  facts: {
    bytes: {
      most: 16_384,
      unit: "bytes of JSON",
      reason: "all that is kept of one registration; a board of 32 interfaces has 4 KB. More is refused",
    },
    interfaces: { most: 16, unit: "network interfaces", reason: "no board has more; those after it are left out" },
    addresses: { most: 8, unit: "addresses of one interface", reason: "those after it are left out" },
    kernels: { most: 32, unit: "kernels, and folders of modules", reason: "those after it are left out" },
    capabilities: { most: 64, unit: "words", reason: "what an agent can do; those after it are left out" },
    foundSystems: { most: 16, unit: "stamped systems", reason: "on the disks of a node; those after it are left out" },
    textCharacters: {
      most: 256,
      unit: "UTF-16 code units",
      reason: "a text of a registration; more is cut",
    },
    nfsRootCharacters: { most: 512, unit: "UTF-16 code units", reason: "the value of nfsroot=; more is cut" },
    wordCharacters: {
      most: 64,
      unit: "UTF-16 code units",
      reason: "a name, id, serial number or address of a registration; more is cut",
    },
    capabilityCharacters: { most: 32, unit: "UTF-16 code units", reason: "one word; more is cut" },
    memoryBytes: { most: 2 ** 50, unit: "bytes", reason: "a pebibyte; more is not believed" },
    cpuCount: { most: 8192, unit: "CPUs", reason: "NR_CPUS of Linux's largest configurations; more is not believed" },
    uptimeSeconds: { most: 3_155_760_000, unit: "seconds", reason: "100 years; more is not believed" },
    hottestCelsius: { most: 200, unit: "degrees Celsius", reason: "no silicon computes there; more is not believed" },
    coldestCelsius: {
      most: 100,
      unit: "degrees Celsius below zero",
      reason: "no silicon computes there; less is not believed",
    },
  },
  nodes: {
    known: {
      most: 5000,
      unit: "nodes",
      reason:
        "no rack is so large. At it an unclaimed node makes room: who was seen longest ago, at last one of the address that has most",
    },
    discoveriesPerAddress: {
      most: 256,
      unit: "new nodes of one address by boot requests, then 4 a second",
      reason: "MAC addresses can be invented; more get a boot config and are not recorded",
    },
    discoveries: {
      most: 1024,
      unit: "new nodes by boot requests, then 4 a second",
      reason: "by UDP the address can be invented, too; more get a boot config and are not recorded",
    },
    registrationsPerAddress: {
      most: 256,
      unit: "new nodes of one address by registration, then 4 a second",
      reason: "each brings facts; more are refused, and agents try again",
    },
    unseenMs: {
      most: 24 * 60 * 60_000,
      unit: "milliseconds",
      reason: "that nobody has seen a node that was never claimed and ran no agent; then it is forgotten",
    },
    forgottenRoots: {
      most: 1000,
      unit: "forgotten nodes",
      reason: "of which it is remembered what root filesystem they use, should they still run; the oldest are dropped",
    },
  },
  acceptance: {
    next: { most: 5000, unit: "boards", reason: "that are accepted by their number; no rack is so large" },
    patterns: {
      most: 1000,
      unit: "patterns",
      reason: "of boards that are expected: each is held against each registration of a pending node",
    },
    patternCharacters: { most: 64, unit: "UTF-16 code units", reason: "of one of them; a longer one is refused" },
  },
  failures: {
    messageCharacters: {
      most: 65_536,
      unit: "UTF-16 code units",
      reason: "the message of any failure: a refusal may name each of some hundred nodes; more is cut",
    },
  },
  tasks: {
    ofNode: { most: 64, unit: "tasks", reason: "of one node's config; more are refused" },
    words: { most: 256, unit: "words", reason: "a task's program with its arguments; more are refused" },
    wordCharacters: { most: 4096, unit: "UTF-16 code units", reason: "one of these words; a longer one is refused" },
    scriptCharacters: { most: 65_536, unit: "UTF-16 code units", reason: "a task's script; a longer one is refused" },
    timeoutMs: {
      most: 24 * 60 * 60_000,
      unit: "milliseconds",
      reason: "of one task: a longer one is no first boot; it is refused",
    },
    variables: { most: 64, unit: "variables", reason: "of a task's environment; more are refused" },
    valueCharacters: { most: 4096, unit: "UTF-16 code units", reason: "of one of them; a longer one is refused" },
    secrets: { most: 16, unit: "secrets", reason: "of a task, each a file; more are refused" },
    secretCharacters: { most: 16_384, unit: "UTF-16 code units", reason: "of one of them; a longer one is refused" },
    starts: {
      most: 1000,
      unit: "starts",
      reason: "of one task without an end; three are tried, more are not believed",
    },
    problemCharacters: { most: 512, unit: "UTF-16 code units", reason: "why a task has failed; more is cut" },
    outputCharacters: {
      most: 2048,
      unit: "UTF-16 code units",
      reason: "the last lines of a task that has failed, which the controller is told; what comes before is left out",
    },
    outputLines: { most: 20, unit: "lines", reason: "of these; those before them are left out" },
    lineCharacters: { most: 1024, unit: "UTF-16 code units", reason: "one line that a task writes; more is cut" },
    journalCharacters: {
      most: 1024 * 1024,
      unit: "UTF-16 code units",
      reason: "what a task writes into the node's journal; what comes after is left out, which is told",
    },
    fileCharacters: {
      most: 1024 * 1024,
      unit: "UTF-16 code units",
      reason: "the file with a node's tasks; a longer one is refused, and none of them runs",
    },
  },
  board: {
    items: { most: 2000, unit: "items of a board report", reason: "a Pi 5 has some 900; those after it are left out" },
    bytes: { most: 512 * 1024, unit: "bytes", reason: "a board report in all; what comes after it is left out" },
    nameCharacters: { most: 512, unit: "UTF-16 code units", reason: "the name of an item; more is cut" },
    valueCharacters: { most: 4096, unit: "UTF-16 code units", reason: "the value of an item; more is cut" },
    logCharacters: { most: 64 * 1024, unit: "UTF-16 code units", reason: "the kernel's log; more is cut" },
  },
  profiles: {
    files: { most: 256, unit: "profiles", reason: "in the folder of profiles; a rack has a handful; more are refused" },
    fileBytes: {
      most: 256 * 1024,
      unit: "bytes",
      reason: "a profile's file; longer content goes into files of its own",
    },
    depth: { most: 16, unit: "levels", reason: "fields within fields of a profile; its deepest field has six" },
    templateCharacters: { most: 65_536, unit: "UTF-16 code units", reason: "one template; more is refused" },
    renderedCharacters: {
      most: 1_000_000,
      unit: "characters that a template makes on its way",
      reason: "as the library of templates counts them; more is refused",
    },
    renderMs: {
      most: 1000,
      unit: "milliseconds",
      reason:
        "until the templates of a node are rendered, all together: nothing else runs meanwhile; then they are refused",
    },
  },
  config: {
    bytes: {
      most: 3 * 1024 * 1024,
      unit: "bytes",
      reason: "of all texts and files of what a system is to be: it travels in one message, with the order to write",
    },
    users: { most: 64, unit: "users", reason: "that are made or changed; more is refused" },
    userGroups: { most: 64, unit: "groups of a user", reason: "more is refused" },
    authorizedKeys: { most: 64, unit: "authorized keys of a user", reason: "more is refused" },
    authorizedKeyCharacters: {
      most: 16_384,
      unit: "UTF-16 code units",
      reason: "one line of authorized_keys: an RSA key of 16,384 bits has 2,800; a longer one is refused",
    },
    hostKeys: { most: 4, unit: "host keys", reason: "one of each algorithm; more is refused" },
    hostKeyCharacters: {
      most: 16_384,
      unit: "UTF-16 code units",
      reason: "a private host key; a longer one is refused",
    },
    interfaces: { most: 16, unit: "network interfaces", reason: "no board has more; more is refused" },
    addresses: { most: 16, unit: "addresses of an interface", reason: "more is refused" },
    dns: { most: 8, unit: "DNS servers, and search domains, of an interface", reason: "more is refused" },
    files: {
      most: 256,
      unit: "files, folders and links",
      reason: "a system is configured, not installed; more is refused",
    },
    fileBytes: { most: 1024 * 1024, unit: "bytes", reason: "one file; a longer one is refused" },
    pathCharacters: { most: 1024, unit: "UTF-16 code units", reason: "the path of a file, or a link's target" },
    units: { most: 256, unit: "units", reason: "more is refused" },
    textCharacters: { most: 262_144, unit: "UTF-16 code units", reason: "cloud-config (userData); more is refused" },
    systemFileBytes: {
      most: 1024 * 1024,
      unit: "bytes",
      reason:
        "a file of the image that is amended, as /etc/passwd; in a larger one nothing is amended, and the write fails",
    },
    systemNames: {
      most: 4096,
      unit: "users, groups, locales or units of an image that are noted",
      reason: "those after it count as not there",
    },
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Limit>>>>;
