// Makes proto/gen anew from proto/pallet/**/*.proto: `npm run generate`.
import { execa } from "execa";

await execa("buf", ["generate"], { cwd: "proto", preferLocal: true, localDir: ".", stdio: "inherit" });
