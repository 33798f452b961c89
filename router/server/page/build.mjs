// Builds the page into dist/: script, style and licences, compressed twice, and the hash of what they were made of.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const root = import.meta.dirname;
const dist = process.argv[2] ?? join(root, 'dist');

/** Fonts are the system's: those that come with GraphiQL are most of its style sheet. */
const withoutFonts = {
  name: 'without-fonts',
  setup({ onLoad }) {
    onLoad({ filter: /graphiql\/dist\/style\.css$/ }, ({ path }) => {
      const contents = readFileSync(path, 'utf8').replace(/@font-face\s*\{[^}]*\}/g, '');
      return { contents, loader: 'css' };
    });
  },
};

const built = await build({
  absWorkingDir: root,
  entryPoints: ['src/main.jsx'],
  outdir: dist,
  write: false,
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['es2022'],
  jsx: 'automatic',
  legalComments: 'none',
  charset: 'utf8',
  define: { 'process.env.NODE_ENV': '"production"' },
  alias: { 'react-style-singleton': './src/sheet.js' },
  plugins: [withoutFonts],
  metafile: true,
});

mkdirSync(dist, { recursive: true });
for (const { path, contents } of built.outputFiles) {
  keep(path.endsWith('.css') ? 'page.css' : 'page.js', Buffer.from(contents));
}
keep('licences.txt', Buffer.from(licences(Object.keys(built.metafile.inputs))));
writeFileSync(join(dist, 'sources.sha256'), `${sourcesHash()}\n`);

function keep(name, contents) {
  const quality = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 22 };
  const forms = { br: brotliCompressSync(contents, { params: quality }), gz: gzipSync(contents, { level: 9 }) };
  forms.gz[9] = 255; // The operating system is nobody's business, and the same everywhere.
  for (const [form, bytes] of Object.entries(forms)) writeFileSync(join(dist, `${name}.${form}`), bytes);
  console.log(`${name}: ${contents.length} bytes, gzip ${forms.gz.length}, brotli ${forms.br.length}`);
}

/** The notice of every package that has a part in the script. */
function licences(inputs) {
  const packages = new Map();
  for (const input of inputs) {
    const folder = packageOf(join(root, input));
    if (folder) packages.set(folder, JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')));
  }
  const sorted = [...packages].sort(([, a], [, b]) => (a.name < b.name ? -1 : 1));
  const parts = sorted.map(([folder, { name, version, license, author }]) => {
    const file = readdirSync(folder).find(entry => /^(licen[cs]e|copying)/i.test(entry));
    const by = typeof author === 'object' ? author.name : author;
    const text = file ? readFileSync(join(folder, file), 'utf8').trim() : `Licence: ${license}. Author: ${by ?? 'see its package'}`;
    return `${name} ${version} (${license})\n\n${text}\n`;
  });
  const head = 'The page is made of these packages besides its own code (MIT OR Apache-2.0, like the gateway).\n';
  return [head, ...parts].join(`\n${'-'.repeat(80)}\n\n`);
}

function packageOf(path) {
  if (!relative(root, path).startsWith('node_modules')) return null;
  let folder = dirname(path);
  const named = at => existsSync(join(at, 'package.json')) && JSON.parse(readFileSync(join(at, 'package.json'), 'utf8')).version;
  while (folder !== root && !named(folder)) folder = dirname(folder);
  return folder === root ? null : folder;
}

/** Of all that decides how the page turns out; a test compares it. */
function sourcesHash() {
  const sources = readdirSync(join(root, 'src')).sort().map(name => join('src', name));
  const hash = createHash('sha256');
  for (const name of ['build.mjs', 'package-lock.json', 'package.json', ...sources]) {
    hash.update(`${name}\n`).update(readFileSync(join(root, name)));
  }
  return hash.digest('hex');
}
