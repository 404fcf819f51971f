/**
 * The bare server of the bench: `node:http`, one JSON.parse, the features by hand, one run, one JSON.stringify.
 *
 *     node bench/support/bare-server.ts <as-of> <performer of the answers, as JSON>
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { barePrediction, resourcesOf } from './bare-prediction.ts';

const [asOf = '', performer = '{}'] = process.argv.slice(2);
const bare = await barePrediction(new Date(asOf), JSON.parse(performer));

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', async () => {
    const answer = await bare.predict(resourcesOf(JSON.parse(Buffer.concat(chunks).toString('utf8'))));
    response.setHeader('Content-Type', 'application/fhir+json');
    response.end(JSON.stringify(answer));
  });
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`bare server at http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
process.on('SIGTERM', () => process.exit(0));
