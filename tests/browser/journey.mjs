// What somebody does with the page of the platform's gateway. The argument is JSON: `gateway`, `auth` (addresses),
// `plain` (a gateway without a page), `login` and `password` of a customer, and the `feed`. PLACE on stdout asks for an
// order that the feed then tells of.
import { Browser, answered, check, editor, picture, query, run } from './browser.mjs';

const { gateway, auth, plain, login, password, feed } = JSON.parse(process.argv[2]);
const origins = [gateway, auth].map(address => new URL(address).origin);
const steps = [];
const step = name => {
  steps.push(name);
  console.log(`step ${name}`);
};

const browser = await Browser.open();
let visit;
try {
  visit = await browser.visit(gateway, origins);
  await pageLoads(visit);
  await queriesAndErrors(visit.page);
  await plans(visit.page);
  await linksBringOperations();
  await logsIn(visit.page);
  await subscribes(visit.page);
  await looksGoodInTheDark();
  check(visit.notes.outside.length === 0, `asked elsewhere: ${visit.notes.outside}`);
  const complaints = visit.notes.complaints.filter(text => !/status of 40[01]/.test(text));
  check(complaints.length === 0, `the browser complains: ${complaints.join('\n')}`);
  await forgedLogins();
  await noPage();
} catch (error) {
  if (visit) await picture(visit.page, 'failed');
  console.error(error, visit?.notes);
  process.exitCode = 1;
} finally {
  await browser.close();
}

async function pageLoads({ page, response }) {
  step('loads');
  check(response.headers()['content-security-policy'].includes("default-src 'none'"), 'a strict policy');
  check((await page.title()).startsWith('GraphiQL'), 'its title');
  await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
  // The schema was read: the gateway answers introspection.
  await page.locator('.graphiql-doc-explorer').getByText('Subscription', { exact: true }).first().waitFor();
  await picture(page, 'docs');
  await page.getByRole('button', { name: 'Hide Documentation Explorer' }).click();
  await page.getByRole('tab', { name: 'Headers' }).or(page.getByRole('button', { name: 'Headers' })).first().waitFor();
}

async function queriesAndErrors(page) {
  step('runs a query');
  const answer = await run(page, '{ stores(first: 2) { nodes { id name } } }', '서울통닭');
  check(!answer.includes('errors'), answer);
  await picture(page, 'query');
  step('shows an error');
  await run(page, '{ __typename nothingLikeThis }', 'GRAPHQL_VALIDATION_FAILED');
  step('a field that needs a token is withheld');
  await run(page, '{ myPoints { balance } }', 'errors');
}

async function plans(page) {
  step('shows a plan');
  await query(page).write('{ myOrders(first: 1) { nodes { id store { name } payment { status } } } }');
  await page.getByRole('button', { name: 'Show Query plan' }).click();
  const plan = page.getByRole('region', { name: 'Query plan' });
  await plan.getByText('is withheld from you').first().waitFor();
  await query(page).write('{ stores(first: 1) { nodes { name } } }');
  await plan.locator('[data-subgraph=store]').first().waitFor();
  await picture(page, 'plan');
}

async function linksBringOperations() {
  step('a link brings an operation, and does not run it');
  const brought = `${gateway}?query=${encodeURIComponent('{ __typename }')}`;
  const { page, notes } = await browser.visit(brought, origins);
  await page.locator('.graphiql-query-editor', { hasText: '__typename' }).waitFor();
  await page.waitForTimeout(500);
  check(!(await page.locator('.result-window').innerText()).includes('data'), 'it ran by itself');
  check(notes.outside.length === 0, `asked elsewhere: ${notes.outside}`);
  await page.context().close();
}

async function logsIn(page) {
  step('logs in');
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByLabel('Login').fill(login);
  await page.getByLabel('Password').fill(password);
  await picture(page, 'login');
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('button', { name: 'Allow' }).click();
  await page.locator('.bar-who', { hasText: login }).waitFor();
  check(page.url() === gateway, `the code is still in the address: ${page.url()}`);
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
  check(!/eyJ|verifier|access_token/.test(kept), `a token is kept: ${kept}`);
  step('a query with the token');
  await run(page, '{ myPoints { balance } }', '"balance"');
  step('a plan with the rights of the token');
  await page.getByRole('button', { name: 'Show Query plan' }).click();
  await query(page).write('{ myOrders(first: 1) { nodes { id store { name } payment { status } } } }');
  const plan = page.getByRole('region', { name: 'Query plan' });
  await plan.locator('[data-subgraph=payment]').waitFor();
  check((await plan.locator('.plan-fetch').count()) >= 3, 'one fetch for each subgraph');
  await picture(page, 'plan-logged-in');
}

async function subscribes(page) {
  step('subscribes');
  const opened = page.waitForEvent('websocket');
  await query(page).write(feed);
  await page.getByRole('button', { name: /^Execute query/ }).click();
  const socket = await opened;
  await feeds(page);
  await picture(page, 'subscription');
  const closed = socket.waitForEvent('close');
  await page.getByRole('button', { name: /^Stop query/ }).click();
  await closed; // A stop ends it at once, not with the next event.
  step('subscribes with a header, by server-sent events');
  await page.getByRole('button', { name: 'Headers', exact: true }).click();
  await editor(page, 'editor-tool .graphiql-editor:not(.hidden)').write('{"x-request-id": "journey-1"}');
  await query(page).write(feed.replace('{ cursor', '{ kind cursor'));
  const asked = page.waitForRequest(request => request.headers()['accept'] === 'text/event-stream');
  await page.getByRole('button', { name: /^Execute query/ }).click();
  check((await asked).headers()['x-request-id'] === 'journey-1', 'the header travels');
  await page.locator('.result-window', { hasText: '"cursor"' }).waitFor({ state: 'detached' });
  await feeds(page);
  await page.getByRole('button', { name: /^Stop query/ }).click();
  await page.getByRole('button', { name: /^Execute query/ }).waitFor();
}

/** An order is placed, and the feed tells of it. */
async function feeds(page) {
  await page.getByRole('button', { name: /^Stop query/ }).waitFor();
  await page.waitForTimeout(1000);
  console.log('PLACE');
  await answered(page, '"cursor"');
}

async function looksGoodInTheDark() {
  step('dark');
  const { page } = await browser.visit(gateway, origins, { colorScheme: 'dark' });
  await page.locator('body.graphiql-dark').waitFor().catch(() => {});
  await page.getByRole('button', { name: 'Show Query plan' }).click();
  await query(page).write('{ stores(first: 1) { nodes { name } } }');
  await page.locator('[data-subgraph=store]').first().waitFor();
  await picture(page, 'dark');
  await page.context().close();
}

async function forgedLogins() {
  step('a login that was not begun here is refused');
  const { page, notes } = await browser.visit(`${gateway}?code=stolen&state=forged`, origins);
  await page.getByRole('alert').filter({ hasText: 'was not begun here' }).waitFor();
  check(page.url() === gateway, 'the code left the address');
  check(!notes.outside.length, `asked elsewhere: ${notes.outside}`);
  await page.context().close();
}

async function noPage() {
  step('no page where it is off');
  const { page } = await browser.visit(plain, [new URL(plain).origin]);
  await page.getByRole('heading', { name: 'A GraphQL endpoint' }).waitFor();
  check((await page.locator('script').count()) === 0, 'no script');
  await picture(page, 'off');
}
