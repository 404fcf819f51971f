import type { Parameters, ParametersParameter } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { operationDefinition } from '../../../src/entrances/fhir-operation/operation-definition.ts';
import { reviewFromParameters } from '../../../src/entrances/fhir-operation/review-request.ts';
import { anyone, type Principal } from '../../../src/http/principal.ts';

const fhirBase = 'https://risk.example.org/fhir/R4';
const definition = operationDefinition('review');
const confirmed: ParametersParameter = { name: 'verdict', valueCode: 'confirmed' };
const by = (reference: string): ParametersParameter => ({ name: 'reviewer', valueReference: { reference } });

function review(parameter: readonly ParametersParameter[], principal: Principal = anyone) {
  const body: Parameters = { resourceType: 'Parameters', parameter: [...parameter] };
  return reviewFromParameters(definition, body, { principal, fhirBase });
}
const proved = (user?: string): Principal => ({
  ...anyone,
  provedBy: 'access-token',
  ...(user === undefined ? {} : { user }),
});

describe('the reviewer of a report', () => {
  it.each([
    ['Practitioner/17', 'Practitioner/17'],
    ['PractitionerRole/r1', 'PractitionerRole/r1'],
    [`${fhirBase}/Practitioner/17`, 'Practitioner/17'],
    ['https://ehr.example/fhir/Practitioner/17', 'https://ehr.example/fhir/Practitioner/17'],
  ])('is believed where no token is asked for: %s', (reference, reviewer) => {
    expect(review([confirmed, by(reference)])).toEqual({ verdict: 'confirmed', reviewer });
  });

  it.each([
    'Patient/17',
    'Device/model-1',
    'Practitioner/',
    '#reviewer',
    'urn:uuid:00000000-0000-4000-8000-000000000001',
    'https://ehr.example/a b/Practitioner/17',
    'Practitioner/17/_history/2',
    `${fhirBase}/Practitioner/17/_history/2`,
    'https://ehr.example/fhir/Practitioner/17/_history/2',
    'https://ehr.example/fhir?of=/Practitioner/17',
    'https://ehr.example/fhir#/Practitioner/17',
    'https://reader:secret@ehr.example/fhir/Practitioner/17',
    'https://ehr.example:99999/fhir/Practitioner/17',
    `https://ehr.example/${'x'.repeat(500)}/Practitioner/17`,
  ])('is refused where it names no practitioner: %s', (reference) => {
    expect(() => review([confirmed, by(reference)])).toThrow(
      expect.objectContaining({ code: 'PARAMETER_INVALID', message: expect.stringContaining('reviewer') }),
    );
  });

  it('is needed where no token is asked for, and has to be a literal reference', () => {
    expect(() => review([confirmed])).toThrow(/needs the parameter 'reviewer'/);
    expect(() => review([confirmed, { name: 'reviewer', valueReference: { display: 'Dr. Who' } }])).toThrow(/literal/);
  });

  it('is the fhirUser of the token, whether the call names it or not', () => {
    for (const more of [[], [by('Practitioner/17')], [by(`${fhirBase}/Practitioner/17`)]])
      expect(review([confirmed, ...more], proved('Practitioner/17')).reviewer).toBe('Practitioner/17');
  });

  it('AUD-1: is nobody but the fhirUser of the token: FORBIDDEN for another, and for a token of no practitioner', () => {
    const forbidden = expect.objectContaining({ code: 'FORBIDDEN' });
    expect(() => review([confirmed, by('Practitioner/18')], proved('Practitioner/17'))).toThrow(forbidden);
    for (const user of [
      undefined,
      'Patient/17',
      'RelatedPerson/1',
      'Person/1',
      'https://a.example/?of=/Practitioner/17',
    ])
      expect(() => review([confirmed, by('Practitioner/17')], proved(user))).toThrow(forbidden);
  });
});

describe('the Parameters of $review', () => {
  it('hold a verdict of two, and a comment that is bounded', () => {
    expect(
      review([
        { name: 'verdict', valueCode: 'rejected' },
        by('Practitioner/17'),
        { name: 'comment', valueString: 'x' },
      ]),
    ).toEqual({ verdict: 'rejected', reviewer: 'Practitioner/17', comment: 'x' });
    for (const valueCode of ['final', 'Confirmed', 'constructor'])
      expect(() => review([{ name: 'verdict', valueCode }, by('Practitioner/17')])).toThrow(/confirmed or rejected/);
    const comment = { name: 'comment', valueString: 'x'.repeat(4_001) };
    expect(() => review([confirmed, by('Practitioner/17'), comment])).toThrow(/at most 4000/);
  });

  it('OP-12: hold nothing else', () => {
    expect(() => review([confirmed, by('Practitioner/17'), { name: 'status', valueCode: 'final' }])).toThrow(
      /\$review has no parameter 'status'/,
    );
  });
});
