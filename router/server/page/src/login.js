// Login by an authorization code with PKCE (RFC 6749 section 4.1, RFC 7636), in the page itself: the issuer sends the
// browser back to this address. Tokens stay in the memory of this page. The gateway carries the requests to the
// issuer's token endpoint, so that the page talks to nobody else.
import { settings, endpoint } from './settings.js';

const BEGUN = 'baedal-page:login';
/** Seconds before its end at which a token is replaced. */
const EARLY = 20;

let tokens = null;
let renewing = null;
let failure = null;
const listeners = new Set();

/** `{ name, failure }`: who is logged in, and what went wrong. The same object until it changes. */
let state = { name: null, failure: null };

export const watchLogin = listener => (listeners.add(listener), () => listeners.delete(listener));
export const loginState = () => state;

function change(newTokens, newFailure = null) {
  [tokens, failure] = [newTokens, newFailure];
  state = { name: tokens?.name ?? null, failure };
  listeners.forEach(listener => listener());
}

/** Leaves for the issuer's page. */
export async function login() {
  try {
    if (!crypto.subtle) throw new Error('a login needs https:// or a loopback address');
    const issuer = await ask('login');
    const begun = { state: random(), nonce: random(), verifier: random() };
    sessionStorage.setItem(BEGUN, JSON.stringify(begun));
    const url = new URL(issuer.authorization_endpoint);
    const asked = {
      response_type: 'code',
      client_id: issuer.client_id,
      redirect_uri: endpoint,
      scope: issuer.scopes.join(' '),
      state: begun.state,
      nonce: begun.nonce,
      code_challenge: await sha256(begun.verifier),
      code_challenge_method: 'S256',
    };
    Object.entries(asked).forEach(([name, value]) => url.searchParams.set(name, value));
    location.assign(url);
  } catch (error) {
    change(null, error.message);
  }
}

export function logout() {
  change(null);
}

/** Takes up a login that the issuer has sent back here; its marks leave the address at once. */
export async function finishLogin() {
  const back = new URLSearchParams(location.search);
  if (!settings.login || !(back.has('state') && (back.has('code') || back.has('error')))) return;
  history.replaceState(null, '', endpoint);
  const begun = JSON.parse(sessionStorage.getItem(BEGUN) ?? 'null');
  sessionStorage.removeItem(BEGUN);
  try {
    // RFC 9700 section 4.7: an answer that was not asked for here is nobody's.
    if (!begun || back.get('state') !== begun.state) throw new Error('this login was not begun here');
    // RFC 9207 section 2.4.
    if (back.has('iss') && back.get('iss') !== settings.login.issuer) throw new Error('another issuer answered');
    if (back.has('error')) throw new Error(back.get('error_description') ?? back.get('error'));
    const answer = await ask('token', {
      code: back.get('code'),
      code_verifier: begun.verifier,
      redirect_uri: endpoint,
    });
    change(kept(answer, identity(answer.id_token, begun.nonce)));
  } catch (error) {
    change(null, error.message);
  }
}

/** A token that is good for a while, or null for who is not logged in. */
export async function accessToken() {
  if (tokens && tokens.ends <= Date.now()) {
    renewing ??= renew().finally(() => { renewing = null; });
    await renewing;
  }
  return tokens?.access ?? null;
}

async function renew() {
  const { refresh, name } = tokens;
  if (!refresh) return change(null, 'the login has ended');
  try {
    change(kept(await ask('token', { refresh_token: refresh }), name, refresh));
  } catch (error) {
    change(null, `the login has ended: ${error.message}`);
  }
}

function kept(answer, name, refresh = null) {
  const lifetime = Math.max((answer.expires_in ?? 300) - EARLY, 1);
  return {
    name,
    access: answer.access_token,
    refresh: answer.refresh_token ?? refresh,
    ends: Date.now() + lifetime * 1000,
  };
}

/**
 * Who logged in, from the ID token (OpenID Connect Core section 3.1.3.7). It came straight from the issuer, so that its
 * signature need not be checked (item 6 there).
 */
function identity(token, nonce) {
  if (!token) throw new Error('the issuer sent no ID token');
  const bytes = Uint8Array.from(atob(token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/')), c => c.charCodeAt(0));
  const claims = JSON.parse(new TextDecoder().decode(bytes));
  const audience = [claims.aud].flat();
  if (claims.iss !== settings.login.issuer) throw new Error('the ID token is of another issuer');
  if (!audience.includes(settings.login.client_id)) throw new Error('the ID token is for another client');
  if (claims.nonce !== nonce) throw new Error('the ID token is of another login');
  if (!(claims.exp * 1000 > Date.now())) throw new Error('the ID token has expired');
  return claims.preferred_username ?? claims.name ?? claims.email ?? claims.sub;
}

/** Asks the gateway: without a body what is known of the issuer, with one for tokens. */
async function ask(what, body) {
  const response = await fetch(`${endpoint}?page=${what}`, {
    method: body ? 'POST' : 'GET',
    headers: body ? { 'content-type': 'application/json' } : {},
    body: body && JSON.stringify(body),
  });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  const told = answer.error_description ?? answer.error ?? answer.errors?.[0]?.message;
  throw new Error(told ?? `HTTP ${response.status}`);
}

const text = bytes =>
  btoa(String.fromCharCode(...bytes)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');

const random = () => text(crypto.getRandomValues(new Uint8Array(32)));

const sha256 = async value =>
  text(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(value))));
