// The manifest's schema as an editor meets it: opens the quickstart in yaml-language-server over LSP on stdio, types
// into it, and checks the answers of the server. Only the first line of the file names the schema.
//
//   node tests/editor/schema.mjs NODE_MODULES
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const modules = resolve(process.argv[2] ?? "target/npm/node_modules");
const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const file = join(root, "examples/quickstart/hookwright.yaml");
const quickstart = readFileSync(file, "utf8");

const server = spawn(process.execPath, [join(modules, "yaml-language-server/bin/yaml-language-server"), "--stdio"], {
  stdio: ["pipe", "pipe", "inherit"],
});
const deadline = setTimeout(() => {
  console.error("the language server did not answer in time");
  server.kill();
  process.exit(1);
}, 60_000);

let buffer = Buffer.alloc(0);
let lastId = 0;
const answers = new Map();
const diagnostics = new Map();

function send(message) {
  const body = Buffer.from(JSON.stringify({ jsonrpc: "2.0", ...message }));
  server.stdin.write(`Content-Length: ${body.length}\r\n\r\n`);
  server.stdin.write(body);
}

const notify = (method, params) => send({ method, params });
const ask = (method, params) =>
  new Promise((done, failed) => {
    const id = ++lastId;
    answers.set(id, { done, failed });
    send({ id, method, params });
  });

// The schema store is on the internet; nothing here may be.
const settings = { validate: true, hover: true, completion: true, schemaStore: { enable: false } };

function receive(message) {
  if (message.method === "workspace/configuration") {
    const result = message.params.items.map((item) => (item.section === "yaml" ? settings : null));
    send({ id: message.id, result });
  } else if (message.method && message.id !== undefined) {
    send({ id: message.id, result: null });
  } else if (message.method === "textDocument/publishDiagnostics") {
    const { uri, version, diagnostics: found } = message.params;
    diagnostics.get(uri)?.(found, version);
  } else if (answers.has(message.id)) {
    const { done, failed } = answers.get(message.id);
    answers.delete(message.id);
    message.error ? failed(new Error(message.error.message)) : done(message.result);
  }
}

server.stdout.on("data", (chunk) => {
  buffer = Buffer.concat([buffer, chunk]);
  for (;;) {
    const end = buffer.indexOf("\r\n\r\n");
    if (end < 0) return;
    const length = Number(/content-length: (\d+)/i.exec(buffer.subarray(0, end).toString())[1]);
    if (buffer.length < end + 4 + length) return;
    const body = buffer.subarray(end + 4, end + 4 + length).toString();
    buffer = buffer.subarray(end + 4 + length);
    receive(JSON.parse(body));
  }
});

let documents = 0;

// Opens a text beside the quickstart, so that its first line leads to the schema. `¦` is where the cursor is.
function open(text) {
  const at = text.indexOf("¦");
  const before = text.slice(0, Math.max(at, 0)).split("\n");
  const uri = pathToFileURL(join(dirname(file), `typed-${++documents}.yaml`)).href;
  const found = new Promise((done) => diagnostics.set(uri, done));
  notify("textDocument/didOpen", {
    textDocument: { uri, languageId: "yaml", version: 1, text: text.replace("¦", "") },
  });
  const position = { line: before.length - 1, character: before.at(-1).length };
  return { found, where: { textDocument: { uri }, position } };
}

async function completions(text) {
  const result = await ask("textDocument/completion", open(text).where);
  return new Map((result.items ?? result).map((item) => [item.label, item]));
}

async function hover(text) {
  const result = await ask("textDocument/hover", open(text).where);
  const contents = result?.contents;
  const shown = typeof contents === "string" ? contents : (contents?.value ?? "");
  // Without the values and examples that follow.
  return shown.split("Allowed Values")[0].trim();
}

const problems = async (text) => {
  const found = await open(text).found;
  const severity = { 1: "error", 2: "warning" };
  return found.map((d) => `${d.range.start.line + 1}: ${severity[d.severity]}: ${d.message.split("\n")[0]}`);
};

