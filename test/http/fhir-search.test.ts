import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { imagingSeries, imagingStudy } from '../support/build-imaging-study.ts';
import { type FhirTestServer, send, startFhirTestServer } from '../support/fhir-test-server.ts';

let server: FhirTestServer;
const foreign = 'https://other.example.org/fhir/Patient/17';

beforeAll(async () => {
  server = await startFhirTestServer({ timeZone: 'America/New_York' });
  const observation = (id: string, extra: object) => ({
    resourceType: 'Observation',
    id,
    status: 'final',
    code: coded('http://loinc.org', '1'),
    ...extra,
  });
  const condition = (id: string, extra: object) => ({
    resourceType: 'Condition',
    id,
    subject: { reference: 'Patient/17' },
    ...extra,
  });
  const resources = [
    {
      resourceType: 'Patient',
      id: '17',
      identifier: [{ system: 'urn:mrn', value: 'a,b' }, { value: 'bare' }, { system: 'urn:m2', value: 'c\\' }],
    },
    observation('o1', {
      subject: { reference: 'Patient/17' },
      effectiveDateTime: '2024-05-01T10:00:00Z',
      category: [coded('urn:cat', 'lab')],
    }),
    observation('o2', {
      subject: { reference: 'urn:uuid:17' },
      encounter: { reference: 'urn:uuid:e1' },
      effectiveDateTime: '2024-05-02',
    }),
    observation('o3', {
      subject: { reference: `${server.base}/Patient/17` },
      effectivePeriod: { start: '2024-05-01', end: '2024-05-10' },
      status: 'amended',
    }),
    observation('o4', { subject: { reference: foreign }, effectiveDateTime: '2024' }),
    observation('o5', { subject: { reference: 'Group/g1' }, code: { coding: [{ code: 'local' }] } }),
    observation('o6', {
      subject: { reference: 'Patient/18' },
      effectivePeriod: { start: '2024-05-09T00:00:00Z' },
      code: coded('http://loinc.org', '2'),
    }),
    {
      resourceType: 'Encounter',
      id: 'e1',
      status: 'finished',
      class: { code: 'AMB' },
      subject: { reference: 'Patient/17' },
      period: { start: '2023-01-01' },
    },
    condition('c1', { onsetDateTime: '2020', recordedDate: '2021-06-01', code: coded('http://snomed.info/sct', '1') }),
    condition('c2', { onsetString: 'as a child', recordedDate: '2021-06-01' }),
    {
      resourceType: 'MedicationRequest',
      id: 'm1',
      status: 'active',
      intent: 'order',
      subject: { reference: 'Patient/17' },
      authoredOn: '2024-01-01',
      medicationCodeableConcept: coded('urn:rx', '1'),
    },
    {
      resourceType: 'Group',
      id: 'g1',
      type: 'person',
      actual: true,
      member: [{ entity: { reference: 'Patient/17' } }],
    },
    {
      resourceType: 'RiskAssessment',
      id: 'r1',
      status: 'preliminary',
      subject: { reference: 'Patient/17' },
      occurrencePeriod: { start: '2024-03-01', end: '2024-03-02' },
    },
    {
      resourceType: 'Provenance',
      id: 'v1',
      target: [{ reference: 'RiskAssessment/r1/_history/1' }],
      recorded: '2024-03-01T10:00:00Z',
      agent: [{ who: { display: 'a model' } }],
    },
  ];
  for (const resource of resources) {
    const answer = await send(`${server.base}/${resource.resourceType}/${resource.id}`, 'PUT', resource);
    expect(answer.status, answer.text).toBe(201);
  }
});
afterAll(() => server.close());

function coded(system: string, code: string): object {
  return { coding: [{ system, code }] };
}

async function ids(query: string): Promise<string[]> {
  const { status, text, body } = await send(`${server.base}/${query}`);
  expect(status, text).toBe(200);
  return (body.entry ?? []).map((entry: { resource: { id: string } }) => entry.resource.id);
}

