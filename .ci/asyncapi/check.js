// AsyncAPI's own parser over the description of the topics: `node check.js FILE`; 1 where it finds an error or a warning.
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

const WARNING = 1; // 0 is an error, 2 advice, such as that there is a newer version of AsyncAPI
const [, , file] = process.argv;
const { document, diagnostics } = await new Parser().parse(readFileSync(file, "utf8"));
const found = diagnostics.filter((each) => each.severity <= WARNING);
for (const { code, message, path } of found) console.error(`${file}: ${path.join(".")}: ${message} (${code})`);
if (!document || found.length) process.exit(1);
console.log(`${file}: ${document.allChannels().all().length} channels, ${document.allMessages().all().length} messages`);
