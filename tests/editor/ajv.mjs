// The committed schemas in ajv 8 as it is by default, which is strict: each compiles, and the examples and what the
// program prints keep to them.
//
//   node tests/editor/ajv.mjs NODE_MODULES HOOKWRIGHT
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const [modules, hookwright] = process.argv.slice(2).map((path) => resolve(path));
const require = createRequire(join(modules, "/"));
const Ajv = require("ajv/dist/2020").default;
const { parse } = require("yaml");
const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

// ajv only logs some of what its strict mode finds.
const logger = Object.fromEntries(["log", "warn", "error"].map((level) => [level, (text) => assert.fail(text)]));
const validators = new Map();
for (const file of readdirSync(join(root, "schemas"))) {
  const schema = JSON.parse(readFileSync(join(root, "schemas", file), "utf8"));
  validators.set(file.split(".")[0], new Ajv({ logger }).compile(schema));
}
const names = [
  "auth-status", "checked", "destinations", "events", "gaps", "manifest", "plan", "report", "topics", "validate",
];
assert.deepEqual([...validators.keys()].sort(), names);

function keepsTo(name, value, what) {
  const validate = validators.get(name);
  assert.ok(validate(value), `${what}: ${JSON.stringify(validate.errors, null, 2)}`);
}

const manifests = readdirSync(join(root, "examples"), { recursive: true })
  .filter((file) => /\.ya?ml$/.test(file))
  .map((file) => [file, readFileSync(join(root, "examples", file), "utf8")])
  .filter(([, text]) => /^version: 1$/m.test(text));
assert.ok(manifests.length > 3, `${manifests.length} manifests`);
for (const [file, text] of manifests) keepsTo("manifest", parse(text), file);
assert.ok(!validators.get("manifest")({ version: 1, shop: [] }), "the schema can say no");

const folder = mkdtempSync(join(tmpdir(), "hookwright-ajv-"));
try {
  const run = (...args) => {
    const more = ["--sandbox", "-f", join(root, "examples/quickstart"), "--format", "json"];
    const { status, stdout, stderr } = spawnSync(hookwright, [...args, ...more], { cwd: folder, encoding: "utf8" });
    assert.ok(status === 0 || status === 2, stderr);
    return JSON.parse(stdout);
  };
  keepsTo("plan", run("plan"), "a plan");
  keepsTo("report", run("apply", "--auto-approve", "--journal", "journal.jsonl"), "an apply report");
  keepsTo("auth-status", run("auth", "status"), "an auth status");
  keepsTo("destinations", run("destinations"), "a list of destinations");
  const gaps = spawnSync(hookwright, ["gaps", "journal.jsonl", "--format", "json"], { cwd: folder, encoding: "utf8" });
  keepsTo("gaps", JSON.parse(gaps.stdout), "a list of gaps");
  const lines = readFileSync(join(folder, "journal.jsonl"), "utf8").trim().split("\n");
  for (const line of lines) keepsTo("events", JSON.parse(line), "a line of a journal");
  console.log(`ajv: ${validators.size} schemas, ${manifests.length} manifests, a plan, a report, ${lines.length} lines of a journal`);
} finally {
  rmSync(folder, { recursive: true });
}
