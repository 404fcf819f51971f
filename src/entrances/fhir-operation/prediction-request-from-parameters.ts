import type { OperationDefinition, Parameters, ParametersParameter, Quantity, Resource } from '@medplum/fhirtypes';
import { belowBase, isFhirId } from '../../fhir/reference.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { PredictionRequest, Seed } from '../../prediction/prediction-request.ts';
import { parseAsOf } from './parse-as-of.ts';
import { type ParsedParameter, type ParsedParameters, parseParameters } from './parse-parameters.ts';

/** How many Bundles may lie in each other. */
const bundleDepth = 3;

/**
 * Translates the Parameters of `$predict` into the request every entrance makes.
 * @param instance the id in the URL at instance level; undefined at system and type level, where `subject` names the patient
 * @param bases absolute FHIR bases whose references are the record source's own
 * @throws PARAMETER_INVALID
 */
export function predictionRequestFromParameters(
  definition: OperationDefinition,
  body: Parameters,
  instance: string | undefined,
  context: { readonly timeZone: string; readonly bases: readonly string[]; readonly requestId: string },
): PredictionRequest {
  const parsed = parseParameters(definition, body);
  const subject = only(parsed, 'subject');
  if (instance !== undefined && subject !== undefined) {
    throw invalid(
      subject.expression,
      "The patient stands in the URL; 'subject' is for $predict and Patient/$predict only. Leave it out.",
    );
  }
  const subjectId = instance ?? referencedId(subject, 'Patient', context.bases);
  if (subjectId === undefined)
    throw invalid(
      'Parameters.parameter',
      "$predict needs the parameter 'subject', for example Patient/17, where no patient stands in the URL.",
      'required',
    );
  const asOf = only(parsed, 'asOf');
  const version = only(parsed, 'version')?.parameter.valueString;
  const encounter = referencedId(only(parsed, 'encounter'), 'Encounter', context.bases);
  return {
    requestId: context.requestId,
    entrance: 'fhir-operation',
    model: only(parsed, 'model')?.parameter.valueString ?? '',
    subject: subjectId,
    seed: (parsed.get('resource') ?? []).flatMap(({ parameter, expression }) =>
      seedsOf(parameter.resource, `${expression}.resource`),
    ),
    inputs: (parsed.get('input') ?? []).map(({ parameter, expression }) => ({
      name: partOf(parameter, 'name')?.valueString ?? '',
      value: assertedValue(partOf(parameter, 'value')),
      expression,
    })),
    writeBack: only(parsed, 'writeBack')?.parameter.valueBoolean ?? false,
    explain: only(parsed, 'explain')?.parameter.valueBoolean ?? true,
    ...(only(parsed, 'useServerData')?.parameter.valueBoolean === false ? { origin: { from: 'caller' } } : {}),
    ...(version === undefined ? {} : { version }),
    ...(encounter === undefined ? {} : { encounter }),
    ...(asOf === undefined
      ? {}
      : { asOf: parseAsOf(asOf.parameter.valueDateTime ?? '', context.timeZone, asOf.expression) }),
  };
}

function only(parsed: ParsedParameters, name: string): ParsedParameter | undefined {
  return parsed.get(name)?.[0];
}

function partOf(parameter: ParametersParameter, name: string): ParametersParameter | undefined {
  return parameter.part?.find((part) => part.name === name);
}

function assertedValue(part: ParametersParameter | undefined): number | boolean | string | Quantity {
  const value =
    part?.valueDecimal ??
    part?.valueInteger ??
    part?.valueQuantity ??
    part?.valueBoolean ??
    part?.valueCode ??
    part?.valueString;
  if (value === undefined) throw new Error('parseParameters let an input without a value pass');
  return value;
}

/** A Bundle is what it holds, and so is a Bundle in it. */
function seedsOf(resource: Resource | undefined, expression: string, depth = 0): Seed[] {
  if (resource === undefined) return [];
  if (resource.resourceType !== 'Bundle') return [{ resource, expression }];
  if (depth === bundleDepth) {
    throw invalid(
      expression,
      `More than ${bundleDepth} Bundles lie in each other; send what is in the innermost by itself.`,
    );
  }
  return (resource.entry ?? []).flatMap((entry, index) =>
    seedsOf(entry.resource, `${expression}.entry[${index}].resource`, depth + 1),
  );
}

/** `17`, `Patient/17`, or an absolute URL below one of the source's bases. */
function referencedId(parsed: ParsedParameter | undefined, type: string, bases: readonly string[]): string | undefined {
  const reference = parsed?.parameter.valueString;
  if (parsed === undefined || reference === undefined) return undefined;
  const [relative = reference] = bases.flatMap((base) => belowBase(reference, base) ?? []);
  const id = relative.startsWith(`${type}/`) ? relative.slice(type.length + 1) : relative;
  if (!isFhirId(id)) {
    throw invalid(
      parsed.expression,
      `Parameter '${parsed.parameter.name}' names no ${type} of this server; send ${type}/[id].`,
    );
  }
  return id;
}

function invalid(expression: string, message: string, code = 'invalid'): PredictionError {
  return new PredictionError('PARAMETER_INVALID', message, { issues: [{ code, message, expression }] });
}
