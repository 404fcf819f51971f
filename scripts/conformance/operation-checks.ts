import assert from 'node:assert/strict';
import type { CapabilityStatement, OperationDefinition } from '@medplum/fhirtypes';
import type { Check } from './check.ts';
import { issueCodes, parametersOf, predicted } from './predict-call.ts';
import type { Site } from './site.ts';

/** `$predict` as an operation, and its definition (OP-1 to OP-13). */
export const operationChecks: readonly Check[] = [
  {
    ids: ['OP-1', 'OP-2', 'OP-6', 'OP-13'],
    says: 'The CapabilityStatement leads to a definition that is well formed',
    async run(site) {
      const definition = await definitionOf(site);
      assert.match(definition.name, /^[A-Z][A-Za-z0-9_]{0,254}$/);
      assert.equal(definition.kind, 'operation');
      assert.equal(definition.code, 'predict');
      assert.equal(definition.affectsState, true);
      for (const level of ['system', 'type', 'instance'] as const) assert.equal(typeof definition[level], 'boolean');
      const parameters = definition.parameter ?? [];
      for (const { name = '', use, min, max, type, part, searchType } of parameters) {
        assert.match(name, /^[a-z][A-Za-z0-9_]*$/);
        assert.ok(use !== undefined && min !== undefined && max !== undefined, name);
        assert.notEqual(type === undefined, part === undefined, `${name} has a type or parts (opd-1)`);
        assert.ok(searchType === undefined || type === 'string', `${name}: searchType needs string (opd-2)`);
      }
      return `${definition.url}, ${parameters.length} parameters, affectsState`;
    },
  },
  {
    ids: ['OP-3', 'OP-4', 'OP-11'],
    says: 'POST answers at the levels of the definition with the bare resource, without an id',
    async run(site) {
      const { system, type } = await definitionOf(site);
      const levels = [...(system ? ['$predict'] : []), ...(type ? ['Patient/$predict'] : [])];
      for (const path of levels) {
        const { status, json, text } = await predicted(site, {}, path);
        assert.equal(status, 200, `${path}: ${text}`);
        const { resourceType, id } = json as { resourceType: string; id?: string };
        assert.ok(['RiskAssessment', 'Observation', 'DiagnosticReport'].includes(resourceType), resourceType);
        assert.equal(id, undefined, 'a resource that is not stored has no id');
      }
      const instance = await atInstance(site, {});
      assert.equal(instance.status, 200, instance.text);
      return `${[...levels, 'Patient/[id]/$predict'].join(', ')}: 200`;
    },
  },
  {
    ids: ['OP-6'],
    says: 'GET is refused with 405, and says what is allowed',
    async run(site) {
      for (const path of ['Patient/$predict', `Patient/${site.patient}/$predict`]) {
        const { status, headers } = await site.call(path);
        assert.deepEqual([path, status, headers.get('allow')], [path, 405, 'POST']);
      }
      return '405, Allow: POST';
    },
  },
  {
    ids: ['OP-7'],
    says: 'An empty body stands for no parameters',
    async run(site) {
      const answer = await site.call(`Patient/${site.patient}/$predict`, { method: 'POST' });
      assert.equal(answer.status, 400, answer.text);
      assert.deepEqual(issueCodes(answer), ['required']);
      return '400: the parameter model is named as missing';
    },
  },
  {
    ids: ['OP-8', 'OP-12'],
    says: 'Parameters in the URL and unknown ones are refused, not dropped',
    async run(site) {
      const inUrl = await predicted(site, {}, `Patient/$predict?model=${site.model}`);
      const unknown = await predicted(site, { body: parametersOf(site, [{ name: 'colour', valueString: 'red' }]) });
      for (const answer of [inUrl, unknown]) {
        assert.equal(answer.status, 400, answer.text);
        issueCodes(answer);
      }
      return 'both 400';
    },
  },
  {
    ids: ['OP-9', 'OP-20'],
    says: 'A body that is not Parameters is 400 with an OperationOutcome',
    async run(site) {
      const bodies = [
        { resourceType: 'Appointment' },
        { resourceType: 'Bundle', type: 'batch' },
        {},
        [],
        'null',
        '7',
        '"x"',
        '{',
      ];
      for (const body of bodies) {
        const answer = await predicted(site, { body });
        assert.equal(answer.status, 400, `${JSON.stringify(body)}: ${answer.status}`);
        issueCodes(answer);
      }
      return `${bodies.length} bodies: 400`;
    },
  },
  {
    ids: ['OP-10'],
    says: 'A parameter holds exactly one value',
    async run(site) {
      const bad = [
        { name: 'explain' },
        { name: 'explain', valueBoolean: true, valueString: 'true' },
        { name: 'explain', valueString: 'true' },
      ];
      for (const parameter of bad) {
        const answer = await predicted(site, { body: parametersOf(site, [parameter as { name: string }]) });
        assert.equal(answer.status, 400, JSON.stringify(parameter));
        issueCodes(answer);
      }
      return 'none, two, and one of another type: 400';
    },
  },
  {
    ids: ['OP-20', 'OP-21'],
    says: 'An abstention is 422 with codes, an unknown model 404, and no stack is shown',
    async run(site) {
      const child = { ...site.record[0], birthDate: '2020-01-01' };
      const body = {
        ...parametersOf(site),
        parameter: parametersOf(site).parameter?.map((each) =>
          each.resource?.resourceType === 'Patient' ? { name: 'resource', resource: child } : each,
        ),
      };
      const abstained = await predicted(site, { body });
      const unknown = await predicted({ ...site, model: 'no-such-model' });
      assert.deepEqual([abstained.status, unknown.status], [422, 404]);
      assert.ok(issueCodes(abstained).every((code) => code === 'business-rule'));
      assert.deepEqual(issueCodes(unknown), ['not-found']);
      for (const { text } of [abstained, unknown]) assert.doesNotMatch(text, /\bat .*\.(ts|js):\d+|node_modules/);
      return 'a child: 422 business-rule; an unknown model: 404 not-found';
    },
  },
];

async function definitionOf(site: Site): Promise<OperationDefinition> {
  const statement = (await site.call('metadata')).json as CapabilityStatement;
  const rest = statement.rest?.[0];
  const offered = [...(rest?.operation ?? []), ...(rest?.resource ?? []).flatMap(({ operation = [] }) => operation)];
  const predict = offered.find(({ name }) => name === 'predict') ?? assert.fail('predict is not listed');
  const answer = await site.call(`OperationDefinition?url=${encodeURIComponent(predict.definition ?? '')}`);
  const found = (answer.json as { entry?: { resource: OperationDefinition }[] }).entry ?? [];
  return (
    found[0]?.resource ?? assert.fail(`${predict.definition} is not found at the server: ${answer.text.slice(0, 300)}`)
  );
}

function atInstance(site: Site, options: object) {
  const { parameter = [] } = parametersOf(site);
  const body = { resourceType: 'Parameters', parameter: parameter.filter(({ name }) => name !== 'subject') };
  return site.call(`Patient/${site.patient}/$predict`, { method: 'POST', body, ...options });
}
