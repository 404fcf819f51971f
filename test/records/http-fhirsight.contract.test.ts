import { createFhirClient } from '../../src/fhir/client/fhir-client.ts';
import { createHttpRecordSource } from '../../src/records/http-record-source.ts';
import { describeRecordSource } from '../contract/record-source.ts';
import { send } from '../support/fhir-test-server.ts';
import { outboundTo } from '../support/outbound-to.ts';
import { startFhirsight } from '../support/start-fhirsight.ts';
import { transactionOf } from '../support/transaction-of.ts';

describeRecordSource('another fhirsight over HTTP', async (resources) => {
  const server = await startFhirsight();
  const loaded = await send(server.fhir, 'POST', transactionOf(resources, { fullUrls: false }));
  if (loaded.status !== 200) throw new Error(`the resources were refused: ${loaded.text}`);
  const client = createFhirClient({
    base: server.fhir,
    outbound: outboundTo(server.fhir),
    timeoutMs: 10_000,
    maxResources: 5_000,
  });
  return {
    source: createHttpRecordSource(client, server.house.validator),
    close: async () => {
      await client.close();
      await server.close();
    },
  };
});
