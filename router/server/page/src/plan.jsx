// The plan view: which subgraph is asked what, and when, for the operation in the editor.
import { useCallback, useEffect, useState } from 'react';
import { useEditorContext } from '@graphiql/react';
import { parse, print } from 'graphql';
import { endpoint } from './settings.js';
import { withToken } from './fetcher.js';

/** Pause after a change before the gateway is asked again, in milliseconds. */
const PAUSE = 400;

export const planPlugin = { title: 'Query plan', icon: PlanIcon, content: PlanView };

function PlanIcon() {
  return (
    <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.5" aria-hidden="true">
      <rect x="3" y="9.5" width="6" height="5" rx="1" />
      <rect x="15" y="3.5" width="6" height="5" rx="1" />
      <rect x="15" y="15.5" width="6" height="5" rx="1" />
      <path d="M9 12h3m0-6v12m0-12h3m-3 12h3" />
    </svg>
  );
}

function PlanView() {
  const { queryEditor, variableEditor, headerEditor } = useEditorContext({ nonNull: true });
  const [shown, setShown] = useState({});
  const ask = useCallback(async () => {
    const query = queryEditor?.getValue() ?? '';
    if (!query.replace(/^\s*#.*$/gm, '').trim()) return setShown({});
    try {
      const operationName = queryEditor.operationName ?? undefined;
      const variables = object(variableEditor?.getValue());
      setShown(await plan({ query, variables, operationName }, object(headerEditor?.getValue())));
    } catch (error) {
      setShown({ errors: [{ message: error.message }] });
    }
  }, [queryEditor, variableEditor, headerEditor]);
  useEffect(() => {
    let waiting;
    const changed = () => {
      clearTimeout(waiting);
      waiting = setTimeout(ask, PAUSE);
    };
    const editors = [queryEditor, variableEditor].filter(Boolean);
    editors.forEach(editor => editor.on('change', changed));
    ask();
    return () => {
      clearTimeout(waiting);
      editors.forEach(editor => editor.off('change', changed));
    };
  }, [ask, queryEditor, variableEditor]);
  return (
    <section className="plan" aria-label="Query plan">
      <header>
        <h2>Query plan</h2>
        <button type="button" className="plan-button" onClick={ask}>Ask again</button>
      </header>
      <Outcome {...shown} />
    </section>
  );
}

function Outcome({ plan, errors }) {
  if (errors) return errors.map(({ message }, key) => <p key={key} className="plan-error">{message}</p>);
  if (!plan) return <p className="plan-note">Write an operation to see how it would be answered.</p>;
  const steps = inSteps(plan.fetches);
  return (
    <>
      <p className="plan-note">
        {plan.fetches.length === 0
          ? 'Nothing is fetched: the gateway answers this itself.'
          : `${count(plan.fetches.length, 'fetch', 'fetches')} in ${count(steps.length, 'step', 'steps')}, for you as the caller.`}
      </p>
      {steps.map((fetches, step) => (
        <ol key={step} className="plan-step" aria-label={`Step ${step + 1}`}>
          {fetches.map(fetch => <Fetch key={fetch.id} {...fetch} />)}
        </ol>
      ))}
      {plan.withheld.map(path => (
        <p key={path} className="plan-error">{path} is withheld from you.</p>
      ))}
    </>
  );
}

function Fetch({ id, subgraph, after, query, needs }) {
  return (
    <li className="plan-fetch" data-subgraph={subgraph}>
      <h3>
        <span className="plan-number">#{id}</span> {subgraph}
        {after.length > 0 && <small>after {after.map(other => `#${other}`).join(', ')}</small>}
      </h3>
      {needs.length > 0 && (
        <p>sends {needs.map(need => <code key={need}>{need}</code>)}</p>
      )}
      <pre>{pretty(query)}</pre>
    </li>
  );
}

/** Fetches that can run at the same time, after those they wait for. */
function inSteps(fetches) {
  const steps = [];
  const step = new Map();
  for (const fetch of fetches) {
    const place = Math.max(0, ...fetch.after.map(id => step.get(id) + 1));
    step.set(fetch.id, place);
    (steps[place] ??= []).push(fetch);
  }
  return steps;
}

async function plan(params, headers) {
  const response = await fetch(`${endpoint}?page=plan`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json', ...(await withToken(headers)) },
    body: JSON.stringify(params),
  });
  return response.json();
}

function object(text) {
  return text?.trim() ? JSON.parse(text) : {};
}

function pretty(query) {
  try {
    return print(parse(query));
  } catch {
    return query;
  }
}

const count = (number, one, many) => `${number} ${number === 1 ? one : many}`;
