import { evalFhirPathTyped, parseFhirPath, toTypedValue } from '@medplum/core';
import type { Bundle, Observation } from '@medplum/fhirtypes';
import type { FeatureDefinition, FeatureMap } from '../../src/model-catalog/feature-map-schema.ts';

/** Reads one feature out of a Bundle; undefined where there is none. */
export type PathFeature = (bundle: Bundle) => number | string | boolean | undefined;

/** The features of a map by FHIRPath, as somebody would write them who has nothing else; parsed once. Derived ones are left out. */
export function fhirPathFeatures(map: FeatureMap): Map<string, PathFeature> {
  const features = new Map<string, PathFeature>();
  for (const [name, definition] of Object.entries(map.features)) {
    const feature = featureOf(definition);
    if (feature !== undefined) features.set(name, feature);
  }
  return features;
}

function featureOf(definition: FeatureDefinition): PathFeature | undefined {
  switch (definition.kind) {
    case 'demographics': {
      const read = compile(`${of('Patient')}.${definition.element === 'age' ? 'birthDate' : 'gender'}`);
      return (bundle) => read(bundle)[0] as string | undefined;
    }
    case 'observation': {
      const { codes = [], component } = definition;
      const own = compile(`${final}.where(${coded(codes)})`);
      const panel = component && compile(`${final}.where(${coded(component.panels)})`);
      const part = component && compileIn(`component.where(${coded(component.codes)}).value`);
      return (bundle) => {
        const alone = newest(own(bundle) as Observation[]);
        if (panel === undefined || part === undefined) return alone?.valueQuantity?.value;
        const whole = newest(panel(bundle) as Observation[]);
        const found = whole === undefined ? undefined : (part(whole)[0] as { value?: number } | undefined);
        return found?.value ?? alone?.valueQuantity?.value;
      };
    }
    case 'answer': {
      const read = compile(`${final}.where(${coded(definition.codes ?? [])})`);
      const yes = compileIn(`value.where(${codings(definition.yes ?? [], 'coding')})`);
      return (bundle) => {
        const found = newest(read(bundle) as Observation[]);
        return found === undefined ? undefined : yes(found).length > 0;
      };
    }
    case 'condition': {
      const read = compile(`${of('Condition')}.where(${coded(definition.codes)})`);
      return (bundle) => read(bundle).length > 0;
    }
    case 'medication': {
      const medication = codings(definition.codes, 'medication.coding');
      const read = compile(`${of('MedicationRequest')}.where(status = 'active').where(${medication})`);
      return (bundle) => read(bundle).length > 0;
    }
    default:
      return undefined;
  }
}

function of(type: string): string {
  return `entry.resource.where(resourceType = '${type}')`;
}

const final = `${of('Observation')}.where(status = 'final' or status = 'amended' or status = 'corrected')`;

function coded(tokens: readonly string[]): string {
  return codings(tokens, 'code.coding');
}

function codings(tokens: readonly string[], path: string): string {
  const each = tokens.map((token) => {
    const [system, code] = token.split('|');
    return `(system = '${system}' and code = '${code}')`;
  });
  return `${path}.where(${each.join(' or ')}).exists()`;
}

function compile(expression: string): (bundle: Bundle) => unknown[] {
  return compileIn(expression);
}

function compileIn(expression: string): (resource: unknown) => unknown[] {
  const atom = parseFhirPath(expression);
  return (resource) => evalFhirPathTyped(atom, [toTypedValue(resource)]).map(({ value }) => value);
}

function newest(observations: readonly Observation[]): Observation | undefined {
  let found: Observation | undefined;
  for (const one of observations) if ((one.effectiveDateTime ?? '') > (found?.effectiveDateTime ?? '')) found = one;
  return found;
}
