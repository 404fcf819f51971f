import { expect, it } from 'vitest';
import { anyServer, serverProfile } from '../../src/fhir/client/server-profile.ts';
import type { RecordQuery } from '../../src/model-catalog/record-queries.ts';
import { fitSearch } from '../../src/records/fit-search.ts';

it('a search that a site wrote for its server is sent to no other: it would hide what that one keeps elsewhere', () => {
  const query: RecordQuery = {
    key: 'conditions',
    type: 'Condition',
    subjectParameter: 'patient',
    siteSearch: {
      parameters: [
        ['patient', '{{patient}}'],
        ['category', 'problem-list-item'],
      ],
    },
  };
  const parametersAt = (profile: typeof anyServer) =>
    fitSearch({ query, subjectId: '1', from: undefined }, profile, 'https://ehr.example/fhir').parameters;
  expect(JSON.stringify(parametersAt(serverProfile({})))).toContain('problem-list-item');
  expect(JSON.stringify(parametersAt(anyServer))).not.toContain('problem-list-item');
});
