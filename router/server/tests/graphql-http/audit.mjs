// Prints what each audit says of the server at argv[2], as JSON. With argv[3] every GET carries this header, as clients
// of a server with a guard against forged requests do.
import { serverAudits } from 'graphql-http';

const [url, header] = process.argv.slice(2);
const guarded = (target, init = {}) => {
  const isGet = (init.method ?? 'GET') === 'GET';
  const headers = header && isGet ? { ...init.headers, [header]: '1' } : init.headers;
  return fetch(target, { ...init, headers });
};
const results = [];
for (const audit of serverAudits({ url, fetchFn: guarded })) {
  const { id, name, status, reason } = await audit.fn();
  results.push({ id, name, status, reason });
}
console.log(JSON.stringify(results));
