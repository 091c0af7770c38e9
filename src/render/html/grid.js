// The matrix. Only visible rows are in the document, so that a thousand shops are as fast as forty. One cell is in the tab
// order; the arrow keys, Home, End, Page Up and Page Down move it.

const grid = $("grid");
/** The filtered lines and topics. A line is a shop, or the group of the shops whose rows are equal. */
let shown = { lines: [], cols: [], match: () => true };
/** The keys of the groups that are expanded to their shops. */
const expanded = new Set();
/** The cell in the tab order: index of the shown row, and 0 for the shop or 1 + index of the shown topic. */
const active = { row: 0, col: 0 };
/** The rows in the document by their index. */
const present = new Map();
let body = el("div");
let size = { row: 28, head: 150 };

/** Returns the lines of some shops: equal rows form one line, which can be expanded. Lines that need no action are last. */
const linesOf = (rows, cols) => {
  const groups = new Map();
  for (const at of rows) {
    const shop = shops[at];
    const key = shop.whole ? shop.text : `${shop.text} ${cols.map((topic) => shop.cells.get(topic)?.text ?? "").join(" ")}`;
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(at);
  }
  const lines = [...groups].map(([key, members]) => ({ at: members[0], members, key }));
  const last = (line) => Number(members(line).every((at) => shops[at].quiet));
  lines.sort((a, b) => last(a) - last(b));
  return lines.flatMap((line) => {
    if (line.members.length < 2) return [{ at: line.at }];
    return [line, ...(expanded.has(line.key) ? line.members.map((at) => ({ at, inside: true })) : [])];
  });
};

/** Returns the shops of a line. */
const members = (line) => line.members ?? [line.at];

/** Returns the names of some shops; those after the first `max` are counted. */
const namesOf = (all, max) => {
  const names = all.slice(0, max).map((at) => shops[at].name).join(", ");
  return all.length > max ? `${names} and ${number(all.length - max)} more` : names;
};

const cellOf = (shop, topic, col) => {
  const cell = shop.cells.get(topic);
  const node = el("div", { role: "gridcell", "aria-colindex": col + 2, class: "cell" });
  if (!cell) {
    node.setAttribute("aria-label", `${topics[topic]}: ${data.report ? "no change" : shop.unread ? "unknown" : "no webhook"}`);
    return node;
  }
  const first = cell.items[0];
  const state = first ? first.state : "note";
  const extra = cell.items.reduce((sum, item) => sum + item.many, 0);
  node.className = `cell ${state}${first?.change && data.report ? ` did-${first.change.action}` : ""}${shown.match(cell) ? "" : " off"}`;
  const label = `${topics[topic]}: ${words(shop, cell)}`;
  node.setAttribute("aria-label", label);
  node.title = label;
  node.append(first ? STATES[state][0] : "!");
  // The mark beside the sign, in order of importance: attention, drift, action, number.
  const corner = cell.marks.has("attention") && first ? "!" : cell.marks.has("drift") ? "d"
    : data.report && first?.change ? SIGNS[first.change.action] : extra > 1 ? String(Math.min(extra, 99)) : "";
  if (corner) {
    node.classList.add("marked");
    node.append(el("i", { "aria-hidden": "true", "data-mark": corner, class: corner === "!" ? "alarm" : corner === "d" ? "drift" : undefined }));
  }
  return node;
};

/** Returns the first cell of a row: the name of the shop, or the number of shops in a group. */
const headOf = (line, shop) => {
  const flag = shop.attention ? el("i", { class: "alarm", title: "needs attention", "data-mark": "!" }) : shop.unread ? el("i", { class: "alarm", title: STATUS[shop.status], "data-mark": "?" }) : null;
  const status = `${STATUS[shop.status] ?? shop.status}${shop.attention ? ", needs attention" : ""}`;
  const attributes = { role: "rowheader", "aria-colindex": 1, class: `shop${line.inside ? " inside" : ""}` };
  if (!line.members) {
    return el("div", { ...attributes, title: shop.shop, "aria-label": `${shop.name}, ${status}` }, el("span", {}, shop.name), flag);
  }
  const open = expanded.has(line.key);
  const [many, names] = [count(line.members.length, "shop"), namesOf(line.members, 20)];
  const label = `${many} with equal rows: ${names}; ${status}`;
  return el("div", { ...attributes, title: names, "aria-label": label, "aria-expanded": String(open) },
    el("span", { class: "fold", "aria-hidden": "true" }, open ? "▾" : "▸"), el("span", {}, el("b", {}, many), ` ${names}`), flag);
};

