// How operations reach the gateway: queries and mutations by POST, subscriptions by WebSocket, and by server-sent events
// where a WebSocket cannot be had, or where headers must travel that a WebSocket of a page cannot carry.
import { parse } from 'graphql';
import { createClient } from 'graphql-ws';
import { meros } from 'meros';
import { endpoint, socket } from './settings.js';
import { accessToken } from './login.js';
import { events } from './events.js';

const ANSWERS =
  'application/graphql-response+json, application/json;q=0.9, ' +
  'multipart/mixed;deferSpec=20220824;q=0.8';

export async function fetcher(params, { headers = {} } = {}) {
  const sent = await withToken(headers);
  return kind(params) === 'subscription' ? subscribe(params, sent) : post(params, sent);
}

/** The headers of the editor, and the token of the login where they name none. */
export async function withToken(headers) {
  const token = named(headers, 'authorization') ? null : await accessToken();
  return token ? { ...headers, authorization: `Bearer ${token}` } : headers;
}

function named(headers, wanted) {
  return Object.keys(headers).find(name => name.toLowerCase() === wanted);
}

function kind({ query, operationName }) {
  try {
    const operations = parse(query).definitions.filter(({ kind }) => kind === 'OperationDefinition');
    const meant = operations.find(({ name }) => name?.value === operationName) ?? operations[0];
    return meant?.operation;
  } catch {
    return 'query'; // The gateway says what is wrong with it.
  }
}

async function post(params, headers) {
  const response = await request(params, headers, ANSWERS);
  const parts = await meros(response, { multiple: true });
  return parts === response ? read(response) : incremental(parts);
}

function request(params, headers, accept, signal) {
  return fetch(endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept, ...headers },
    body: JSON.stringify(params),
    signal,
  });
}

async function read(response) {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`HTTP ${response.status}: ${text.slice(0, 500)}`);
  }
}

async function* incremental(parts) {
  for await (const chunk of parts) yield chunk.map(({ body }) => body);
}

/**
 * A stream that can be stopped at any time. An async generator can not: it ends only once it has its next value, which
 * may never come.
 */
function subscribe(params, headers) {
  const stop = new AbortController();
  const stopped = new Promise(resolve => stop.signal.addEventListener('abort', () => resolve(END)));
  const answers = stream(params, headers, stop.signal);
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next() {
      const next = answers.next();
      next.catch(() => {}); // After a stop nobody waits for it.
      return Promise.race([next, stopped]);
    },
    return() {
      stop.abort();
      return Promise.resolve(END);
    },
  };
}

const END = { done: true, value: undefined };

async function* stream(params, headers, stop) {
  const others = Object.keys(headers).some(name => name.toLowerCase() !== 'authorization');
  if (others) return yield* byEvents(params, headers, stop);
  const answers = bySocket(params, headers, stop);
  let first;
  try {
    first = await answers.next();
  } catch (error) {
    if (error !== NO_SOCKET || stop.aborted) throw error;
    return yield* byEvents(params, headers, stop);
  }
  if (!first.done) yield first.value;
  yield* answers;
}

/** There was no connection at all: a proxy that knows no WebSockets, for example. */
const NO_SOCKET = new Error('no WebSocket');

async function* bySocket(params, headers, stop) {
  const name = named(headers, 'authorization');
  let opened = false;
  const client = createClient({
    url: socket,
    lazy: true,
    retryAttempts: 0,
    connectionParams: name ? { authorization: headers[name] } : undefined,
    on: { opened: () => { opened = true; } },
  });
  stop.addEventListener('abort', () => client.dispose());
  try {
    yield* client.iterate(params);
  } catch (error) {
    throw opened ? told(error) : NO_SOCKET;
  } finally {
    client.dispose();
  }
}

function told(error) {
  if (!(error instanceof CloseEvent)) return error;
  return new Error(`The gateway closed the connection: ${error.code} ${error.reason}`);
}

async function* byEvents(params, headers, stop) {
  const response = await request(params, headers, 'text/event-stream', stop);
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
    yield await read(response);
    return;
  }
  for await (const { event, data } of events(response.body)) {
    if (event === 'complete') return;
    if (event === 'next') yield JSON.parse(data);
  }
}
