import { Chart } from "./chart.js";
import { age, bytes, clean, count, counters, el, numbered, set } from "./dom.js";
import { Unauthorized, ask, follow, useToken } from "./status-client.js";
import { TreeView } from "./tree-view.js";

const $ = (id) => document.getElementById(id);
const POLL_MS = 3000;
const MOST_CHARTS = 100;
const MOST_RECENT = 50;

let cluster = null;
let selected = null;
let opened = null;
const charts = new Map();
const tree = new TreeView($("tree"), $("tree-note"), (context) => openDetail(context));

// --- what is asked

function linkState(state, text) {
  $("link").dataset.state = state;
  set($("link"), text);
}

let wrongToken = false;
let wake = null;

async function watch() {
  let pause = 500;
  for (;;) {
    try {
      await follow("status/stream?scope=cluster", () => {
        $("unlock").hidden = true;
        linkState("live", "live");
        pause = 500;
      }, (event, document) => {
        if (event === "status") receive(document);
      });
      linkState("lost", "connection lost, trying again");
    } catch (e) {
      if (e instanceof Unauthorized) {
        $("unlock").hidden = false;
        linkState("lost", wrongToken ? "the token is not accepted" : "a token is wanted");
        $("token").focus();
        await new Promise((resolve) => { wake = resolve; });
        continue;
      }
      linkState("lost", "connection lost, trying again");
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
    pause = Math.min(pause * 2, 8000);
  }
}

function unlock() {
  useToken($("token").value.trim());
  $("token").value = "";
  wrongToken = true;
  wake?.();
}

function receive(document) {
  cluster = document;
  const now = performance.now();
  for (const node of cluster.nodes) {
    node.received = now;
    if (node.status) node.status.received = now;
  }
  if (!cluster.nodes.some((node) => node.node.incarnation === selected)) {
    const own = cluster.nodes.find((node) => node.node.alias === cluster.answered_by) ?? cluster.nodes[0];
    selected = own?.node.incarnation ?? null;
  }
  draw();
}

/** The machine of the node that is looked at; one that only the cluster knows is asked by way of it. */
async function askSystem() {
  const node = current();
  const own = !node || node.node.alias === cluster.answered_by;
  const document = await (await ask(own ? "status?depth=1&format=json" :
    `status?depth=1&format=json&nodes=${encodeURIComponent(node.node.incarnation)}`)).json();
  if (current()?.node.incarnation === node?.node.incarnation) {
    drawSystem(own ? document : document.nodes[0].status, own ? document.node : node.node);
  }
}

async function poll() {
  const every = [
    askSystem,
    async () => drawRecent(await (await ask("status/recent?format=json")).json()),
    async () => set($("explain"), (await (await ask("status/explain?scope=cluster&format=text")).text()).trim() || "Nothing is stuck."),
    async () => drawEpisodes(await (await ask("status/episodes?format=json")).json()),
  ];
  for (;;) {
    if ($("link").dataset.state === "live" && !document.hidden) {
      for (const look of every) {
        try {
          await look();
        } catch (e) {
          // The stream says that the connection is lost; here the last answer stays.
        }
      }
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

// --- what is shown

function current() {
  return cluster?.nodes.find((node) => node.node.incarnation === selected) ?? null;
}

function draw() {
  if (!cluster) return;
  drawSummary();
  drawNodes();
  const node = current();
  if (node?.status) {
    tree.show(node.status, node.node.incarnation);
  } else {
    $("tree").replaceChildren();
    tree.snapshot = null;
    set($("tree-note"), node ? `Nothing is known of ${node.node.alias} at this moment: ${node.reason ?? "no answer"}` : "");
  }
  drawWarnings();
  drawLocks();
  if (opened) drawDetail();
}

function drawSummary() {
  const up = cluster.nodes.filter((node) => node.state === "up").length;
  const stuck = sum((s) => s.lock_waiters.filter((waiter) => waiter.stuck).length);
  const parts = [el("b", "", `${up} of ${cluster.nodes.length}`), cluster.nodes.length === 1 ? " node up" : " nodes up"];
  const add = (n, name) => {
    const [number, ...words] = numbered(count(n), name).split(" ");
    parts.push(" · ", el("b", "", number), ` ${words.join(" ")}`);
  };
  add(cluster.nodes.reduce((n, node) => n + (node.summary?.contexts ?? 0), 0), "contexts");
  add(sum((s) => s.active_locks.length), "locks held");
  if (stuck > 0) parts.push(" · ", el("span", "bad", `${count(stuck)} stuck`));
  $("summary").replaceChildren(...parts);
  document.title = stuck > 0 ? `(${stuck} stuck) fastn status` : "fastn status";
}

function sum(of) {
  return cluster.nodes.reduce((n, node) => n + (node.status ? of(node.status) : 0), 0);
}

const nodeButtons = new Map();

function drawNodes() {
  const shown = new Set();
  for (const node of cluster.nodes) {
    const id = node.node.incarnation;
    shown.add(id);
    let button = nodeButtons.get(id);
    if (!button) {
      button = el("button", "node");
      button.type = "button";
      button.append(el("b"), el("small"), el("small"));
      button.addEventListener("click", () => {
        selected = id;
        closeDetail();
        draw();
        askSystem().catch(() => {});
      });
      nodeButtons.set(id, button);
    }
    button.dataset.state = node.state;
    button.setAttribute("aria-pressed", String(id === selected));
    button.title = clean(node.reason ?? `incarnation ${id}`);
    const [name, first, second] = button.children;
    set(name, node.node.alias);
    set(first, node.state === "up" ? `up · ${numbered(count(node.summary?.contexts ?? 0), "contexts")}` :
      `${node.state} · heard ${age(node.age_ms, node)} ago`);
    const status = node.status;
    const stuck = status ? status.lock_waiters.filter((waiter) => waiter.stuck).length : 0;
    const warnings = status ? status.warnings.filter((w) => w.severity !== "info").length : node.summary?.warnings ?? 0;
    const text = [];
    if (stuck > 0) text.push(`${count(stuck)} stuck`);
    if (warnings > 0) text.push(numbered(count(warnings), "warnings"));
    set(second, text.join(" · ") || (status ? "no warnings" : node.reason ?? ""));
    second.className = stuck > 0 ? "bad" : warnings > 0 ? "warn" : "";
    if (button.parentNode !== $("nodes")) $("nodes").append(button);
  }
  for (const [id, button] of nodeButtons) {
    if (!shown.has(id)) {
      button.remove();
      nodeButtons.delete(id);
    }
  }
}

function fill(list, items, empty) {
  if (items.length === 0) items = [el("li", "empty", empty)];
  list.replaceChildren(...items);
}

function drawWarnings() {
  const order = { critical: 0, warning: 1, info: 2 };
  const all = cluster.nodes.flatMap((node) => (node.status?.warnings ?? []).map((warning) => ({ warning, node })))
    .sort((a, b) => order[a.warning.severity] - order[b.warning.severity]);
  const serious = all.filter((item) => item.warning.severity !== "info").length;
  set($("warnings-count"), serious > 0 ? count(serious) : "");
  fill($("warnings"), all.slice(0, 200).map(({ warning, node }) => {
    const item = el("li");
    const top = el("div", "top");
    top.append(el("span", warning.severity, warning.message), el("span", "count", age(warning.since_ms, node.status)));
    item.append(top, el("small", "", `${node.node.alias} · ${warning.id} · ${warning.context_path}`));
    if (warning.next) item.append(el("small", "", `next: ${warning.next}`));
    return item;
  }), "Nothing to warn of.");
}

function drawLocks() {
  const all = cluster.nodes.flatMap((node) => (node.status?.active_locks ?? []).map((lock) => ({ lock, node })))
    .sort((a, b) => b.lock.waiters - a.lock.waiters || b.lock.held_duration_ms - a.lock.held_duration_ms);
  set($("locks-count"), all.length > 0 ? count(all.length) : "");
  fill($("locks"), all.slice(0, 100).map(({ lock, node }) => {
    const item = el("li");
    const top = el("div", "top");
    const name = el("span");
    name.append(`${lock.lock_type} `, el("code", "", lock.name), clean(` · ${node.node.alias}`));
    top.append(name, el("span", lock.long_held ? "warning" : "count", age(lock.held_duration_ms, node.status)));
    item.append(top, el("small", "", `held by ${lock.held_by_context}`));
    const waiters = node.status.lock_waiters.filter((waiter) => waiter.lock_id === lock.lock_id);
    for (const waiter of waiters.slice(0, 8)) {
      const stuck = waiter.stuck ? " stuck" : "";
      item.append(el("div", `waiter${stuck}`, `${waiter.context_name} waits ${age(waiter.waiting_duration_ms, node.status)}${stuck}`));
    }
    if (waiters.length > 8) item.append(el("div", "waiter", `+${count(waiters.length - 8)} more`));
    return item;
  }), "No lock is held.");
}

function meter(name, text, percent, chart) {
  const element = el("div", "meter");
  const bar = el("progress", percent >= 90 ? "high" : "");
  bar.max = 100;
  bar.setAttribute("aria-label", name);
  if (Number.isFinite(percent)) bar.value = percent;
  else bar.hidden = true;
  element.append(el("span", "", name), bar, el("output", "", text));
  if (chart) element.append(chart.element);
  return element;
}

function part(used, total) {
  return used === undefined || !total ? NaN : (100 * used) / total;
}

function chartsOf(node) {
  if (!charts.has(node.incarnation)) {
    charts.set(node.incarnation, { cpu: new Chart("CPU over time"), memory: new Chart("Memory over time") });
    // The oldest is of a node that is gone, or will be drawn anew.
    if (charts.size > MOST_CHARTS) charts.delete(charts.keys().next().value);
  }
  return charts.get(node.incarnation);
}

function drawSystem(status, node) {
  set($("system-node"), node.alias);
  const m = status?.system_metrics;
  if (!m) {
    fill($("system"), [el("p", "empty", status ? "Nobody reads this machine." : "This node does not answer.")], "");
    return;
  }
  const { cpu, memory: memoryChart } = chartsOf(node);
  const memory = part(m.memory_used_bytes, m.memory_total_bytes);
  cpu.add(m.cpu_usage_percent, 100);
  memoryChart.add(memory, 100);
  const facts = el("dl", "facts");
  const fact = (name, text) => { if (text) facts.append(el("dt", "", name), el("dd", "", text)); };
  fact("Load", m.load_average?.map((load) => load.toFixed(2)).join("  "));
  fact("Network", m.network_rx_bytes_per_sec === undefined ? "" :
    `in ${bytes(m.network_rx_bytes_per_sec)}/s, out ${bytes(m.network_tx_bytes_per_sec)}/s`);
  if (m.jvm) {
    fact("Heap", `${bytes(m.jvm.heap_used_bytes)} of ${bytes(m.jvm.heap_max_bytes)}`);
    fact("JVM", `${m.jvm.version}, ${count(m.jvm.threads)} threads, up ${age(m.jvm.uptime_ms)}`);
  }
  $("system").replaceChildren(
    meter("CPU", m.cpu_usage_percent === undefined ? "unknown" : `${m.cpu_usage_percent.toFixed(1)}%`, m.cpu_usage_percent, cpu),
    meter("Memory", `${bytes(m.memory_used_bytes)} of ${bytes(m.memory_total_bytes)}`, memory, memoryChart),
    meter("Disk", `${bytes(m.disk_used_bytes)} of ${bytes(m.disk_total_bytes)}`, part(m.disk_used_bytes, m.disk_total_bytes)),
    facts);
}

/** The newest; but those that went wrong have half of the places, as they have it in the list of their node. */
function shownOf(recent) {
  const wrong = recent.filter((ended) => ended.outcome !== "completed");
  const well = recent.filter((ended) => ended.outcome === "completed");
  const newest = recent.slice(0, MOST_RECENT).filter((ended) => ended.outcome !== "completed").length;
  const places = Math.max(newest, Math.min(Math.floor(MOST_RECENT / 2), wrong.length));
  const shown = new Set([...wrong.slice(0, places), ...well.slice(0, MOST_RECENT - places)]);
  return recent.filter((ended) => shown.has(ended));
}

/** The time of the day, with the day where that is not today: what went wrong stays for long. */
function moment(text) {
  const at = new Date(text);
  return at.toDateString() === new Date().toDateString() ? at.toLocaleTimeString() : at.toLocaleString();
}

function drawRecent(own) {
  set($("recent-node"), own.node.alias);
  fill($("recent"), shownOf(own.recent ?? []).map((ended) => {
    const item = el("li");
    const top = el("div", "top");
    const name = el("span");
    name.append(el("code", "", ended.label));
    top.append(name, el("span", "count", age(ended.duration_ms)));
    item.append(top);
    const reason = ended.message ?? ended.cancel_reason?.message;
    const from = [
      moment(ended.ended_at),
      ended.caller && `called by ${ended.caller.path}@${ended.caller.node}`,
      ended.trace_id && `trace ${ended.trace_id}`,
    ].filter(Boolean).join(" · ");
    item.append(el("small", ended.outcome === "completed" ? "" : ended.outcome,
      `${ended.outcome}${reason ? `: ${reason}` : ""} · ${from}`));
    return item;
  }), "Nothing that ended was marked to be remembered.");
}

function drawEpisodes(all) {
  set($("episodes-node"), cluster?.answered_by ?? "");
  fill($("episodes"), (all.episodes ?? []).slice(0, 50).map((episode) => {
    const item = el("li");
    const top = el("div", "top");
    top.append(el("span", episode.end ? "" : "critical", episode.name), el("span", "count", age(episode.lasted_ms)));
    item.append(top, el("small", "", `${episode.root_text ?? ""} · at most ${count(episode.most_waiters)} stuck · ` +
      moment(episode.start)));
    return item;
  }), "Nothing was stuck since this node started.");
}

// --- one context

function openDetail(context) {
  opened = context.id;
  $("detail").hidden = false;
  drawDetail();
  explainOpened();
}

function closeDetail() {
  if (opened === null) return;
  opened = null;
  $("detail").hidden = true;
}

let explanation = "";

async function explainOpened() {
  const id = opened;
  const node = current();
  explanation = "";
  if (node?.node.alias !== cluster.answered_by) return;
  try {
    const text = await (await ask(`status/explain?context=${id}&format=text`)).text();
    if (opened === id) {
      explanation = text.trim();
      drawDetail();
    }
  } catch (e) {
    // It ended meanwhile; the detail says so.
  }
}

function find(root, id) {
  const stack = [root];
  while (stack.length > 0) {
    const context = stack.pop();
    if (context.id === id) return context;
    stack.push(...context.children);
  }
  return null;
}

function drawDetail() {
  const status = current()?.status;
  const context = status ? find(status.global_context, opened) : null;
  if (!context) {
    $("detail-body").replaceChildren(el("p", "empty", "This context has ended, or is folded away."));
    return;
  }
  set($("detail-title"), context.label);
  const facts = el("dl", "facts");
  const fact = (name, text) => { if (text) facts.append(el("dt", "", name), el("dd", "", text)); };
  fact("Path", context.path);
  fact("Id", String(context.id));
  fact("Kind", context.kind);
  fact("State", context.is_cancelled ? `${context.state}, cancelled: ${context.cancel_reason?.message ?? ""}` : context.state);
  fact("Open for", age(context.duration_ms, status));
  fact("Last activity", `${context.activity ? `${context.activity}, ` : ""}${age(context.last_activity_ms, status)} ago`);
  if (context.caller) fact("Called by", `${context.caller.path} on ${context.caller.node}`);
  const all = [facts];
  const add = (title, lines) => {
    if (lines.length === 0) return;
    const box = el("div");
    box.append(el("h3", "", title), ...lines.map((line) => el("div", "", line)));
    all.push(box);
  };
  add("Operations", context.operations.map((o) => `${o.name} ${age(o.elapsed_ms, status)}`));
  add("Locks held", status.active_locks.filter((l) => l.holder_id === context.id).map((l) => `${l.lock_type} ${l.name} ${age(l.held_duration_ms, status)}`));
  add("Waits for", status.lock_waiters.filter((w) => w.context_id === context.id).map((w) => `${w.lock_name} ${age(w.waiting_duration_ms, status)}`));
  add("Counters", counters(context));
  add("Data", Object.entries(context.data ?? {}).map(([key, value]) => `${key}: ${typeof value === "string" ? value : JSON.stringify(value)}`));
  if (explanation) {
    const box = el("div");
    box.append(el("h3", "", "Why is it stuck"), el("pre", "explain", explanation));
    all.push(box);
  }
  $("detail-body").replaceChildren(...all);
}

// --- hands

$("search").addEventListener("input", (e) => tree.search(e.target.value));
$("trouble").addEventListener("change", (e) => tree.showOnlyTrouble(e.target.checked));
$("fold").addEventListener("click", () => tree.foldAll(true));
$("unfold").addEventListener("click", () => tree.foldAll(false));
$("detail-close").addEventListener("click", closeDetail);
$("unlock-go").addEventListener("click", unlock);
$("token").addEventListener("keydown", (e) => { if (e.key === "Enter") unlock(); });
document.addEventListener("keydown", (e) => {
  if (e.key === "Escape") {
    if (document.activeElement === $("search")) {
      $("search").value = "";
      tree.search("");
      tree.focus(tree.focused);
    } else closeDetail();
    return;
  }
  if (e.target instanceof HTMLInputElement || e.ctrlKey || e.metaKey || e.altKey) return;
  if (e.key === "/") {
    e.preventDefault();
    $("search").focus();
  } else if (e.key === "t") {
    $("trouble").click();
  }
});
setInterval(() => { if (!document.hidden) draw(); }, 1000);
watch();
poll();
