// Runs a module of ../wasm under node: node run.mjs FILE.wasm
import { readFileSync } from "node:fs";
const text = new TextDecoder();
let memory;
const write = (start, length) => process.stdout.write(text.decode(new Uint8Array(memory.buffer, start, length)));
const { instance } = await WebAssembly.instantiate(readFileSync(process.argv[2]), { host: { write } });
memory = instance.exports.memory;
process.exitCode = instance.exports.run();