describe('what each parameter finds', () => {
  test('RA-8: a RiskAssessment, by its patient and its date', async () => {
    expect(await ids('RiskAssessment?patient=17')).toEqual(['r1']);
    expect(await ids('RiskAssessment?subject=Patient/17&date=2024-03-01')).toEqual([]);
    expect(await ids('RiskAssessment?subject=Patient/17&date=2024-03')).toEqual(['r1']);
  });

  test('AIT-7: the Provenance of a result, by its target', async () => {
    expect(await ids('Provenance?target=RiskAssessment/r1')).toEqual(['v1']);
    expect(await ids(`Provenance?target=${server.base}/RiskAssessment/r1`)).toEqual(['v1']);
    expect(await ids('Provenance?target=RiskAssessment/r2')).toEqual([]);
    expect(await ids('Provenance?target=Observation/r1')).toEqual([]);
  });

  test.each([
    ['Patient?_id=17', ['17']],
    ['Patient?identifier=urn:mrn|a\\,b', ['17']],
    ['Patient?identifier=urn:m2|c\\\\,urn:mrn|x', ['17']],
    ['Patient?identifier=bare', ['17']],
    ['Patient?identifier=|bare', ['17']],
    ['Patient?identifier=|a\\,b', []],
    ['Patient?identifier=urn:mrn|', ['17']],
    ['Patient?identifier=urn:other|bare', []],
    ['Observation?patient=17', ['o1', 'o2', 'o3']],
    ['Observation?patient=Patient/17', ['o1', 'o2', 'o3']],
    ['Observation?patient=urn:uuid:17', ['o1', 'o2', 'o3']],
    ['Observation?subject=Patient/17', ['o1', 'o2', 'o3']],
    [`Observation?subject=${foreign}`, ['o4']],
    ['Observation?subject=Group/g1', ['o5']],
    ['Observation?patient=17,18', ['o1', 'o2', 'o3', 'o6']],
    ['Observation?patient=17&status=amended', ['o3']],
    ['Observation?status=amended,final&patient=17', ['o1', 'o2', 'o3']],
    ['Observation?encounter=e1', ['o2']],
    ['Observation?encounter=Encounter/e1', ['o2']],
    ['Observation?code=http://loinc.org|2', ['o6']],
    ['Observation?code=2', ['o6']],
    ['Observation?code=|local', ['o5']],
    ['Observation?code=|2', []],
    ['Observation?category=urn:cat|lab', ['o1']],
    ['Observation?patient=17&patient=18', []],
    ['Group?member=Patient/17', ['g1']],
    ['MedicationRequest?code=urn:rx|1', ['m1']],
    ['MedicationRequest?date=2024-01-01', ['m1']],
    ['Condition?date=2020', ['c1']],
    ['Condition?date=2021-06-01', ['c2']],
    ['Encounter?date=ge2024', ['e1']],
    ['RiskAssessment?date=2024-03', ['r1']],
    ['Patient?_lastUpdated=gt2020-01-01', ['17']],
    ['Patient?_lastUpdated=lt2020-01-01', []],
  ])('%s', async (query, expected) => {
    expect(await ids(query)).toEqual(expected);
  });
});

describe('dates are intervals, and without a time days of the site', () => {
  // o1 10:00Z on 1 May; o2 2 May in New York; o3 1 to 10 May; o4 2024; o6 from 9 May on, open.
  test.each([
    ['eq2024-05-01', ['o1']],
    ['2024-05-01T10:00:00Z', ['o1']],
    ['2024-05-01T06:00:00-04:00', ['o1']],
    ['2024-05-01T10:00Z', ['o1']],
    ['eq2024-05', ['o1', 'o2', 'o3']],
    ['eq2024', ['o1', 'o2', 'o3', 'o4']],
    ['ne2024-05', ['o4', 'o6']],
    ['gt2024-05-02', ['o3', 'o4', 'o6']],
    ['lt2024-05-02', ['o1', 'o3', 'o4']],
    ['ge2024-05-02', ['o2', 'o3', 'o4', 'o6']],
    ['le2024-05-01', ['o1', 'o4']],
    ['sa2024-05-01', ['o2', 'o6']],
    ['eb2024-05-02', ['o1']],
    ['ge2024-05-02T04:00:00Z', ['o2', 'o3', 'o4', 'o6']],
    ['eb2024-05-02T04:00:00Z', ['o1']],
  ])('date=%s', async (value, expected) => {
    expect(await ids(`Observation?date=${encodeURIComponent(value)}`)).toEqual(expected);
  });
});

