// The tree of contexts of one node: what is shown of it, and how one moves in it. All text is set as text.

import { age, clean, count, counters, el, set } from "./dom.js";

const MOST_ROWS = 1500;
const MOST_COUNTERS = 4;

export class TreeView {
  constructor(element, note, onOpen) {
    this.element = element;
    this.note = note;
    this.onOpen = onOpen;
    this.rows = new Map();
    this.folded = new Set();
    this.unfolded = new Set();
    this.query = "";
    this.onlyTrouble = false;
    this.focused = null;
    this.visible = [];
    element.addEventListener("keydown", (e) => this.key(e));
  }

  show(snapshot, node) {
    if (this.node !== node) {
      this.node = node;
      this.folded.clear();
      this.unfolded.clear();
      this.element.replaceChildren();
      this.rows.clear();
      this.focused = null;
    }
    this.snapshot = snapshot;
    this.trouble = troubles(snapshot);
    this.draw();
  }

  search(text) {
    this.query = text.trim().toLowerCase();
    this.draw();
  }

  showOnlyTrouble(on) {
    this.onlyTrouble = on;
    this.draw();
  }

  foldAll(on) {
    this.folded.clear();
    this.unfolded.clear();
    this.all = on ? "folded" : "unfolded";
    this.draw();
  }

  isFolded(context, depth) {
    if (this.folded.has(context.id)) return true;
    if (this.unfolded.has(context.id)) return false;
    if (this.query || this.onlyTrouble) return false;
    if (this.all === "folded") return depth > 0;
    if (this.all === "unfolded") return false;
    return depth > 1 && context.children.length > 12;
  }

  toggle(context, depth, fold = !this.isFolded(context, depth)) {
    (fold ? this.folded : this.unfolded).add(context.id);
    (fold ? this.unfolded : this.folded).delete(context.id);
    this.draw();
  }

  /** Marks what is to be seen: what is searched for or in trouble, and what is above it. */
  wanted() {
    if (!this.query && !this.onlyTrouble) return null;
    const order = [this.snapshot.global_context];
    const parents = new Map();
    for (let i = 0; i < order.length; i++) {
      for (const child of order[i].children) {
        parents.set(child, order[i]);
        order.push(child);
      }
    }
    const wanted = new Set([order[0]]);
    for (const context of order) {
      const named = !this.query || `${context.label} ${context.path}`.toLowerCase().includes(this.query);
      const troubled = !this.onlyTrouble || this.trouble.has(context.id);
      for (let at = named && troubled ? context : undefined; at && !wanted.has(at); at = parents.get(at)) wanted.add(at);
    }
    return wanted;
  }

  draw() {
    if (!this.snapshot) return;
    const wanted = this.wanted();
    const visible = [];
    const stack = [[this.snapshot.global_context, 0]];
    while (stack.length > 0) {
      const [context, depth] = stack.pop();
      visible.push({ context, depth });
      if (this.isFolded(context, depth)) continue;
      for (let i = context.children.length - 1; i >= 0; i--) {
        if (!wanted || wanted.has(context.children[i])) stack.push([context.children[i], depth + 1]);
      }
    }
    this.visible = visible.slice(0, MOST_ROWS);
    const seen = new Set();
    let before = null;
    for (const item of this.visible) {
      seen.add(item.context.id);
      const row = this.row(item);
      const next = before ? before.nextSibling : this.element.firstChild;
      if (next !== row) this.element.insertBefore(row, next);
      before = row;
    }
    for (const [id, row] of this.rows) {
      if (!seen.has(id)) {
        row.remove();
        this.rows.delete(id);
      }
    }
    if (this.focused === null || !seen.has(this.focused)) this.focused = this.visible[0]?.context.id ?? null;
    for (const [id, row] of this.rows) row.tabIndex = id === this.focused ? 0 : -1;
    const more = visible.length - this.visible.length;
    set(this.note, more > 0 ? `+${count(more)} more rows; search, or fold` :
      this.visible.length === 1 && wanted ? (this.query ? "Nothing has this name." : "Nothing is in trouble.") : "");
  }

  row({ context, depth }) {
    let row = this.rows.get(context.id);
    if (!row) {
      row = el("div", "row");
      row.setAttribute("role", "treeitem");
      row.parts = {
        twist: el("span", "twist"), name: el("span", "name"), mark: el("span", "mark"),
        says: el("span", "says"), age: el("span", "age"),
      };
      row.append(...Object.values(row.parts));
      row.parts.twist.addEventListener("click", (e) => {
        e.stopPropagation();
        if (row.item.context.children.length > 0) this.toggle(row.item.context, row.item.depth);
      });
      row.addEventListener("click", () => {
        this.focus(row.item.context.id);
        this.onOpen(row.item.context);
      });
      this.rows.set(context.id, row);
    }
    row.item = { context, depth };
    const trouble = this.trouble.get(context.id);
    const parts = row.parts;
    const branch = context.children.length > 0;
    const folded = branch && this.isFolded(context, depth);
    if (branch) row.setAttribute("aria-expanded", String(!folded));
    else row.removeAttribute("aria-expanded");
    row.setAttribute("aria-level", String(depth + 1));
    row.style.paddingLeft = `${0.6 + Math.min(depth, 24) * 1.05}rem`;
    row.dataset.trouble = trouble?.kind ?? "";
    row.dataset.quiet = String(context.state !== "active" || context.is_cancelled);
    set(parts.twist, branch ? (folded ? "▸" : "▾") : "");
    set(parts.name, context.label);
    parts.name.title = clean(context.path);
    const mark = trouble?.mark ?? (context.is_cancelled ? "cancelled" : context.state === "closing" ? "closing" : "");
    set(parts.mark, mark);
    parts.mark.hidden = mark === "";
    parts.mark.className = `mark ${trouble?.kind === "stuck" ? "stuck" : trouble?.holds ? "lock" : ""}`;
    const says = this.says(context, trouble, folded);
    set(parts.says, says);
    parts.says.title = clean(says);
    set(parts.age, age(context.duration_ms, this.snapshot));
    return row;
  }

