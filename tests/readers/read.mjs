// Reads the supergraph named by the first argument and prints what it understood as JSON:
// the subgraphs, and every field of the public schema.
import { readFileSync } from 'node:fs';
import { getStitchedSchemaFromSupergraphSdl } from '@graphql-tools/federation';
import { isObjectType } from 'graphql';

const subgraphs = new Set();
const schema = getStitchedSchemaFromSupergraphSdl({
  supergraphSdl: readFileSync(process.argv[2], 'utf8'),
  onSubgraphExecute: name => { throw new Error(`nothing is executed here, yet ${name} was called`); },
  onSubschemaConfig: config => subgraphs.add(config.name),
});
const fields = Object.values(schema.getTypeMap())
  .filter(type => isObjectType(type) && !type.name.startsWith('__'))
  .flatMap(type => Object.values(type.getFields()).map(field => `${type.name}.${field.name}: ${field.type}`));
console.log(JSON.stringify({ subgraphs: [...subgraphs].sort(), fields: fields.sort() }));