describe('who a Patient is', () => {
  const persons: Record<string, object> = {
    amy: { gender: 'female', birthDate: '1960-01-01', active: true },
    ben: { gender: 'male', birthDate: '1960-02', active: false, deceasedBoolean: false },
    cat: { gender: 'female', birthDate: '1960', deceasedDateTime: '2020-05-01' },
    dan: { gender: 'unknown', birthDate: '1960-02-29', deceasedBoolean: true },
    eve: { _gender: { extension: [{ url: 'urn:x', valueCode: 'male' }] }, name: [{ text: 'gender=male 1960' }] },
  };
  let people: FhirTestServer;
  beforeAll(async () => {
    people = await startFhirTestServer({ timeZone: 'Pacific/Kiritimati' });
    for (const [id, person] of Object.entries(persons)) {
      const answer = await send(`${people.base}/Patient/${id}`, 'PUT', { resourceType: 'Patient', id, ...person });
      expect(answer.status, answer.text).toBe(201);
    }
  });
  afterAll(() => people.close());
  const found = async (query: string): Promise<string[]> => {
    const { status, text, body } = await send(`${people.base}/Patient?${query}`);
    expect(status, text).toBe(200);
    return (body.entry ?? []).map((entry: { resource: { id: string } }) => entry.resource.id);
  };

  test.each([
    ['gender=female', ['amy', 'cat']],
    ['gender=male', ['ben']],
    ['gender=female,unknown', ['amy', 'cat', 'dan']],
    ['gender=other', []],
    ['gender=male&gender=female', []],
    ['active=true', ['amy']],
    ['active=false', ['ben']],
    ['active=true,false', ['amy', 'ben']],
    ['deceased=true', ['cat', 'dan']],
    ['deceased=false', ['amy', 'ben', 'eve']],
    ['birthdate=1960', ['amy', 'ben', 'cat', 'dan']],
    ['birthdate=1960-02', ['ben', 'dan']],
    ['birthdate=eq1960-02-29', ['dan']],
    ['birthdate=1960-01-01,1960-02-29', ['amy', 'dan']],
    ['birthdate=ne1960-02', ['amy', 'cat']],
    ['birthdate=lt1960-02-01', ['amy', 'cat']],
    ['birthdate=lt1960-01-01', []],
    ['birthdate=le1960-01-01', ['amy']],
    ['birthdate=le1960-01-02', ['amy', 'cat']],
    ['birthdate=le1960', ['amy', 'ben', 'cat', 'dan']],
    ['birthdate=le1959-12-31', []],
    ['birthdate=gt1960-02-28', ['ben', 'cat', 'dan']],
    ['birthdate=gt1960-02-29', ['cat']],
    ['birthdate=gt1960', []],
    ['birthdate=ge1960-02-28', ['ben', 'cat', 'dan']],
    ['birthdate=ge1960-02-29', ['cat', 'dan']],
    ['birthdate=ge1960-12-31', []],
    ['birthdate=ge1961', []],
    ['birthdate=sa1960-01-01', ['ben', 'dan']],
    ['birthdate=eb1960-02-01', ['amy']],
    ['birthdate=eb1960-03-01', ['amy', 'ben', 'dan']],
    ['birthdate=ge1960-01-15&birthdate=lt1960-03-01&gender=male', ['ben']],
    ['gender=female&birthdate=le1960', ['amy', 'cat']],
  ])('%s', async (query, expected) => {
    expect(await found(query)).toEqual(expected);
    const counted = await send(`${people.base}/Patient?${query}&_summary=count`);
    expect(counted.body.total).toBe(expected.length);
  });

  test.each([
    ['_sort=birthdate', ['amy', 'cat', 'ben', 'dan', 'eve']],
    ['_sort=-birthdate', ['cat', 'ben', 'dan', 'amy', 'eve']],
    ['_sort=gender,-_id', ['cat', 'amy', 'ben', 'dan', 'eve']],
    ['_sort=-deceased,active', ['cat', 'dan', 'ben', 'amy', 'eve']],
  ])('%s, also in pages of two', async (query, expected) => {
    expect(await found(query)).toEqual(expected);
    const paged: string[] = [];
    let url: string | undefined = `${people.base}/Patient?${query}&_count=2`;
    while (url !== undefined) {
      const { body } = await send(url);
      paged.push(...body.entry.map((entry: { resource: { id: string } }) => entry.resource.id));
      url = body.link.find((link: { relation: string }) => link.relation === 'next')?.url;
    }
    expect(paged).toEqual(expected);
  });

  test('what changes is found by what it says now, and what is deleted not at all', async () => {
    const put = (gender: string) =>
      send(`${people.base}/Patient/fay`, 'PUT', { resourceType: 'Patient', id: 'fay', gender, birthDate: '1900' });
    await put('other');
    expect(await found('gender=other')).toEqual(['fay']);
    await put('male');
    expect(await found('gender=other')).toEqual([]);
    expect(await found('gender=male&birthdate=lt1950')).toEqual(['fay']);
    await send(`${people.base}/Patient/fay`, 'DELETE');
    expect(await found('birthdate=lt1950')).toEqual([]);
  });

  test('the CapabilityStatement lists them for Patient alone', async () => {
    const { body } = await send(`${people.base}/metadata`);
    const offered = (type: string): Record<string, string> => {
      const resource = body.rest[0].resource.find((one: { type: string }) => one.type === type);
      return Object.fromEntries(
        resource.searchParam.map((one: { name: string; type: string }) => [one.name, one.type]),
      );
    };
    expect(offered('Patient')).toMatchObject({
      gender: 'token',
      birthdate: 'date',
      active: 'token',
      deceased: 'token',
    });
    expect(Object.keys(offered('Practitioner'))).not.toContain('gender');
  });
});

