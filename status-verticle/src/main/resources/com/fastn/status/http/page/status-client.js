// Asks the node that served this page. The token, where one is wanted, lives in this tab's memory alone.

/** A node tells something every ten seconds, if only that it is alive. Who stands still keeps the connection, and so no error comes. */
const LONGEST_SILENCE_MS = 20_000;

let token = null;

export class Unauthorized extends Error {}

export function useToken(value) { token = value; }

async function open(path, signal) {
  const headers = token === null ? {} : { Authorization: `Bearer ${token}` };
  const response = await fetch(path, { headers, cache: "no-store", signal });
  if (response.status === 401) throw new Unauthorized();
  return response;
}

export async function ask(path) {
  const response = await open(path, AbortSignal.timeout(LONGEST_SILENCE_MS));
  if (!response.ok) throw new Error((await response.text()).trim() || `status ${response.status}`);
  return response;
}

/**
 * Follows a stream of server-sent events; comes back when it ends, and fails when it is silent. EventSource could not send the token.
 */
export async function follow(path, onOpen, onEvent) {
  const over = new AbortController();
  let silence;
  const heard = () => {
    clearTimeout(silence);
    silence = setTimeout(() => over.abort(new Error("the node is silent")), LONGEST_SILENCE_MS);
  };
  heard();
  try {
    const response = await open(path, over.signal);
    if (!response.ok) throw new Error((await response.text()).trim() || `status ${response.status}`);
    onOpen();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      heard();
      rest += value;
      let end;
      while ((end = rest.indexOf("\n\n")) >= 0) {
        const frame = rest.slice(0, end);
        rest = rest.slice(end + 2);
        const data = [];
        let event = "message";
        for (const line of frame.split("\n")) {
          if (line.startsWith("data:")) data.push(line.slice(5).trimStart());
          else if (line.startsWith("event:")) event = line.slice(6).trim();
        }
        if (data.length > 0) onEvent(event, JSON.parse(data.join("\n")));
      }
    }
  } finally {
    clearTimeout(silence);
    // What could not be read is not to go on coming.
    over.abort();
  }
}
