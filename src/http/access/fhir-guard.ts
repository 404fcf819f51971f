import type { Bundle, Resource } from '@medplum/fhirtypes';
import type { AskedInteraction, CallGuard } from '../../fhir/store/call-guard.ts';
import { unknownResource } from '../../fhir/store/read-resource.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { Principal } from '../principal.ts';
import { insufficientScope, type Reach, reachOf } from './fhir-data.ts';
import type { Interaction } from './scopes.ts';

/** Definitions: they say nothing about anybody, so whoever has a token may read them. */
const definitions: ReadonlySet<string> = new Set(
  (
    'CapabilityStatement CodeSystem ConceptMap Library OperationDefinition SearchParameter ' +
    'StructureDefinition ValueSet'
  ).split(' '),
);

const letters: Readonly<Record<AskedInteraction['interaction'], Interaction>> = {
  read: 'r',
  vread: 'r',
  'history-instance': 'r',
  'search-type': 's',
  create: 'c',
  update: 'u',
  delete: 'd',
};

/**
 * What the scopes of a principal let it ask of the store, each interaction by its own letter (SM-10, SM-12). With `patient/`
 * scopes alone: reads, searches and creates about the patient of the launch; updates, deletes and conditions are not granted, since
 * they could reach resources of others.
 * @param patientsOf the patients that a resource names, as `Patient/17`
 * @returns undefined where everything may be asked
 */
export function fhirGuard(
  principal: Principal,
  patientsOf: (resource: Resource) => readonly string[],
): CallGuard | undefined {
  if (principal.fhir === 'everything') return undefined;
  const isAbout = (resource: Resource, id: string): boolean => {
    if (resource.resourceType === 'Patient') return resource.id === id;
    const patients = patientsOf(resource);
    return patients.length > 0 && patients.every((patient) => patient === `Patient/${id}`);
  };
  return {
    before(asked) {
      const { type } = asked;
      if (type === 'AuditEvent')
        throw new PredictionError('FORBIDDEN', 'AuditEvents are not stored: nobody writes them.');
      const needed = neededLetters(asked);
      if (definitions.has(type) && needed.every((letter) => letter === 'r' || letter === 's')) return;
      const reaches = needed.map((interaction) => ({ interaction, reach: reachOf(principal, type, interaction) }));
      const missing = reaches.filter(({ reach }) => reach.of === 'nobody');
      if (missing.length > 0) throw insufficientScope(missing.map(({ interaction }) => ({ type, interaction })));
      for (const { reach } of reaches) if (reach.of === 'patient') requireLaunchPatient(asked, reach.id, isAbout);
    },
    after(asked, answer) {
      const { type, interaction } = asked;
      if (answer === undefined || answer.resourceType === 'OperationOutcome' || definitions.has(type)) return answer;
      const reach: Reach = reachOf(principal, type, letters[interaction]);
      if (reach.of === 'everybody') return answer;
      if (reach.of === 'patient') {
        const about = (resource: Resource): boolean => isAbout(resource, reach.id);
        if (interaction === 'search-type' && answer.resourceType === 'Bundle') return searchAbout(answer, about);
        const resources = answer.resourceType === 'Bundle' && type !== 'Bundle' ? resourcesOf(answer) : [answer];
        // A history of nothing but deletions says nothing about whose it was.
        if (resources.length > 0 && resources.every(about)) return answer;
      }
      throw unknownResource(nameOf(asked));
    },
  };
}

/** A condition tells whether something matches, and an update may create what is not there unless it names its version. */
function neededLetters({ interaction, conditional, versioned }: AskedInteraction): Interaction[] {
  const letter = letters[interaction];
  if (conditional) return letter === 'c' ? ['c', 's', 'r'] : [letter, 's', 'c'];
  return interaction === 'update' && !versioned ? ['u', 'c'] : [letter];
}

function requireLaunchPatient(
  asked: AskedInteraction,
  id: string,
  isAbout: (resource: Resource, id: string) => boolean,
): void {
  const { interaction, type, conditional, query, resource } = asked;
  const isPatient = type === 'Patient';
  switch (interaction) {
    case 'read':
    case 'vread':
    case 'history-instance':
      if (!isPatient || asked.id === id) return;
      break;
    case 'search-type': {
      const names: readonly string[] = isPatient ? ['_id'] : ['patient', 'subject'];
      const accepted = isPatient ? [id] : [id, `Patient/${id}`];
      if (query.some(([name, value]) => names.includes(name) && accepted.includes(value))) return;
      throw beyondLaunch(`Add ${isPatient ? '_id' : 'patient'}=${id} to the search.`);
    }
    case 'create':
      if (!conditional && !isPatient && resource !== undefined && isAbout(resource, id)) return;
      break;
    default:
  }
  throw beyondLaunch('Ask for a token with system/ or user/ scopes.');
}

function beyondLaunch(wayOut: string): PredictionError {
  return new PredictionError(
    'FORBIDDEN',
    `patient/ scopes allow reads, searches and creates about the patient of the launch alone. ${wayOut}`,
  );
}

/** A page without what is about others, and then without a total, which would count them. */
function searchAbout(page: Bundle, about: (resource: Resource) => boolean): Bundle {
  const { entry = [], total: _, ...rest } = page;
  const own = entry.filter(
    ({ resource }) => resource === undefined || resource.resourceType === 'OperationOutcome' || about(resource),
  );
  return own.length === entry.length ? page : { ...rest, entry: own };
}

function nameOf({ type, id = '', versionId }: AskedInteraction): string {
  return `${type}/${id}${versionId === undefined ? '' : `/_history/${versionId}`}`;
}

function resourcesOf(bundle: Bundle): Resource[] {
  return (bundle.entry ?? []).flatMap(({ resource }) => resource ?? []);
}