describe('what is not understood is refused by name, never left out', () => {
  test.each([
    ['Observation?favourite=1', 'favourite'],
    ['Observation?code:exact=1', 'code:exact'],
    ['Observation?code:missing=true', 'code:missing'],
    ['Observation?patient.name=x', 'patient.name'],
    ['Observation?subject:Patient=17', 'subject:Patient'],
    ['Observation?_include=Observation:subject', '_include'],
    ['Observation?_has:Group:member:_id=1', '_has'],
    ['Observation?_elements=id', '_elements'],
    ['Observation?_offset=5', '_offset'],
    ['Observation?_account=Patient/1', '_account'],
    ['Observation?date=ap2024', 'ap'],
    ['Observation?date=2024-02-30', '2024-02-30'],
    ['Observation?date=tomorrow', 'tomorrow'],
    ['Observation?subject=17', 'subject'],
    ['Observation?patient=Group/1', 'patient'],
    ['Observation?code=a|b|c', 'code'],
    ['Observation?code=', 'code'],
    ['Observation?code=a,,b', 'code'],
    ['Observation?status=x|final', 'status'],
    ['Observation?_id=a b', '_id'],
    ['Observation?_id=%00', '_id'],
    ['Observation?_count=-1', '_count'],
    ['Observation?_count=many', '_count'],
    ['Observation?_count=1&_count=2', '_count'],
    ['Observation?_sort=value', 'value'],
    ['Observation?_total=estimate', '_total'],
    ['Observation?_summary=true', '_summary'],
    ['Observation?_page=abc', '_page'],
    ['Observation?_pretty=yes', '_pretty'],
    ['Device?subject=Patient/17', 'subject'],
    ['Organization?patient=17', 'patient'],
    ['RiskAssessment?status=final', 'status'],
    ['Patient?date=2024', 'date'],
    ['StructureDefinition?url=http://example.org/one|2', 'without its version'],
    ['Patient?url=http://example.org/one', 'url'],
    ['Patient?gender=Female', 'male, female, other, unknown'],
    ['Patient?gender=http://hl7.org/fhir/administrative-gender|female', 'gender takes'],
    ['Patient?gender:not=female', 'gender:not'],
    ['Patient?gender:missing=true', 'gender:missing'],
    ["Patient?gender=male') or ('1'='1", 'gender takes'],
    ['Patient?birthdate=1960-02-30', '1960-02-30'],
    ['Patient?birthdate=1960-13', '1960-13'],
    ['Patient?birthdate=60', "'60'"],
    ['Patient?birthdate=0000', "'0000'"],
    ['Patient?birthdate=1960-01-01T00:00:00Z', 'birthdate takes a date'],
    ['Patient?birthdate=ap1960', 'ap'],
    ['Patient?birthdate=le', "'le'"],
    ['Patient?birthdate=', 'birthdate'],
    ['Patient?active=yes', 'true, false'],
    ['Patient?deceased=2020', 'true, false'],
    ['Practitioner?gender=female', 'gender'],
    ['Person?birthdate=1960', 'birthdate'],
    ['Patient/17?_elements=id', '_elements'],
    ['Patient/17/_history/1?x=1', 'x'],
  ])('%s', async (query, named) => {
    const { status, body } = await send(`${server.base}/${query}`);
    expect([status, body.issue[0].severity]).toEqual([400, 'error']);
    expect(body.issue[0].diagnostics).toContain(named);
  });

  test('the message lists what the type allows', async () => {
    const { body } = await send(`${server.base}/Patient?name=Smith`);
    for (const name of ['_id', '_lastUpdated', 'identifier', '_sort', '_count'])
      expect(body.issue[0].diagnostics).toContain(name);
    expect(body.issue[0].diagnostics).not.toContain('encounter');
  });

  test('nothing is written by a create whose URL has a stray parameter', async () => {
    const answer = await send(`${server.base}/Patient?_account=Patient/1`, 'POST', { resourceType: 'Patient' });
    expect(answer.status).toBe(400);
    expect(await ids('Patient')).toEqual(['17']);
  });
});

