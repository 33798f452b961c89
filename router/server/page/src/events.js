// Server-sent events of a body (https://html.spec.whatwg.org/multipage/server-sent-events.html).

/** Yields `{ event, data }`. */
export async function* events(body) {
  let rest = '';
  for await (const text of texts(body)) {
    const blocks = (rest + text).split(/\r?\n\r?\n/);
    rest = blocks.pop();
    for (const block of blocks) yield event(block);
  }
}

async function* texts(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function event(block) {
  const found = { event: 'message', data: [] };
  for (const line of block.split(/\r?\n/)) {
    const [name, value] = line.split(/: ?(.*)/s);
    if (name === 'event') found.event = value;
    if (name === 'data') found.data.push(value);
  }
  return { event: found.event, data: found.data.join('\n') };
}
