import { expect, test } from 'vitest';
import { readSearch } from '../../src/entrances/cds-hooks/read-search.ts';
import { bulkExport } from '../../src/model-catalog/bulk-export.ts';
import { neededTypes } from '../../src/model-catalog/needed-types.ts';
import { prefetchTemplates } from '../../src/model-catalog/prefetch-templates.ts';
import { recordQueries } from '../../src/model-catalog/record-queries.ts';
import { checkSiteQueries } from '../../src/model-catalog/site-queries.ts';
import { smartScopes } from '../../src/model-catalog/smart-scopes.ts';
import { imagingStudy, wadoEndpoint } from '../support/build-imaging-study.ts';
import { plainRadiograph } from '../support/radiographs.ts';
import { bareMap } from '../support/shipped-model.ts';

const map = bareMap({ chest: plainRadiograph });

test('a map of images needs the studies of the patient, and the Endpoints that they refer to', () => {
  expect(neededTypes([map], [])).toEqual([
    { type: 'Patient', by: 'id' },
    { type: 'ImagingStudy', by: 'search' },
    { type: 'Endpoint', by: 'id' },
  ]);
  expect(bulkExport([map], []).query).toBe('_type=Patient,ImagingStudy,Endpoint');
  expect(smartScopes([map], []).v2.system).toBe('system/Patient.r system/ImagingStudy.rs system/Endpoint.r');
});

test('DW-5: the prefetch template of a map of images asks for every study, whatever it says of its modality and start', () => {
  expect(prefetchTemplates(map, [])).toEqual({
    patient: 'Patient/{{context.patientId}}',
    imagingStudies: 'ImagingStudy?patient={{context.patientId}}',
  });
});

test.each([
  ['ImagingStudy?patient={{patient}}&_include=ImagingStudy:endpoint', []],
  ['ImagingStudy?patient={{patient}}&modality=DX', ['has the parameter modality, which may hide what the model needs']],
  [
    'ImagingStudy?patient={{patient}}&started=ge2026-01-01',
    ['has the parameter started, which may hide what the model needs'],
  ],
])('a search of a site for studies: %s', (text, faults) => {
  const queries = recordQueries(map, new Date('2026-03-01'), []);
  expect(checkSiteQueries(queries, { imagingStudies: text }, {}).map(({ message }) => message)).toEqual(faults);
});

test('an answer to the template may hold the Endpoints of its studies', async () => {
  const answer = await readSearch(
    {
      resourceType: 'Bundle',
      type: 'searchset',
      entry: [
        { resource: imagingStudy(), search: { mode: 'match' } },
        { resource: wadoEndpoint(), search: { mode: 'include' } },
      ],
    },
    'prefetch.imagingStudies',
    { type: 'ImagingStudy', findings: () => [], giveWay: () => undefined },
  );
  expect(Array.isArray(answer) && answer.map(({ resource }) => resource.resourceType)).toEqual([
    'ImagingStudy',
    'Endpoint',
  ]);
});