describe('order and pages', () => {
  test.each([
    ['Observation?_sort=-_id', ['o6', 'o5', 'o4', 'o3', 'o2', 'o1']],
    ['Observation?_sort=date', ['o4', 'o3', 'o1', 'o2', 'o6', 'o5']],
    ['Observation?_sort=-date', ['o6', 'o4', 'o3', 'o2', 'o1', 'o5']],
    ['Observation?_sort=status,-_id', ['o3', 'o6', 'o5', 'o4', 'o2', 'o1']],
    ['Observation?_sort=_lastUpdated', ['o1', 'o2', 'o3', 'o4', 'o5', 'o6']],
  ])('%s, also in pages of two', async (query, expected) => {
    expect(await ids(query)).toEqual(expected);
    const paged: string[] = [];
    let url: string | undefined = `${server.base}/${query}&_count=2`;
    while (url !== undefined) {
      const { body } = await send(url);
      paged.push(...body.entry.map((entry: { resource: { id: string } }) => entry.resource.id));
      expect(body.entry.length).toBeLessThanOrEqual(2);
      url = body.link.find((link: { relation: string }) => link.relation === 'next')?.url;
    }
    expect(paged).toEqual(expected);
  });

  test('a page neither repeats nor hides anything when others write meanwhile', async () => {
    const put = (id: string) => send(`${server.base}/Location/${id}`, 'PUT', { resourceType: 'Location', id });
    for (const id of ['b', 'd', 'f', 'h']) await put(id);
    const first = await send(`${server.base}/Location?_count=2`);
    await Promise.all([put('a'), put('c'), put('g')]);
    const second = await send(first.body.link[1].url);
    const seen = [...first.body.entry, ...second.body.entry].map(
      (entry: { resource: { id: string } }) => entry.resource.id,
    );
    expect(seen).toEqual(['b', 'd', 'f', 'g']);
  });

  test('a next link does not fit another order', async () => {
    const { body } = await send(`${server.base}/Observation?_count=2&_sort=date`);
    const page = new URL(body.link[1].url).searchParams.get('_page');
    expect((await send(`${server.base}/Observation?_sort=-date&_page=${page}`)).status).toBe(400);
  });

  test('total stands in the Bundle only where it is exact', async () => {
    expect((await send(`${server.base}/Observation?_count=2`)).body.total).toBeUndefined();
    const exact = (await send(`${server.base}/Observation?_count=2&_total=accurate`)).body;
    expect([exact.total, exact.entry.length]).toEqual([6, 2]);
    for (const query of ['_summary=count', '_count=0']) {
      const counted = (await send(`${server.base}/Observation?${query}`)).body;
      expect([counted.total, counted.entry]).toEqual([6, undefined]);
    }
  });

  test('the self link holds what was understood, and _count is capped at 1000', async () => {
    const { body } = await send(`${server.base}/Observation?patient=17&_count=5000`);
    expect(body.link[0]).toEqual({ relation: 'self', url: `${server.base}/Observation?patient=17&_count=1000` });
    expect(body.entry[0]).toMatchObject({ fullUrl: `${server.base}/Observation/o1`, search: { mode: 'match' } });
  });

  test('a search may be posted as a form', async () => {
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const found = await send(
      `${server.base}/Observation/_search?_count=1`,
      'POST',
      'patient=17&status=amended',
      headers,
    );
    expect(found.body.entry.map((entry: { resource: { id: string } }) => entry.resource.id)).toEqual(['o3']);
    expect((await send(`${server.base}/Observation/_search`, 'POST', 'favourite=1', headers)).status).toBe(400);
    expect((await send(`${server.base}/Observation/_search`, 'POST', '{}')).status).toBe(415);
  });
});

