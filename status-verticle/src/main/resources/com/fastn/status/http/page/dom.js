// Elements and words. Text from outside goes through textContent and nothing else.

export function el(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = clean(text);
  return element;
}

export function set(element, text) {
  const cleaned = clean(text);
  if (element.textContent !== cleaned) element.textContent = cleaned;
}

// What could make a text look like another one: controls, marks of direction, what takes no room, tags.
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/** Spells out what cannot be seen. */
export function clean(text) {
  return String(text).replace(HIDDEN, (c) => `\\u{${c.codePointAt(0).toString(16)}}`);
}

export function count(n) { return Number(n).toLocaleString("en-US"); }

/** A number that is too large for a double stands as text beside it. */
export function exact(object, key) {
  const value = object[key];
  const text = object[`${key}_text`];
  return !Number.isSafeInteger(value) && typeof text === "string" ? BigInt(text).toLocaleString("en-US") : count(value);
}

/** A duration. With the document it came in, it goes on by itself since that came. */
export function age(ms, document) {
  if (ms === undefined || ms === null) return "";
  const since = document?.received === undefined ? 0 : performance.now() - document.received;
  const s = (ms + since) / 1000;
  if (s < 0.9995) return `${Math.round(s * 1000)}ms`;
  if (s < 60) return `${s.toFixed(1)}s`;
  if (s < 3600) return `${Math.floor(s / 60)}m ${Math.floor(s % 60)}s`;
  if (s < 86400) return `${Math.floor(s / 3600)}h ${Math.floor((s % 3600) / 60)}m`;
  return `${Math.floor(s / 86400)}d ${Math.floor((s % 86400) / 3600)}h`;
}

export function bytes(n) {
  if (n === undefined || n === null) return "unknown";
  for (const [unit, size] of [["TB", 1e12], ["GB", 1e9], ["MB", 1e6], ["kB", 1e3]]) {
    if (n >= size) return `${(n / size).toFixed(n / size < 100 ? 1 : 0)} ${unit}`;
  }
  return `${n} B`;
}

/** The counters of a context, its own first, live ones as what is under way. */
export function counters(context) {
  const texts = [];
  const isText = (all, key) => key.endsWith("_text") && key.slice(0, -5) in all && typeof all[key] === "string";
  for (const [own, below] of [["live_counters", "subtree_live_counters"], ["total_counters", "subtree_total_counters"]]) {
    const live = own === "live_counters" ? "live " : "";
    const all = { ...context[below], ...context[own] };
    for (const key of Object.keys(all)) {
      if (!isText(all, key) && (live === "" || all[key] !== 0)) texts.push(`${live}${key} ${exact(all, key)}`);
    }
  }
  return texts;
}
