// The filters, which are kept in the URL so that a link opens the same view; then the first drawing.

const INPUTS = { shop: $("f-shop"), label: $("f-label"), topic: $("f-topic"), to: $("f-to") };
const wanted = new Set();
/** The line of the summary whose changes are shown, or an empty text. */
let route = "";
/** The buttons of the summary. */
const ROUTES = [...document.querySelectorAll("[data-route]")];
const keyOf = (button) => data.routes[button.dataset.route];

/** Returns a predicate on items: whether the name or the address of a destination contains the text. */
const meets = (text) => {
  if (!text) return () => true;
  const places = new Set();
  const has = (name) => name.toLowerCase().includes(text);
  destinations.forEach((name, place) => has(name) && places.add(place));
  for (const change of changes) {
    for (const end of [change.before, change.after]) if (end && has(end.address)) places.add(end.destination);
  }
  return (item) => item.to.some((place) => places.has(place));
};

const apply = () => {
  const text = (name) => INPUTS[name].value.trim().toLowerCase();
  const [shopText, topicText, label] = [text("shop"), text("topic"), INPUTS.label.value];
  const goes = meets(text("to"));
  const to = text("to") !== "";
  const narrow = to || wanted.size > 0 || route !== "";
  const cellMatches = (cell) => {
    if (to && !cell.items.some(goes)) return false;
    if (route && !cell.items.some((item) => item.route === route)) return false;
    if (!wanted.size) return true;
    return cell.items.some((item) => wanted.has(item.state) && goes(item)) || [...cell.marks].some((mark) => wanted.has(mark));
  };
  const topicShown = topics.map((topic) => topic.toLowerCase().includes(topicText));
  const cols = new Set();
  const rows = [];
  shops.forEach((shop, at) => {
    if (!shop.shop.includes(shopText) || (label && !shop.labels.includes(label))) return;
    let some = false;
    for (const cell of shop.cells.values()) {
      if (!topicShown[cell.topic] || !cellMatches(cell)) continue;
      some = true;
      cols.add(cell.topic);
    }
    const whole = !to && !route && ((wanted.has("unread") && shop.unread) || (wanted.has("left") && shop.left) || (wanted.has("attention") && shop.attention && !topicText));
    if (some || whole || (!narrow && (!topicText || shop.whole))) rows.push(at);
  });
  const all = !narrow && !topicText && !shopText && !label;
  shown = { rows, cols: all ? topics.map((_, at) => at) : [...cols].sort((a, b) => a - b), match: cellMatches };
  shown.lines = linesOf(rows, shown.cols);
  const filtered = narrow || topicText || shopText || label;
  $("clear").disabled = !filtered;
  for (const button of ROUTES) button.setAttribute("aria-pressed", keyOf(button) === route);
  for (const chip of $("states").children) chip.setAttribute("aria-pressed", wanted.has(chip.dataset.state));
  $("shown").textContent = emptyWords(rows.length, filtered);
  $("grid").hidden = rows.length === 0;
  grid.scrollTop = 0;
  build();
};

const emptyWords = (rows, filtered) => {
  if (!shops.length) return data.report ? "No shop had changes." : "No shop matches the selection.";
  if (!rows) return "No shop matches these filters.";
  if (!topics.length) return data.report ? "These shops had no changes." : "These shops have no webhooks and no bindings.";
  const sizes = [[rows, shops.length, "shop"], [shown.cols.length, topics.length, "topic"]];
  const some = sizes.map(([n, all, thing]) => (filtered ? `${number(n)} of ${count(all, thing)}` : count(all, thing)));
  const groups = shown.lines.some((line) => line.members) ? " Shops with equal rows share one line; click it to expand it." : "";
  const only = ROUTES.find((button) => keyOf(button) === route);
  const what = only ? `Only ${only.parentElement.querySelector(".way").textContent}: ` : "";
  return `${what}${some.join(", ")}.${groups} Click a cell or press Enter to see its details.`;
};

/** Writes the filters and the open cell to the URL. */
const saveHash = () => {
  const parts = new URLSearchParams();
  for (const [name, input] of Object.entries(INPUTS)) if (input.value.trim()) parts.set(name, input.value.trim());
  if (wanted.size) parts.set("state", [...wanted].join(","));
  if (route) parts.set("route", route);
  if (opened) parts.set("open", shops[opened.row].shop + (opened.topic === null ? "" : `|${topics[opened.topic]}`));
  // A page in a sandboxed frame must not change its URL.
  try {
    history.replaceState(null, "", parts.size ? `#${parts}` : location.href.split("#")[0]);
  } catch {}
};

const loadHash = () => {
  const parts = new URLSearchParams(location.hash.slice(1));
  for (const [name, input] of Object.entries(INPUTS)) input.value = parts.get(name) ?? "";
  wanted.clear();
  for (const state of (parts.get("state") ?? "").split(",")) if (STATES[state] || MARKS[state]) wanted.add(state);
  const asked = parts.get("route") ?? "";
  route = ROUTES.some((button) => keyOf(button) === asked) ? asked : "";
  if (opened) closePanel(false);
  apply();
  const [domain, topic] = (parts.get("open") ?? "").split("|");
  const row = shops.findIndex((shop) => shop.shop === domain);
  const place = topic === undefined ? null : topics.indexOf(topic);
  if (row < 0 || place === -1) return;
  const line = shown.lines.find((line) => line.members?.includes(row));
  const group = line && line.at === row && place !== null ? line.members : undefined;
  if (line && !group && !expanded.has(line.key)) {
    expanded.add(line.key);
    apply();
  }
  const at = lineOf({ row, group });
  if (at >= 0) {
    active.row = at;
    active.col = place === null ? 0 : Math.max(0, shown.cols.indexOf(place) + 1);
    focusActive();
  }
  openPanel(row, place, false, group);
};

const changed = () => {
  apply();
  saveHash();
};

for (const button of ROUTES) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const again = route === keyOf(button);
    clear();
    route = again ? "" : keyOf(button);
    changed();
    if (again) return;
    $("matrix-title").focus({ preventScroll: true });
    $("matrix").scrollIntoView();
  });
}

for (const [state, [sign, word]] of Object.entries({ ...STATES, ...MARKS })) {
  if (!totals[state]) continue;
  const chip = el("button", { type: "button", "aria-pressed": "false", class: `chip ${state}` },
    el("span", { class: "sign", "aria-hidden": "true" }, sign), word, el("b", {}, number(totals[state])));
  chip.dataset.state = state;
  chip.addEventListener("click", () => {
    if (!wanted.delete(state)) wanted.add(state);
    changed();
  });
  $("states").append(chip);
}
const labels = [...new Set(shops.flatMap((shop) => shop.labels))].sort();
INPUTS.label.append(...labels.map((label) => el("option", { value: label }, label)));
$("f-label-field").hidden = labels.length === 0;
const options = (names) => names.slice(0, 300).map((name) => el("option", { value: name }));
$("topics").append(...options(topics));
$("destinations").append(...options(destinations));

$("filters").addEventListener("input", changed);
$("filters").addEventListener("submit", (event) => event.preventDefault());
const clear = () => {
  for (const input of Object.values(INPUTS)) input.value = "";
  wanted.clear();
  route = "";
};
$("clear").addEventListener("click", () => {
  clear();
  changed();
});
addEventListener("hashchange", loadHash);

$("matrix").hidden = false;
loadHash();
performance.mark("matrix-drawn");
