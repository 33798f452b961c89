// What the gateway wrote into the document.
const written = document.getElementById('settings').textContent;

/** `{ plan: boolean, login: { issuer, client_id } | null }` */
export const settings = JSON.parse(written);

/** The GraphQL endpoint: where this page is. */
export const endpoint = location.origin + location.pathname;

/** The same as a WebSocket. */
export const socket = endpoint.replace(/^http/, 'ws');
