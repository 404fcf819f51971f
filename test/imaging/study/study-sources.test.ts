import { describe, expect, it } from 'vitest';
import type { ImageSource } from '../../../src/imaging/dicomweb/image-sources.ts';
import { studySources } from '../../../src/imaging/study/study-sources.ts';
import { studyUidOf } from '../../../src/imaging/study/study-uid.ts';
import { imagingSeries, imagingStudy, wadoEndpoint } from '../../support/build-imaging-study.ts';
import { recordOf } from '../../support/build-record.ts';

/** Sources that are never asked: what matters is which one it is. */
function listed(addresses: readonly string[], defaultAddress?: string) {
  const source = (base: string) => ({ name: base, base }) as ImageSource;
  return {
    sourceFor: (address: string) => (addresses.includes(address) ? source(address) : undefined),
    defaultSource: () => (defaultAddress === undefined ? undefined : source(defaultAddress)),
  };
}
const pacs = 'https://pacs.example.org/dicom-web';
const archive = 'https://archive.example.org/wado';
const both = listed([pacs, archive]);

describe('the study UID of an ImagingStudy', () => {
  const uidOf = (...values: string[]) =>
    studyUidOf({ identifier: values.map((value) => ({ system: 'urn:dicom:uid', value })) });

  it('DW-1: is read with the prefix urn:oid: and without it', () => {
    expect(uidOf('urn:oid:1.2.840.1')).toBe('1.2.840.1');
    expect(uidOf('1.2.840.1')).toBe('1.2.840.1');
    expect(uidOf('1.2.840.1', 'urn:oid:1.2.840.1')).toBe('1.2.840.1');
  });

  it('DW-1: is refused where there are several, or none', () => {
    expect(() => uidOf('1.2.3', '1.2.4')).toThrow('names 2 Study Instance UIDs');
    expect(() => uidOf()).toThrow('no identifier of the system urn:dicom:uid');
    expect(() => studyUidOf({ identifier: [{ system: 'urn:mrn', value: '1.2.3' }] })).toThrow('no identifier');
  });

  it.each(['', '1.2/../../', 'urn:uuid:7', '1.2.3?x', '1'.repeat(65), '1.2.', '..'])(
    'DW-4: is refused where it is %j',
    (value) => {
      expect(() => uidOf(value)).toThrow('no UID of DICOM');
    },
  );
});

describe('where the images of a study lie', () => {
  it('DW-2: at the active WADO-RS Endpoint of the study', () => {
    const study = imagingStudy();
    const found = studySources(study, recordOf([study, wadoEndpoint()]), both);
    expect(found.study?.base).toBe(pacs);
    expect(found.series.size).toBe(0);
  });

  it('DW-4: nowhere where a series has a uid that could not stand in an address', () => {
    const study = imagingStudy({
      series: [imagingSeries({ uid: 'series-1', endpoint: [{ reference: 'Endpoint/pacs' }] })],
    });
    expect(() => studySources(study, recordOf([study, wadoEndpoint()]), both)).toThrow('no UID of DICOM');
  });

  it('DW-3: at that of a series for this series, and at that of the study for the others', () => {
    const study = imagingStudy({
      series: [
        imagingSeries({ uid: '1.1', endpoint: [{ reference: 'Endpoint/archive' }] }),
        imagingSeries({ uid: '1.2' }),
      ],
    });
    const record = recordOf([study, wadoEndpoint(), wadoEndpoint({ id: 'archive', address: archive })]);
    const found = studySources(study, record, both);
    expect(found.study?.base).toBe(pacs);
    expect([...found.series].map(([uid, { base }]) => [uid, base])).toEqual([['1.1', archive]]);
  });

  it('DW-3: at those of the series alone, where each has one and the study has none', () => {
    const study = imagingStudy({
      endpoint: undefined,
      series: [imagingSeries({ endpoint: [{ reference: 'Endpoint/archive' }] })],
    });
    const found = studySources(study, recordOf([study, wadoEndpoint({ id: 'archive', address: archive })]), both);
    expect(found.study).toBeUndefined();
    expect(found.series.get('1.2.3.4.1')?.base).toBe(archive);
  });

  it.each([
    ['contained', '#here'],
    ['relative', 'Endpoint/pacs'],
    ['absolute', 'http://127.0.0.1/fhir/R4/Endpoint/pacs'],
  ])('DW-3: at an Endpoint whose reference is %s', (_, reference) => {
    const study = imagingStudy({ contained: [wadoEndpoint({ id: 'here' })], endpoint: [{ reference }] });
    expect(studySources(study, recordOf([study, wadoEndpoint()]), both).study?.base).toBe(pacs);
  });

  it('DW-3: at the configured default where no WADO-RS Endpoint is named', () => {
    const viewer = { system: 'http://terminology.hl7.org/CodeSystem/endpoint-connection-type', code: 'ihe-iid' };
    const withDefault = listed([pacs], archive);
    for (const endpoint of [undefined, [{ reference: 'Endpoint/pacs' }]]) {
      const study = imagingStudy({ endpoint });
      const record = recordOf([study, wadoEndpoint({ connectionType: viewer })]);
      expect(studySources(study, record, withDefault).study?.base).toBe(archive);
    }
  });

  it('DW-3: nowhere, where no WADO-RS Endpoint is named and no default configured', () => {
    const study = imagingStudy({ endpoint: undefined });
    expect(() => studySources(study, recordOf([study]), both)).toThrow('names no WADO-RS Endpoint');
  });

  it.each([
    ['DW-2: is suspended', wadoEndpoint({ status: 'suspended' }), 'suspended, not active'],
    [
      'DW-4: has an address that is not listed',
      wadoEndpoint({ address: 'https://elsewhere.example.org' }),
      'does not list',
    ],
    ['DW-3: is not in the record', wadoEndpoint({ id: 'other' }), 'cannot be read'],
  ])('at no other server in its place, where the Endpoint %s', (_, endpoint, why) => {
    const study = imagingStudy();
    expect(() => studySources(study, recordOf([study, endpoint]), listed([pacs], archive))).toThrow(why);
  });

  it('at the first of several Endpoints that can be used', () => {
    const study = imagingStudy({ endpoint: [{ reference: 'Endpoint/off' }, { reference: 'Endpoint/pacs' }] });
    const record = recordOf([study, wadoEndpoint({ id: 'off', status: 'off' }), wadoEndpoint()]);
    expect(studySources(study, record, both).study?.base).toBe(pacs);
  });
});
