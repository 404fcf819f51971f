import type { FeatureDefinition } from '../../src/model-catalog/feature-map-schema.ts';
import { readsOf } from '../../src/model-catalog/feature-reads.ts';
import { medicationSources, typeOfSource } from '../../src/model-catalog/medication-schema.ts';
import type { RecordResource } from '../../src/records/clinical-record.ts';
import type { Inputs } from './feature-inputs.ts';
import type { MapUnderTest } from './map-under-test.ts';

/**
 * Whether an input of a map may change when a resource is taken away: it reads resources like it, and is missing or names
 * it as a source.
 * @param wanted the inputs with the resource
 */
export function mayRestOn(resource: RecordResource, map: MapUnderTest, name: string, wanted: Inputs): boolean {
  const { resourceType } = resource;
  const definition = definitionOf(map, name);
  const input = wanted[`${map.id} ${name}`];
  if (input === undefined) throw new Error(`${name} of ${map.id} was not extracted`);
  if (!reads(map, name, resource)) return false;
  if (input.state === 'missing') return true;
  const named = `${resourceType}/${resource.id} sent by the caller, not stored`;
  if (input.sources.includes(named)) return true;
  // That nothing was found rests also on every Medication by which an order was understood as another drug.
  if (input.state === 'assumed-absent' && resourceType === 'Medication') return true;
  // In which encounter something was measured or done is told by the encounter that it names.
  if (resourceType === 'Encounter' && isJoined(definition)) return true;
  // Measured together: a set is chosen by all its members, each of which names its own.
  const inSet = companions(map, name).some((other) => wanted[`${map.id} ${other}`]?.sources.includes(named));
  return inSet || readsOf(definition).some((input) => mayRestOn(resource, map, input, wanted));
}

/** Told from the map alone. */
function reads(map: MapUnderTest, name: string, resource: RecordResource): boolean {
  const { resourceType } = resource;
  const definition = definitionOf(map, name);
  if (readsOf(definition).some((input) => reads(map, input, resource))) return true;
  if (resourceType === 'Encounter')
    return ('absent' in definition && definition.absent !== undefined) || isJoined(definition);
  if (definition.kind === 'text' && definition.from === 'report') return resourceType === 'DiagnosticReport';
  switch (definition.kind) {
    case 'observation':
    case 'answer':
    case 'category':
    case 'text':
    case 'sequence':
      if (resource.resourceType !== 'Observation') return false;
      return [name, ...companions(map, name)].some((each) => {
        const codes = codesOf(definitionOf(map, each));
        return resource.code.coding?.some(({ system, code }) => codes.includes(`${system}|${code}`)) === true;
      });
    case 'condition':
      return resourceType === 'Condition';
    case 'procedure':
      return resourceType === 'Procedure';
    case 'allergy':
      return resourceType === 'AllergyIntolerance';
    case 'family-history':
      return resourceType === 'FamilyMemberHistory';
    case 'service-request':
      return resourceType === 'ServiceRequest';
    case 'questionnaire':
      return resourceType === 'QuestionnaireResponse';
    case 'appointment':
      return resourceType === 'Appointment';
    case 'medication':
      return ['Medication', ...medicationSources(definition).map((source) => typeOfSource[source])].includes(
        resourceType,
      );
    default:
      return false;
  }
}

function isJoined(definition: FeatureDefinition): boolean {
  if (definition.kind === 'encounter') return true;
  if (definition.kind === 'procedure' || definition.kind === 'service-request') return definition.during !== undefined;
  if (definition.kind === 'sequence') return definition.where !== undefined;
  if (definition.kind !== 'observation') return false;
  return definition.where !== undefined || definition.distinctBy === 'encounter';
}

/** The other features of the panel in which a feature stands. */
function companions({ map }: MapUnderTest, name: string): string[] {
  const panelOf = (definition: FeatureDefinition | undefined): string | undefined =>
    definition !== undefined && 'together' in definition ? definition.together : undefined;
  const panel = panelOf(map.features[name]);
  if (panel === undefined) return [];
  return Object.keys(map.features).filter((other) => other !== name && panelOf(map.features[other]) === panel);
}

function codesOf(definition: FeatureDefinition): readonly string[] {
  const panels = 'component' in definition ? (definition.component?.panels ?? []) : [];
  return 'codes' in definition ? [...(definition.codes ?? []), ...panels] : [];
}

function definitionOf({ map, id }: MapUnderTest, name: string): FeatureDefinition {
  const definition = map.features[name];
  if (definition === undefined) throw new Error(`${id} has no feature ${name}`);
  return definition;
}
