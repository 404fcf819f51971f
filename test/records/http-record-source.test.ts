import { createFhirClient } from '../../src/fhir/client/fhir-client.ts';
import { createResourceValidator } from '../../src/fhir/validate-resource.ts';
import { createHttpRecordSource } from '../../src/records/http-record-source.ts';
import { describeRecordSource } from '../contract/record-source.ts';
import { outboundTo } from '../support/outbound-to.ts';
import { type StubFault, startStubFhirServer } from '../support/stub-fhir-server.ts';

const validator = createResourceValidator();

const setup = (faults: StubFault[]) => async (resources: Parameters<typeof startStubFhirServer>[0]['resources']) => {
  const stub = await startStubFhirServer({ resources, faults });
  const client = createFhirClient({
    base: `${stub.base}/`,
    outbound: outboundTo(stub.base),
    timeoutMs: 5_000,
    maxResources: 5_000,
  });
  return {
    source: createHttpRecordSource(client, validator),
    close: async () => {
      await client.close();
      await stub.close();
    },
  };
};

describeRecordSource('a FHIR server that pages, caps _count, ignores _sort and adds warnings', setup([]));
describeRecordSource(
  'a FHIR server that repeats rows across pages and compresses',
  setup([{ kind: 'duplicates' }, { kind: 'gzip' }]),
);