// The quickstart with the cursor after a piece of it, or with the piece replaced.
function edited(piece, by) {
  assert.equal(quickstart.split(piece).length, 2, `the quickstart has ${JSON.stringify(piece)} once`);
  return quickstart.replace(piece, by);
}

await ask("initialize", {
  processId: process.pid,
  rootUri: pathToFileURL(root).href,
  capabilities: {
    textDocument: {
      completion: { completionItem: { snippetSupport: true, documentationFormat: ["markdown"] } },
      hover: { contentFormat: ["markdown"] },
      publishDiagnostics: { versionSupport: true },
    },
    workspace: { configuration: true },
  },
});
notify("initialized", {});
notify("workspace/didChangeConfiguration", { settings: { yaml: settings } });

assert.match(quickstart.split("\n")[0], /^# yaml-language-server: \$schema=\.\.\/\.\.\/schemas\//);
assert.deepEqual(await problems(quickstart), [], "the quickstart itself has no problem");

// Keys, of a shop and of a binding, each with what it is for.
const shop = await completions(edited("  - shop: spice-market\n", "  - shop: spice-market\n    ¦\n"));
for (const key of ["scopes", "destinations", "bindings", "auth", "safety", "lint", "tolerate"]) {
  assert.ok(shop.has(key), `a shop's key ${key} is offered: ${[...shop.keys()]}`);
}
assert.ok(!shop.has("labels"), "a key that is there already is not offered again");
const binding = await completions(edited("        name: customers-loyalty\n", "        name: customers-loyalty\n        ¦\n"));
for (const key of ["format", "metafield_namespaces", "metafields"]) assert.ok(binding.has(key), `a binding's key ${key}`);
const top = await completions(edited("\nscopes: [", "\n¦\nscopes: ["));
for (const key of ["admin_api", "ownership", "safety"]) assert.ok(top.has(key), `the key ${key}`);

// Topics, alone and in a list; other values.
const topic = await completions(edited("topic: customers/update", "topic: ¦"));
assert.ok(topic.size > 100 && topic.has("customers/update") && topic.has("orders/create"), `${topic.size} topics`);
assert.ok(!topic.has("customers/redact"), "a compliance topic cannot be subscribed");
const topics = await completions(edited("topics: [orders/create, orders/updated]", "topics:\n        - orders/¦"));
assert.ok(topics.has("orders/paid"), "topics in a list");
assert.match(JSON.stringify(topic.get("orders/create").documentation ?? ""), /needs read_orders/, "what a topic needs");
const format = await completions(edited("        name: customers-loyalty\n", "        format: ¦\n"));
assert.ok(format.has("json") && format.has("xml"), "values of format");

// Descriptions.
assert.match(await hover(edited("include_fields: [id", "include_¦fields: [id")), /payload fields to deliver/);
assert.match(await hover(edited("topic: customers/update", "to¦pic: customers/update")), /topic/i);
assert.match(await hover(edited("binding_sets:", "binding_¦sets:")), /several shops can use/);

// What cannot be a topic is flagged at its line. What the catalogue does not know is valid by the schema, and HW100 of
// `validate`: JSON Schema has no keyword of its own for it, and strict validators refuse a schema with an unknown keyword.
const line = (piece) => quickstart.slice(0, quickstart.indexOf(piece)).split("\n").length;
const at = line("topic: customers/update");
const flagged = async (value) => (await problems(edited("topic: customers/update", `topic: ${value}`))).join("; ");
for (const wrong of ["customers update", "customers/", "https://example.com/x"]) {
  assert.match(await flagged(wrong), new RegExp(`^${at}: error: [^;]+$`));
}
assert.equal(await flagged("customers/updated"), "");
assert.match(await flagged("7"), new RegExp(`^${at}: error: Incorrect type`));
assert.equal(await flagged("orders/paid"), "");
const key = (await problems(edited('filter: "email', 'filtre: "email'))).join("; ");
assert.match(key, new RegExp(`^${line("filter: ")}: error: .*filtre`));

console.log(`yaml-language-server: ${topic.size} topics, keys, descriptions, and wrong topics at line ${at}`);
await ask("shutdown");
notify("exit");
clearTimeout(deadline);
