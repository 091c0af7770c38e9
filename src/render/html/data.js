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
const { topics, destinations, sources, changes, rows } = data;

/** The states of an item, the most important first: sign, label in the legend, words for a cell. */
const STATES = data.report
  ? {
      failed: ["×", "failed", "failed"],
      blocked: ["⊘", "blocked", "blocked"],
      skipped: ["»", "skipped", "skipped"],
      applied: ["✓", "applied", "applied"],
      already_so: ["=", "already as planned", "already as planned before this run"],
    }
  : {
      delete: ["−", "destroy", "to be destroyed"],
      blocked: ["⊘", "blocked", "blocked"],
      update: ["~", "change", "to be changed"],
      create: ["+", "create", "to be created"],
      left_out: ["◌", "left out", "left out of this plan"],
      unmanaged: ["○", "unmanaged", "unmanaged"],
      bound: ["•", "up to date", "up to date"],
    };
/** Marks in addition to a state, or on a whole shop: sign, label in the legend. */
const MARKS = data.report
  ? { attention: ["!", "attention"], unread: ["?", "shop not read or stale"] }
  : { drift: ["d", "drift"], attention: ["!", "attention"], unread: ["?", "shop not read"] };
const ORDER = Object.keys(STATES);
const SIGNS = { create: "+", update: "~", delete: "−" };
const ACTIONS = { create: "create", update: "update in-place", delete: "destroy" };
const STATUS = {
  changed: "with changes", unchanged: "without changes", blocked: "bindings blocked", left: "left the manifest", failed: "not read", unavailable: "not read, tolerated",
  done: "done", incomplete: "incomplete", stale: "stale, nothing sent", not_read: "not read, nothing sent",
};
const UNREAD = ["failed", "unavailable", "stale", "not_read"];

const handle = (shop) => (shop.endsWith(".myshopify.com") ? shop.slice(0, -14) : shop);
const number = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, ",");
const count = (n, thing) => `${number(n)} ${thing}${n === 1 ? "" : "s"}`;

/** Returns the destinations of a change, as indices of the list. */
const ends = (change) => [change.before, change.after].filter(Boolean).map((side) => side.destination);

/** Returns one shop for the matrix, with the content of its cells by topic. */
const prepare = (row) => {
  const cells = new Map();
  const cell = (topic) => {
    if (!cells.has(topic)) cells.set(topic, { topic, items: [], notes: [], marks: new Set() });
    return cells.get(topic);
  };
  for (const [topic, to, many] of row.bound) cell(topic).items.push({ state: "bound", to: [to], many });
  for (const entry of row.entries) {
    const change = changes[entry.change];
    const state = entry.outcome ? entry.outcome.result : entry.left_out ? "left_out" : change.action;
    const at = cell(change.topic);
    at.items.push({ state, to: ends(change), many: 1, entry, change });
    if (change.drift && !data.report) at.marks.add("drift");
  }
  for (const blocked of row.blocked) {
    cell(blocked.topic).items.push({ state: "blocked", to: [blocked.destination], many: 1, blocked });
  }
  const notes = [];
  for (const note of row.findings) {
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
    at.states = new Set(at.items.map((item) => item.state));
  }
  const unread = UNREAD.includes(row.status);
  const attention = notes.some((note) => note.severity === "attention");
  const quiet = !attention && [...cells.values()].every((at) => !at.marks.size && ["bound", "unmanaged", "applied", "already_so"].includes(at.items[0]?.state ?? "bound"));
  return { ...row, name: handle(row.shop), cells, notes, unread, attention, quiet: quiet && !unread && row.status !== "left", whole: unread && cells.size === 0 };
};

const shops = rows.map(prepare);

/** The number of occurrences of each state and mark, over all shops. */
const totals = (() => {
  const sum = Object.fromEntries([...ORDER, ...Object.keys(MARKS)].map((state) => [state, 0]));
  for (const shop of shops) {
    if (shop.unread) sum.unread += 1;
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
    const what = data.report && item.change ? `${ACTIONS[item.change.action]} ${STATES[item.state][2]}` : STATES[item.state][2];
    const drift = item.change?.drift ? " (drift)" : "";
    const times = item.many > 1 ? ` ${item.many} times` : "";
    return `${what}${drift}${times}${to.length ? `: ${to.join(" → ")}` : ""}`;
  });
  for (const note of cell.notes) parts.push(note.kind.replaceAll("_", " "));
  return parts.join("; ");
};
