// A browser that notes everything a page asks for, and everything it complains about.
import { chromium } from 'playwright-core';

export class Browser {
  static async open() {
    const started = await chromium.launch({
      executablePath: process.env.CHROMIUM,
      args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'],
    });
    return new Browser(started);
  }

  constructor(started) {
    this.started = started;
  }

  /** A page of a visitor who was never here. `origins` are all it may talk to. */
  async visit(url, origins, options = {}) {
    const context = await this.started.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    const notes = { outside: [], complaints: [] };
    const look = address => {
      const { protocol, origin } = new URL(address.replace(/^ws/, 'http'));
      if (protocol !== 'data:' && !origins.includes(origin)) notes.outside.push(address);
    };
    page.on('request', request => look(request.url()));
    page.on('websocket', socket => look(socket.url()));
    page.on('pageerror', error => notes.complaints.push(String(error)));
    page.on('console', message => {
      if (message.type() === 'error') notes.complaints.push(message.text());
    });
    const response = await page.goto(url);
    return { page, notes, response };
  }

  close() {
    return this.started.close();
  }
}

/** What GraphiQL's editors hold; they are CodeMirror's. */
export const editor = (page, name) => ({
  write: text => page.evaluate(([name, text]) => {
    document.querySelector(`.graphiql-${name} .CodeMirror`).CodeMirror.setValue(text);
  }, [name, text]),
  read: () => page.evaluate(name => document.querySelector(`.graphiql-${name} .CodeMirror`).CodeMirror.getValue(), name),
});

export const query = page => editor(page, 'query-editor');

/** Runs what is in the editor, and waits until the answer holds `wanted`. */
export async function run(page, operation, wanted) {
  await query(page).write(operation);
  await page.getByRole('button', { name: /^Execute query/ }).click();
  return answered(page, wanted);
}

export async function answered(page, wanted) {
  const shown = page.locator('.result-window');
  await shown.filter({ hasText: wanted }).waitFor();
  return shown.innerText();
}

export function check(holds, what) {
  if (!holds) throw new Error(what);
}

/** A picture for people, where they want one. */
export async function picture(page, name) {
  const folder = process.env.PAGE_PICTURES;
  if (folder) await page.screenshot({ path: `${folder}/${name}.png` });
}
