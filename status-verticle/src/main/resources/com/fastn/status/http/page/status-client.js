// Asks the node that served this page. The token, where one is wanted, lives in this tab's memory alone.

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
  const response = await open(path);
  if (!response.ok) throw new Error((await response.text()).trim() || `status ${response.status}`);
  return response;
}

/** Follows a stream of server-sent events; comes back when it ends. EventSource could not send the token. */
export async function follow(path, onOpen, onEvent, signal) {
  const response = await open(path, signal);
  if (!response.ok) throw new Error((await response.text()).trim() || `status ${response.status}`);
  onOpen();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
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
}
