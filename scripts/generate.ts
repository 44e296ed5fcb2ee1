// Makes proto/gen again from proto/pallet/**/*.proto: `npm run generate`.
import { rm } from "node:fs/promises";
import { generateCode } from "./generate-code.ts";

await rm("proto/gen", { recursive: true, force: true });
await generateCode("proto");
