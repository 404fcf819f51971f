import type { ServiceRequest } from '@medplum/fhirtypes';
import { expect, it } from 'vitest';
import { readFocus } from '../../src/prediction/read-focus.ts';
import { patient, recordOf } from '../support/build-record.ts';

const order: ServiceRequest = {
  resourceType: 'ServiceRequest',
  id: 'mine',
  status: 'active',
  intent: 'order',
  subject: { reference: 'Patient/1' },
};

it.each([
  ['ServiceRequest/mine', 'ServiceRequest/mine'],
  ['ServiceRequest/of-somebody-else', undefined],
  ['DeviceRequest/mine', undefined],
  [`ServiceRequest#${'0'.repeat(64)}`, undefined],
  [undefined, undefined],
])(
  'a result that is about %s is based on %s: only what was read in the record of the subject is known to be theirs',
  (focus, basedOn) => {
    expect(readFocus(recordOf([patient(), order]), focus)).toBe(basedOn);
  },
);
