import { setFlagsFromString } from "node:v8";

// Imported for its effect. V8 lets the heap's old part grow to a multiple of what lives in it before it looks for garbage.
// What is asked of a controller leaves much of that and little that lives: under a flood its memory grew to 1.8 times what it
// was, and by a quarter at a time to 1.4 times (test/long/flood).
setFlagsFromString("--heap-growing-percent=25");
