/**
 * The bare server of the bench: `node:http`, one JSON.parse, the features by hand, one run, one JSON.stringify.
 *
 *     node bench/support/bare-server.ts <file with the templates>
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RiskAssessment } from '@medplum/fhirtypes';
import { barePrediction, resourcesOf } from './bare-prediction.ts';

const { asOf, templates } = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as {
  asOf: string;
  templates: Record<string, RiskAssessment>;
};
const bare = await barePrediction(new Date(asOf), new Map(Object.entries(templates)));

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', async () => {
    const { text } = await bare.predict(resourcesOf(JSON.parse(Buffer.concat(chunks).toString('utf8'))));
    response.setHeader('Content-Type', 'application/fhir+json');
    response.end(text);
  });
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`bare server at http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
process.on('SIGTERM', () => process.exit(0));