describe('definitions', () => {
  beforeAll(async () => {
    const structure = (id: string, url: string) => ({
      resourceType: 'StructureDefinition',
      id,
      url,
      name: 'Made',
      status: 'draft',
      kind: 'complex-type',
      abstract: false,
      type: 'Extension',
    });
    const naming = (id: string, ...values: string[]) => ({
      resourceType: 'NamingSystem',
      id,
      name: 'Made',
      status: 'draft',
      kind: 'identifier',
      date: '2026-01-01',
      uniqueId: values.map((value) => ({ type: 'uri', value })),
    });
    for (const definition of [
      structure('one', 'http://example.org/one'),
      structure('two', 'http://example.org/two,half'),
      naming('n1', 'urn:oid:1.2.3', 'http://example.org/Names'),
      naming('n2', 'http://elsewhere.example/names'),
    ])
      await send(`${server.base}/${definition.resourceType}/${definition.id}`, 'PUT', definition);
  });
  const idsOf = async (query: string): Promise<string[]> => {
    const { status, text, body } = await send(`${server.base}/${query}`);
    expect(status, text).toBe(200);
    return (body.entry ?? []).map(({ resource }: { resource: { id: string } }) => resource.id);
  };

  test.each([
    ['url=http://example.org/one', ['one']],
    ['url=http://example.org/one,http://example.org/two\\,half', ['one', 'two']],
    ['url=http://example.org/on', []],
    ['url=HTTP://example.org/one', []],
    ['_sort=-url', ['two', 'one']],
  ])('OP-13 are found by their canonical URL, exactly: %s', async (query, ids) => {
    expect(await idsOf(`StructureDefinition?${query}`)).toEqual(ids);
  });

  test.each([
    ['value=http://example.org/Names', ['n1']],
    ['value=HTTP://EXAMPLE', ['n1']],
    ['value=urn:oid:1.2.3,http://elsewhere.example/names', ['n1', 'n2']],
    ['value=%25', []],
    ['_sort=value', ['n2', 'n1']],
  ])('of names are found by the beginning of any of their ids, as R4 finds strings: %s', async (query, ids) => {
    expect(await idsOf(`NamingSystem?${query}`)).toEqual(ids);
  });
});

describe('imaging studies', () => {
  let pacs: FhirTestServer;
  beforeAll(async () => {
    pacs = await startFhirTestServer({ timeZone: 'America/New_York' });
    const studies = [
      imagingStudy({ id: 'ct', started: '2026-01-02T07:30:00Z', series: [seriesOf('CT'), seriesOf('SR')] }),
      imagingStudy({
        id: 'dx',
        started: '2026-01-05',
        endpoint: [{ reference: `${pacs.base}/Endpoint/other` }],
        series: [seriesOf('DX')],
      }),
      imagingStudy({
        id: 'mr',
        started: undefined,
        status: 'registered',
        endpoint: undefined,
        series: [imagingSeries({ ...seriesOf('MR'), endpoint: [{ reference: 'Endpoint/series' }] })],
      }),
    ];
    for (const study of studies) {
      const { status } = await send(`${pacs.base}/ImagingStudy/${study.id}`, 'PUT', study);
      expect(status).toBe(201);
    }
  });
  afterAll(() => pacs.close());

  test.each([
    ['identifier=urn:dicom:uid|urn:oid:1.2.3.4&patient=1', ['ct', 'dx', 'mr']],
    ['modality=CT', ['ct']],
    ['modality=http://dicom.nema.org/resources/ontology/DCM|DX,MR', ['dx', 'mr']],
    ['started=ge2026-01-03', ['dx']],
    ['started=2026-01-02', ['ct']],
    ['status=available', ['ct', 'dx']],
    ['endpoint=pacs', ['ct']],
    ['endpoint=Endpoint/other', ['dx']],
    ['endpoint=series', ['mr']],
    ['_sort=-started', ['dx', 'ct', 'mr']],
    ['_sort=modality', ['ct', 'dx', 'mr']],
  ])('are found by %s', async (query, expected) => {
    const { body } = await send(`${pacs.base}/ImagingStudy?${query}`);
    expect((body.entry ?? []).map((entry: { resource: { id: string } }) => entry.resource.id)).toEqual(expected);
  });

  test('pages by their start lose none', async () => {
    const paged: string[] = [];
    let url: string | undefined = `${pacs.base}/ImagingStudy?_sort=started,endpoint&_count=1`;
    while (url !== undefined) {
      const { body } = await send(url);
      paged.push(...body.entry.map((entry: { resource: { id: string } }) => entry.resource.id));
      url = body.link.find((link: { relation: string }) => link.relation === 'next')?.url;
    }
    expect(paged).toEqual(['ct', 'dx', 'mr']);
  });
});

function seriesOf(modality: string) {
  return imagingSeries({ modality: { system: 'http://dicom.nema.org/resources/ontology/DCM', code: modality } });
}
