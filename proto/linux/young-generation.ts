import { setFlagsFromString } from "node:v8";

// Imported for its effect, and first, so that it holds while everything else is loaded. V8 lets the part of its heap in
// which objects are born grow as long as much is allocated, although agent and controller leave little there (V8's flag,
// Node documents setting flags). Kept as small as it begins, the agent takes some 25 MiB less while it writes an image
// and no more CPU; under 40,000 malformed messages the controller stays below 230 MiB instead of 400, with no more CPU.
setFlagsFromString("--semi-space-growth-factor=1");
