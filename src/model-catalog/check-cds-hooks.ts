import { resourceTypes } from '../fhir/resource-types.ts';
import { checkLevels } from './cds-cards/check-levels.ts';
import { checkLinks } from './cds-cards/check-links.ts';
import { checkSuggestions } from './cds-cards/check-suggestions.ts';
import type { CdsHooksService } from './cds-hooks-schema.ts';
import { hookNames, hookVersions } from './hook-library.ts';
import type { Manifest } from './manifest-schema.ts';
import { levelsOf } from './outcome-score.ts';
import { repeated } from './repeated.ts';

type Find = (path: string, message: string) => void;

/** What can be judged of the section `cdsHooks` of one manifest: services told apart, outcomes known, every score shown. */
export function checkCdsHooks(manifest: Manifest, find: Find): void {
  const services = manifest.cdsHooks ?? [];
  for (const name of repeated(services.map((service) => `${serviceId(service, manifest.id)} at ${service.hook}`))) {
    find('/cdsHooks', `the service ${name} is there twice`);
  }
  services.forEach((service, index) => {
    const { outcome: id, cards } = service;
    const path = `/cdsHooks/${index}`;
    checkHook(service, (field, message) => find(`${path}/${field}`, message));
    checkFocus(service, (message) => find(`${path}/focus`, message));
    const outcome = manifest.outcomes.find((candidate) => candidate.id === id);
    if (outcome === undefined) {
      find(`${path}/outcome`, `is ${id}; this model has ${manifest.outcomes.map((known) => known.id).join(', ')}`);
      return;
    }
    checkLevels(cards.scored, outcome, (message) => find(`${path}/cards/scored`, message));
    checkSuggestions(service, outcome, (place, message) => find(`${path}${place}`, message));
    checkLinks(service, (place, message) => find(`${path}${place}`, message));
    if (manifest.report !== undefined)
      for (const field of ofNoReport)
        if (service[field] !== undefined)
          find(
            `${path}/${field}`,
            `is not for a model with reports, whose cards show what stands of a study: leave it out`,
          );
    // Of a score alone nobody can say what is the same again: 5 % and 40 % would be.
    if (service.repeats !== undefined && levelsOf(outcome).length === 0)
      find(`${path}/repeats`, `needs an outcome with bands or classes, and ${outcome.id} has none`);
  });
}

/** A report is made behind the calls, and kept by this server: no earlier card takes its place, and no client keeps it. */
const ofNoReport = ['reuse', 'systemActions'] as const;

/** The last part of the address of a service. */
export function serviceId({ id }: CdsHooksService, modelId: string): string {
  return id ?? modelId;
}

/** A service that predicts about what its hook never holds would be silent for ever. */
function checkFocus(service: CdsHooksService, find: (message: string) => void): void {
  const { hook, focus: types } = service;
  const versions = hookVersions(service);
  // Of a hook that nothing defines, that is said already.
  if (types === undefined || versions.length === 0) return;
  const fields = versions.flatMap(({ context }) => Object.values(context)).filter(({ focus }) => focus === true);
  if (fields.length === 0) {
    find(`is there, but ${hook} names nothing that a prediction can be about beside the patient: leave it out`);
    return;
  }
  const held = fields.map(({ holds, type }) => holds ?? (type === undefined ? undefined : [type]));
  for (const type of types) {
    if (!resourceTypes.has(type)) find(`is ${type}, which is no resource type of FHIR R4`);
    else if (held.every((known) => known !== undefined && !known.includes(type)))
      find(`is ${type}; ${hook} holds ${[...new Set(held.flatMap((known) => known ?? []))].join(', ')}`);
  }
}

/** A hook of the library has the context that is published, in a version that is; one of the owner's has what the manifest says. */
function checkHook({ hook, hookVersion, context }: CdsHooksService, find: Find): void {
  const isKnown = (hookNames as readonly string[]).includes(hook);
  if (isKnown && context !== undefined) find('context', `is that of the CDS Hooks library for ${hook}: leave it out`);
  if (isKnown && hookVersions({ hook, ...(hookVersion && { hookVersion }) }).length === 0) {
    const versions = hookVersions({ hook }).map(({ version }) => version);
    find('hookVersion', `is ${hookVersion}; the library has ${hook} in ${versions.join(' and ')}`);
  }
  if (isKnown) return;
  if (context === undefined) {
    find('context', `is missing: the CDS Hooks library does not know ${hook}`);
    return;
  }
  const { patientId } = context;
  if (patientId?.is !== 'id' || patientId.optional === true)
    find('context/patientId', 'must be an id that is not optional: it names the subject');
  const expected = { encounterId: 'id', userId: 'user' } as const;
  for (const [name, kind] of Object.entries(expected)) {
    const field = context[name];
    if (field !== undefined && field.is !== kind) find(`context/${name}`, `must be of the kind ${kind}, as everywhere`);
  }
  for (const [name, field] of Object.entries(context)) {
    const holds = field.is === 'resource' || field.is === 'resources' || field.is === 'bundle';
    if (!holds && (field.type !== undefined || field.proposed === true))
      find(`context/${name}`, `holds no resources (${field.is}): leave out type and proposed`);
    if (field.focus === true && !holds && field.is !== 'reference' && field.is !== 'references')
      find(`context/${name}/focus`, `${field.is} names nothing that a prediction can be about`);
    if (field.selects !== undefined && (field.is !== 'references' || context[field.selects]?.focus !== true))
      find(`context/${name}/selects`, 'must name a field with focus, and the selecting field be references');
  }
}
