// The panel with the details of one cell or one shop.

/** The content of the panel: a row of `shops` and a topic, or null for the whole shop; null if the panel is closed. */
let opened = null;

const FIELDS = ["address", "format", "filter", "include_fields", "metafield_namespaces", "name", "metafields"];

const value = (side, field) => {
  if (!side) return null;
  const raw = side[field];
  if (raw === null || raw === undefined || (Array.isArray(raw) && raw.length === 0)) return null;
  return raw;
};

/** Returns one side of a field. Items of a list that the other side lacks are marked. */
const side = (own, other, kind) => {
  if (own === null) return el("span", { class: "none" }, "none");
  if (!Array.isArray(own)) return el("span", {}, String(own));
  const there = new Set(Array.isArray(other) ? other : []);
  const list = own.map((item) => el("li", {}, there.has(item) || other === undefined ? item : el(kind, {}, `${kind === "ins" ? "+" : "−"} ${item}`)));
  return el("ul", {}, list);
};

const named = (change, which) => {
  const at = change[which];
  if (!at) return null;
  const name = destinations[at.destination];
  return name === at.address ? null : el("div", { class: "name" }, name);
};

/** Returns the table of a change before and after, the changed fields first. */
const table = (change) => {
  const differs = (field) => change.fields.includes(field);
  const unknown = change.fields.filter((field) => !FIELDS.includes(field));
  const shown = FIELDS.filter((field) => differs(field) || value(change.before, field) !== null || value(change.after, field) !== null);
  shown.sort((a, b) => Number(differs(b)) - Number(differs(a)));
  const both = change.before && change.after;
  const line = (field) => {
    const [before, after] = [value(change.before, field), value(change.after, field)];
    const cell = (own, other, kind, which) => el("td", {}, field === "address" ? named(change, which) : null, side(own, other, kind));
    const cells = both && !differs(field)
      ? [el("td", { colspan: 2 }, field === "address" ? named(change, "after") : null, side(after, undefined, "ins"))]
      : [
          change.before ? cell(before, both ? after : undefined, "del", "before") : null,
          change.after ? cell(after, both ? before : undefined, "ins", "after") : null,
        ];
    return el("tr", { class: both && differs(field) ? "differs" : undefined }, el("th", { scope: "row" }, field), cells);
  };
  const head = el("tr", {}, el("td"), change.before ? el("th", { scope: "col" }, "Before") : null, change.after ? el("th", { scope: "col" }, "After") : null);
  return [
    el("table", {}, el("thead", {}, head), el("tbody", {}, shown.map(line))),
    unknown.length
      ? el("p", {}, `Other changed fields, which this version of Hookwright cannot show: ${unknown.join(", ")}`)
      : null,
  ];
};

/** Returns places in the manifest; those after the first three are counted. */
const source = (places) => {
  const known = [...new Set(places.filter((place) => place !== undefined))];
  const codes = known.slice(0, 3).map((place, at) => [at ? ", " : "", el("code", {}, sources[place])]);
  return known.length ? el("p", { class: "source" }, codes, known.length > 3 ? ` and ${number(known.length - 3)} more` : "") : null;
};

const outcome = ({ result, by_reading, reason, error }) => [
  el("p", { class: `result ${result}` }, `${STATES[result][0]} ${STATES[result][2]}`, by_reading ? ": no answer, confirmed by a later read" : ""),
  reason ? el("p", {}, reason) : null,
  error ? el("p", {}, el("b", {}, error.kind), ` ${error.message}`) : null,
];

/** Returns an item, with its topic if the panel shows a whole shop. */
const article = (item, topic, places) => {
  const { state, entry, change, blocked, note, to, many } = item;
  const sign = change ? SIGNS[change.action] : STATES[state][0];
  const what = change ? ACTIONS[change.action] : STATES[state][1];
  const target = to.length ? destinations[to[to.length - 1]] : null;
  const head = el("h4", {}, el("span", { class: "sign", "aria-hidden": "true" }, sign), " ", what, topic ? [" ", el("b", {}, topic)] : null,
    target ? [" → ", el("span", { class: "to" }, target)] : null, many > 1 ? ` (${many} times)` : null,
    change?.drift ? el("span", { class: "tag" }, "drift") : null);
  const parts = [head];
  if (state === "left_out") parts.push(el("p", { class: "reason" }, "Left out of this plan. ", data.left_out));
  if (entry?.outcome) parts.push(outcome(entry.outcome));
  if (change?.why) parts.push(el("p", { class: "why" }, change.why));
  if (blocked) parts.push(el("p", {}, el("b", {}, blocked.reason), ` ${blocked.message}`), source(places ?? [blocked.source]));
  if (note) parts.push(el("p", {}, note.message));
  if (change) parts.push(source(places ?? [entry.source]), table(change));
  if (entry?.id && !places) parts.push(el("p", { class: "id" }, "id ", el("code", {}, entry.id)));
  return el("article", { class: `item ${change ? change.action : state}` }, parts);
};