const rowOf = (place) => {
  const line = shown.lines[place];
  const shop = shops[line.at];
  const row = el("div", { role: "row", "aria-rowindex": place + 2, class: `row ${shop.status}${shop.quiet ? " quiet" : ""}${line.members ? " group" : ""}` });
  row.dataset.place = place;
  row.append(headOf(line, shop));
  if (shop.whole) {
    const more = shop.remark ?? shop.error?.kind;
    const text = `${STATUS[shop.status]}${more ? `${shop.left ? ";" : ":"} ${more}` : ""}`;
    row.append(el("div", { role: "gridcell", "aria-colindex": 2, "aria-colspan": Math.max(1, shown.cols.length), class: "cell whole", title: shop.error?.message }, text));
  } else {
    row.append(...shown.cols.map((topic, col) => cellOf(shop, topic, col)));
  }
  row.style.transform = `translateY(${place * size.row}px)`;
  return row;
};

/** Returns the element of a cell. A row with a single cell has it in every column. */
const cellAt = (place, col) => {
  const row = present.get(place);
  return row ? row.children[Math.min(col, row.children.length - 1)] : null;
};

/** Returns the place of the line that a panel shows, or -1. */
const lineOf = ({ row, group }) => shown.lines.findIndex((line) => line.at === row && Boolean(line.members) === Boolean(group));

const markActive = () => {
  for (const node of body.querySelectorAll("[tabindex='0']")) node.tabIndex = -1;
  const node = cellAt(active.row, active.col);
  if (node) node.tabIndex = 0;
  for (const node of grid.querySelectorAll(".at")) node.classList.remove("at");
  if (opened) {
    const place = lineOf(opened);
    const col = opened.topic === null ? 0 : shown.cols.indexOf(opened.topic) + 1;
    if (place >= 0) cellAt(place, col)?.classList.add("at");
  }
};

/** Adds the visible rows to the document and removes the others, except the active one. */
const draw = () => {
  const total = shown.lines.length;
  const first = Math.max(0, Math.floor(grid.scrollTop / size.row) - 8);
  const end = Math.min(total, Math.ceil((grid.scrollTop + grid.clientHeight) / size.row) + 8);
  for (const [place, row] of present) {
    if ((place < first || place >= end) && place !== active.row) {
      row.remove();
      present.delete(place);
    }
  }
  // Screen readers follow the order of the document, so it is that of the shops.
  const after = [...present.keys()].sort((a, b) => a - b);
  for (let place = first; place < end; place += 1) {
    if (present.has(place)) continue;
    const next = after.find((there) => there > place);
    const row = rowOf(place);
    body.insertBefore(row, next === undefined ? null : present.get(next));
    present.set(place, row);
  }
  if (total && !present.has(active.row)) {
    present.set(active.row, rowOf(active.row));
    body.append(present.get(active.row));
  }
  markActive();
};