  says(context, trouble, folded) {
    const parts = [];
    if (trouble?.text) parts.push(trouble.text);
    for (const operation of context.operations) {
      const usual = operation.usual ? `, usually ${age(operation.usual.p50_ms)}` : "";
      parts.push(`${operation.name} ${age(operation.elapsed_ms, this.snapshot)}${operation.stuck ? usual : ""}`);
    }
    if (context.on_thread) parts.push("CPU active");
    if (context.caller) parts.push(`called by ${context.caller.path}@${context.caller.node}`);
    if (typeof context.data?.note === "string") parts.push(context.data.note);
    for (const [name, metric] of Object.entries(context.metrics)) {
      if (context.children.length === 0) parts.push(`${name} ${metricText(metric)}`);
    }
    parts.push(...counters(context, MOST_COUNTERS));
    if (context.folded_children > 0) {
      const stuck = context.folded_stuck > 0 ? `, ${count(context.folded_stuck)} stuck` : "";
      parts.push(`+${count(context.folded_children)} more${stuck}`);
    }
    if (folded) parts.push(`${count(context.children.length)} below`);
    return parts.join(" · ");
  }

  focus(id) {
    const old = this.rows.get(this.focused);
    if (old) old.tabIndex = -1;
    this.focused = id;
    const row = this.rows.get(id);
    if (row) {
      row.tabIndex = 0;
      row.focus({ preventScroll: true });
      row.scrollIntoView({ block: "nearest" });
    }
  }

  key(e) {
    const at = this.visible.findIndex((item) => item.context.id === this.focused);
    if (at < 0 || e.ctrlKey || e.metaKey || e.altKey) return;
    const { context, depth } = this.visible[at];
    const branch = context.children.length > 0;
    const folded = branch && this.isFolded(context, depth);
    let to = at;
    switch (e.key) {
      case "ArrowDown": to = Math.min(at + 1, this.visible.length - 1); break;
      case "ArrowUp": to = Math.max(at - 1, 0); break;
      case "Home": to = 0; break;
      case "End": to = this.visible.length - 1; break;
      case "ArrowRight":
        if (folded) this.toggle(context, depth, false);
        else if (branch) to = Math.min(at + 1, this.visible.length - 1);
        break;
      case "ArrowLeft":
        if (branch && !folded) this.toggle(context, depth, true);
        else for (to = at; to > 0 && this.visible[to].depth >= depth;) to--;
        break;
      case "Enter": case " ": this.onOpen(context); break;
      default: return;
    }
    e.preventDefault();
    this.focus(this.visible[to].context.id);
  }
}

function metricText(metric) {
  if (metric !== null && typeof metric === "object") return String(metric.text ?? metric.value ?? "");
  return String(metric);
}

/** What is wrong with which context, by its id. */
export function troubles(snapshot) {
  const found = new Map();
  const byId = new Map();
  const byPath = new Map();
  for (const warning of snapshot.warnings) {
    if (warning.severity === "info") continue;
    const [all, key] = warning.context_id ? [byId, warning.context_id] : [byPath, warning.context_path];
    // The worst come first.
    if (!all.has(key)) all.set(key, warning);
  }
  const namesakes = new Map();
  for (const lock of snapshot.active_locks) {
    const waiting = lock.waiters > 0 ? `, ${count(lock.waiters)} waiting` : "";
    found.set(lock.holder_id, {
      kind: lock.long_held ? "warned" : "", holds: true, mark: "holds",
      text: `holds ${lock.lock_type} ${lock.name} ${age(lock.held_duration_ms, snapshot)}${waiting}`,
    });
  }
  for (const waiter of snapshot.lock_waiters) {
    found.set(waiter.context_id, {
      kind: waiter.stuck ? "stuck" : "waits", mark: waiter.stuck ? "stuck" : "waits",
      text: `waits for ${waiter.lock_name} ${age(waiter.waiting_duration_ms, snapshot)}`,
    });
  }
  const order = [snapshot.global_context];
  for (let i = 0; i < order.length; i++) {
    const context = order[i];
    order.push(...context.children);
    namesakes.set(context.path, (namesakes.get(context.path) ?? 0) + 1);
    if (found.get(context.id)?.kind === "stuck") continue;
    if (context.operations.some((operation) => operation.stuck)) {
      found.set(context.id, { ...found.get(context.id), kind: "stuck", mark: "slow" });
    }
  }
  // Of a warning that names a path alone it is not known which of several contexts there is meant, so none is blamed.
  for (const context of order.slice(1)) {
    const warning = byId.get(context.id) ?? (namesakes.get(context.path) === 1 ? byPath.get(context.path) : undefined);
    if (warning && !found.has(context.id)) {
      found.set(context.id, { kind: "warned", mark: "", text: warning.message });
    }
  }
  return found;
}
