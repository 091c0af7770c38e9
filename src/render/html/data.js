// The data of the page, prepared for the matrix. Text in the data becomes text nodes and attribute values, not markup.

const $ = (id) => document.getElementById(id);

/** Returns an element. Strings among the children become text. */
const el = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
};

const data = JSON.parse($("data").textContent);
const { topics, destinations, sources, changes, bounds, rows } = data;

/** The states of an item, the most important first: sign, label in the legend, words for a cell. */
const STATES = data.report
  ? {
      failed: ["×", "failed", "failed"],
      blocked: ["⊘", "blocked", "blocked"],
      skipped: ["»", "skipped", "skipped"],
      applied: ["✓", "applied", "applied"],
      already_so: ["=", "already done", "already done before this run"],
    }
  : {
      delete: ["−", "destroy", "to be destroyed"],
      blocked: ["⊘", "blocked", "blocked"],
      update: ["~", "change", "to be changed"],
      create: ["+", "create", "to be created"],
      left_out: ["‖", "left out", "left out of this plan"],
      unmanaged: ["○", "unmanaged", "unmanaged"],
      bound: ["•", "up to date", "up to date"],
    };
/** Marks in addition to a state, or on a whole shop: sign, label in the legend. */
const MARKS = data.report
  ? { attention: ["!", "attention"], unread: ["?", "shop not read or stale"] }
  : { drift: ["d", "drift"], attention: ["!", "attention"], unread: ["?", "shop not read"], left: ["→", "shop left"] };
const ORDER = Object.keys(STATES);
const SIGNS = { create: "+", update: "~", delete: "−" };
const ACTIONS = { create: "create", update: "update in-place", delete: "destroy" };
const STATUS = {
  left: "left the manifest",
  changed: "with changes", unchanged: "without changes", blocked: "bindings blocked", failed: "not read", unavailable: "not read, tolerated",
  done: "done", incomplete: "incomplete", stale: "stale, nothing sent", not_read: "not read, nothing sent",
};
const UNREAD = ["failed", "unavailable", "stale", "not_read"];

const handle = (shop) => (shop.endsWith(".myshopify.com") ? shop.slice(0, -14) : shop);
const number = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, ",");
const count = (n, thing) => `${number(n)} ${thing}${n === 1 ? "" : "s"}`;

/** Returns the destinations of a change, as indices of the list. */
const ends = (change) => [change.before, change.after].filter(Boolean).map((side) => side.destination);

/** Returns what the changes of one line of the summary have in common. The summary has the same texts in `data.routes`. */
const routeOf = (state, change) => {
  const name = (side) => (side ? destinations[side.destination] : "");
  return [state, change.action, change.drift && !data.report ? "drift" : "", name(change.before), name(change.after)].join("|");
};

/** Returns the content of a cell as text. Equal cells have equal text; places in the manifest and IDs do not count. */
const textOf = ({ items, notes }) => {
  const [{ state, to, many, entry, blocked } = {}] = items;
  // Most cells have a single binding or change.
  if (items.length === 1 && !notes.length && !blocked && !entry?.outcome) return `${state} ${entry ? entry.change : to[0]} ${many}`;
  return JSON.stringify([
    items.map(({ state, to, many, entry, blocked }) => [state, to, many, entry?.change, entry?.outcome, blocked?.reason]),
    notes.map(({ kind, severity }) => [kind, severity]),
  ]);
};

/** Returns one shop for the matrix, with the content of its cells by topic. */
const prepare = (row) => {
  const cells = new Map();
  const cell = (topic) => {
    if (!cells.has(topic)) cells.set(topic, { topic, items: [], notes: [], marks: new Set() });
    return cells.get(topic);
  };
  for (const [topic, to, many] of bounds[row.bound]) cell(topic).items.push({ state: "bound", to: [to], many });
  for (const entry of row.entries) {
    const change = changes[entry.change];
    const state = entry.outcome ? entry.outcome.result : change.action;
    const at = cell(change.topic);
    at.items.push({ state, to: ends(change), many: 1, entry, change, route: routeOf(state, change) });
    if (change.drift && !data.report) at.marks.add("drift");
  }
  for (const entry of row.left_out ?? []) {
    const change = changes[entry.change];
    cell(change.topic).items.push({ state: "left_out", to: ends(change), many: 1, entry, change });
  }
  const blocked = [["blocked", row.blocked ?? []], ["left_out", row.left_blocked ?? []]];
  for (const [state, all] of blocked) {
    for (const one of all) cell(one.topic).items.push({ state, to: [one.destination], many: 1, blocked: one });
  }
  const notes = [];
  for (const note of row.findings ?? []) {
    if (note.topic === undefined) {
      notes.push(note);
      continue;
    }
    const at = cell(note.topic);
    if (note.kind === "unmanaged" && !data.report) {
      at.items.push({ state: "unmanaged", to: note.destination === undefined ? [] : [note.destination], many: 1, note });
    } else {
      at.notes.push(note);
      if (note.severity !== "info") at.marks.add("attention");
    }
  }
  for (const at of cells.values()) {
    at.items.sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state));
    at.text = textOf(at);
  }
  const unread = UNREAD.includes(row.status);
  const left = row.status === "left";
  const attention = notes.some((note) => note.severity === "attention");
  const quiet = !attention && [...cells.values()].every((at) => !at.marks.size && ["bound", "unmanaged", "applied", "already_so"].includes(at.items[0]?.state ?? "bound"));
  const whole = left || (unread && cells.size === 0);
  // What the row shows apart from its cells.
  const text = JSON.stringify([whole, whole ? row.status : unread, row.error?.kind, row.remark, notes.map(({ kind, severity }) => [kind, severity])]);
  return { ...row, name: handle(row.shop), cells, notes, unread, left, attention, quiet: quiet && !unread && !left, whole, text };
};

const shops = rows.map(prepare);

/** The number of occurrences of each state and mark, over all shops. */
const totals = (() => {
  const sum = Object.fromEntries([...ORDER, ...Object.keys(MARKS)].map((state) => [state, 0]));
  for (const shop of shops) {
    if (shop.unread) sum.unread += 1;
    if (shop.left) sum.left += 1;
    if (shop.attention) sum.attention += 1;
    for (const cell of shop.cells.values()) {
      for (const item of cell.items) sum[item.state] += item.many;
      for (const mark of cell.marks) sum[mark] += 1;
    }
  }
  return sum;
})();

/** Returns a cell in words, for its accessible name and its tooltip. */
const words = (shop, cell) => {
  const parts = cell.items.map((item) => {
    const to = item.to.map((place) => destinations[place]).filter((name, at, all) => all.indexOf(name) === at);
    const planned = item.state === "left_out" && (item.change ? ACTIONS[item.change.action] : "blocked");
    const what = planned ? `${STATES.left_out[2]}: ${planned}` : data.report && item.change ? `${ACTIONS[item.change.action]} ${STATES[item.state][2]}` : STATES[item.state][2];
    const drift = item.change?.drift ? " (drift)" : "";
    const times = item.many > 1 ? ` ${item.many} times` : "";
    return `${what}${drift}${times}${to.length ? `: ${to.join(" → ")}` : ""}`;
  });
  for (const note of cell.notes) parts.push(note.kind.replaceAll("_", " "));
  return parts.join("; ");
};