/** Rebuilds the matrix after a change of the filters. */
const build = () => {
  present.clear();
  active.row = Math.min(active.row, Math.max(0, shown.lines.length - 1));
  active.col = Math.min(active.col, shown.cols.length);
  const corner = el("div", { role: "columnheader", "aria-colindex": 1, class: "corner" }, "Shop");
  const heads = shown.cols.map((topic, col) => {
    const [group, ...rest] = topics[topic].split("/");
    const name = rest.length ? [el("b", {}, group), `/${rest.join("/")}`] : [el("b", {}, group)];
    const fresh = col === 0 || topics[shown.cols[col - 1]].split("/")[0] !== group;
    return el("div", { role: "columnheader", "aria-colindex": col + 2, class: fresh ? "topic fresh" : "topic", title: topics[topic] }, el("span", {}, name));
  });
  const head = el("div", { role: "row", "aria-rowindex": 1, class: "head" }, corner, heads);
  body = el("div", { role: "rowgroup", class: "rows" });
  grid.replaceChildren(el("div", { role: "rowgroup", class: "heads" }, head), body);
  grid.setAttribute("aria-rowcount", shown.lines.length + 1);
  grid.setAttribute("aria-colcount", shown.cols.length + 1);
  // The height fits the longest topic, at about 6.5 pixels per letter.
  const longest = Math.max(0, ...shown.cols.map((topic) => topics[topic].length));
  grid.style.setProperty("--head", `${Math.round(Math.min(190, Math.max(84, 28 + 6.5 * longest)))}px`);
  grid.style.setProperty("--cols", Math.max(1, shown.cols.length));
  const style = getComputedStyle(grid);
  size = { row: parseFloat(style.getPropertyValue("--row")), head: head.offsetHeight };
  body.style.height = `${shown.lines.length * size.row}px`;
  draw();
};

/** Redraws the matrix after the panel was opened or closed. */
const gridChanged = () => draw();

/** Scrolls the active cell out from under the header row and column, and focuses it. */
const focusActive = () => {
  const top = active.row * size.row;
  if (top < grid.scrollTop) grid.scrollTop = top;
  const room = grid.clientHeight - size.head - size.row;
  if (top > grid.scrollTop + room) grid.scrollTop = top - room;
  draw();
  const node = cellAt(active.row, active.col);
  if (!node) return;
  if (!node.classList.contains("whole")) node.scrollIntoView({ block: "nearest", inline: "nearest" });
  node.focus({ preventScroll: true });
};

const placeOf = (node) => {
  const cell = node.closest("[role=gridcell], [role=rowheader]");
  const row = cell?.closest(".row");
  return row ? { row: Number(row.dataset.place), col: [...row.children].indexOf(cell) } : null;
};

const openActive = (focus) => {
  const line = shown.lines[active.row];
  if (line === undefined) return;
  if (line.members && active.col === 0) {
    toggle(line);
    return;
  }
  const whole = active.col === 0 || shops[line.at].whole;
  openPanel(line.at, whole ? null : shown.cols[active.col - 1], focus, line.members);
};

/** Expands or collapses a group. */
const toggle = (line) => {
  if (!expanded.delete(line.key)) expanded.add(line.key);
  shown.lines = linesOf(shown.rows, shown.cols);
  const top = grid.scrollTop;
  build();
  grid.scrollTop = top;
  focusActive();
};

grid.addEventListener("scroll", () => requestAnimationFrame(draw), { passive: true });
addEventListener("resize", () => requestAnimationFrame(draw));

grid.addEventListener("click", (event) => {
  const place = placeOf(event.target);
  if (!place) return;
  Object.assign(active, place);
  markActive();
  openActive(true);
});

grid.addEventListener("focusin", (event) => {
  const place = placeOf(event.target);
  // A row with a single cell does not change the active column.
  if (place && !event.target.classList.contains("whole")) Object.assign(active, place);
});

grid.addEventListener("keydown", (event) => {
  const [rows, cols] = [shown.lines.length, shown.cols.length];
  if (!rows || event.altKey || event.metaKey) return;
  const page = Math.max(1, Math.floor((grid.clientHeight - size.head) / size.row) - 1);
  const to = { ...active };
  switch (event.key) {
    case "ArrowDown": to.row += 1; break;
    case "ArrowUp": to.row -= 1; break;
    case "ArrowRight": to.col += 1; break;
    case "ArrowLeft": to.col -= 1; break;
    case "PageDown": to.row += page; break;
    case "PageUp": to.row -= page; break;
    case "Home": to.col = 0; if (event.ctrlKey) to.row = 0; break;
    case "End": to.col = cols; if (event.ctrlKey) to.row = rows - 1; break;
    case "Enter": case " ": event.preventDefault(); openActive(true); return;
    default: return;
  }
  event.preventDefault();
  active.row = Math.max(0, Math.min(rows - 1, to.row));
  active.col = Math.max(0, Math.min(cols, to.col));
  focusActive();
});