const finding = (note) =>
  el("li", { class: note.severity }, el("b", {}, note.kind), note.topic === undefined ? "" : ` ${topics[note.topic]}`, el("p", {}, note.message));

const findings = (title, notes) =>
  notes.length ? el("section", { class: "findings" }, el("h4", {}, title), el("ul", {}, notes.map(finding))) : null;

/** Returns the places of an item in all shops of a group. */
const placesOf = (group, topic, at) =>
  group?.map((row) => shops[row].cells.get(topic)?.items[at]).map((item) => item?.entry?.source ?? item?.blocked?.source);

const contents = (shop, topic, group) => {
  const of = group ? `, as in ${shop.name}` : "";
  const problem = shop.error ? el("p", { class: "problem" }, el("b", {}, shop.error.kind), ` ${shop.error.message}`) : null;
  if (topic !== null) {
    const cell = shop.cells.get(topic);
    // A report contains neither the bindings without changes nor the live subscriptions.
    const none = data.report ? "No change of this topic was planned for this shop."
      : shop.unread ? "This shop was not read, so its subscriptions are unknown."
      : "This shop has no webhook and no binding for this topic.";
    return [
      problem,
      cell ? cell.items.map((item, at) => article(item, null, placesOf(group, topic, at))) : el("p", { class: "empty" }, none),
      findings(`Findings${of}`, cell ? cell.notes : []),
      findings(`About the whole shop${of}`, shop.notes),
    ];
  }
  const cells = [...shop.cells.values()].sort((a, b) => a.topic - b.topic);
  const bound = cells.flatMap((cell) => cell.items).filter((item) => item.state === "bound").reduce((sum, item) => sum + item.many, 0);
  const rest = cells.flatMap((cell) => cell.items.filter((item) => item.state !== "bound").map((item) => article(item, topics[cell.topic])));
  return [
    el("p", { class: "status" }, STATUS[shop.status] ?? shop.status, bound ? `; ${number(bound)} up to date` : ""),
    shop.labels.length ? el("p", { class: "labels" }, shop.labels.map((label) => el("span", { class: "tag" }, label))) : null,
    shop.remark ? el("p", {}, `${shop.remark[0].toUpperCase()}${shop.remark.slice(1)}. To end them, keep the shop with \`use: []\` and \`bindings: []\`, apply, and then remove the shop.`) : null,
    problem,
    rest.length || shop.error || shop.left ? rest : el("p", { class: "empty" }, "This shop has no changes."),
    findings(`Findings${of}`, [...shop.notes, ...cells.flatMap((cell) => cell.notes)]),
  ];
};

/** Opens the panel. `group` are the shops of a group, whose first shop is `row`. */
const openPanel = (row, topic, focus, group) => {
  const shop = shops[row];
  opened = { row, topic, group };
  const names = group
    ? el("details", { class: "shop-name" }, el("summary", {}, `${count(group.length, "shop")} with equal rows`), group.map((at) => shops[at].name).join(", "))
    : el("p", { class: "shop-name" }, shop.shop);
  const close = el("button", { type: "button", class: "close", "aria-label": "Close" }, "×");
  close.addEventListener("click", () => closePanel(true));
  $("panel").replaceChildren(
    el("header", {}, el("div", {}, el("h3", { id: "panel-title" }, topic !== null ? topics[topic] : group ? count(group.length, "shop") : shop.name), names), close),
    el("div", { class: "scroll", tabindex: "0" }, contents(shop, topic, group).flat()),
  );
  $("panel").hidden = false;
  document.body.classList.add("open");
  gridChanged();
  if (focus) close.focus();
  saveHash();
};

/** Closes the panel. The focus returns to the cell that opened it. */
const closePanel = (focus) => {
  if (!opened) return;
  opened = null;
  $("panel").hidden = true;
  $("panel").replaceChildren();
  document.body.classList.remove("open");
  gridChanged();
  if (focus) focusActive();
  saveHash();
};

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && opened) {
    event.preventDefault();
    closePanel(true);
  }
});
