// The page: GraphiQL for the gateway that serves it.
import { createRoot } from 'react-dom/client';
import { GraphiQL } from 'graphiql';
import { explorerPlugin } from '@graphiql/plugin-explorer';
import { settings } from './settings.js';
import { fetcher } from './fetcher.js';
import { finishLogin } from './login.js';
import { planPlugin } from './plan.jsx';
import { Bar } from './bar.jsx';
import './style.css';

const WELCOME = `# This is the graph. Type an operation, and run it with the button (Ctrl-Enter).
# Ctrl-Space completes, the icons on the left show the schema, an explorer${settings.plan ? ', and the plan' : ''}.
`;

const address = new URLSearchParams(location.search);
await finishLogin();
// A link may bring an operation; it runs only when somebody says so.
const brought = Object.fromEntries(
  ['query', 'variables', 'operationName'].flatMap(name => (address.has(name) ? [[name, address.get(name)]] : [])),
);
const plugins = [explorerPlugin(), ...(settings.plan ? [planPlugin] : [])];

createRoot(document.getElementById('page')).render(
  <GraphiQL fetcher={fetcher} plugins={plugins} defaultQuery={WELCOME} defaultEditorToolsVisibility {...brought}>
    <GraphiQL.Logo>
      <Bar />
    </GraphiQL.Logo>
  </GraphiQL>,
);
