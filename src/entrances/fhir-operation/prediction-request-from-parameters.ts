import type { OperationDefinition, Parameters, ParametersParameter, Quantity, Resource } from '@medplum/fhirtypes';
import { belowBase, isFhirId } from '../../fhir/reference.ts';
import { type NamedStudy, namedStudy } from '../../fhir/studies/named-study.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { PredictionRequest, Seed } from '../../prediction/prediction-request.ts';
import { parseAsOf } from './parse-as-of.ts';
import { type ParsedParameter, type ParsedParameters, parseParameters } from './parse-parameters.ts';

/** How many Bundles may lie in each other. */
const bundleDepth = 3;

/** Where a call of `$predict` stands (OP-3): at a type or above all types, and about which resource of the type. */
export interface PredictPlace {
  readonly type?: 'Patient' | 'ImagingStudy';
  /** Id in the URL at instance level. */
  readonly id?: string;
}

/** What the Parameters ask for. Where a study is named, it says whose the prediction is, and the call may leave the subject out. */
export interface AskedPrediction {
  readonly request: Omit<PredictionRequest, 'subject' | 'focus'>;
  readonly subject?: { readonly id: string; readonly expression?: string };
  readonly study?: NamedStudy;
  /** The one ImagingStudy among the resources of the call is meant. */
  readonly studyIsSent?: true;
}

/**
 * Translates the Parameters of `$predict` into what is asked for.
 * @param bases absolute FHIR bases whose references are the record source's own
 * @throws PARAMETER_INVALID, SUBJECT_UNKNOWN
 */
export function predictionRequestFromParameters(
  definition: OperationDefinition,
  body: Parameters,
  place: PredictPlace,
  context: { readonly timeZone: string; readonly bases: readonly string[]; readonly requestId: string },
): AskedPrediction {
  const parsed = parseParameters(definition, body);
  const about = placeOf(parsed, place, context.bases);
  return { request: requestOf(parsed, context), ...about };
}

/** Whose prediction it is, and about which study. */
function placeOf(
  parsed: ParsedParameters,
  { type, id }: PredictPlace,
  bases: readonly string[],
): Pick<AskedPrediction, 'subject' | 'study' | 'studyIsSent'> {
  if (id !== undefined && type === 'Patient' && !isFhirId(id))
    throw new PredictionError(
      'SUBJECT_UNKNOWN',
      'The URL names no Patient: an id has 1 to 64 letters of A to Z, digits, hyphens and points. Send the logical id that the patient has on the server.',
    );
  const named = only(parsed, 'subject');
  if (id !== undefined && type === 'Patient' && named !== undefined) {
    throw invalid(
      named.expression,
      "The patient stands in the URL; 'subject' is for $predict, Patient/$predict and ImagingStudy only. Leave it out.",
    );
  }
  const asked = only(parsed, 'study');
  if (id !== undefined && type === 'ImagingStudy' && asked !== undefined)
    throw invalid(asked.expression, "The study stands in the URL; leave out the parameter 'study'.");
  const subjectId = type === 'Patient' && id !== undefined ? id : referencedId(named, 'Patient', bases);
  const subject =
    subjectId === undefined
      ? undefined
      : { id: subjectId, ...(named === undefined ? {} : { expression: named.expression }) };
  const study = type === 'ImagingStudy' && id !== undefined ? { id } : studyIn(asked, bases);
  if (subject === undefined && study === undefined && type !== 'ImagingStudy')
    throw invalid(
      'Parameters.parameter',
      "$predict needs the parameter 'subject', for example Patient/17, where no patient stands in the URL; or 'study'.",
      'required',
    );
  return {
    ...(subject === undefined ? {} : { subject }),
    ...(study === undefined ? (type === 'ImagingStudy' ? { studyIsSent: true } : {}) : { study }),
  };
}

function studyIn(asked: ParsedParameter | undefined, bases: readonly string[]): NamedStudy | undefined {
  if (asked === undefined) return undefined;
  const study = namedStudy(asked.parameter.valueString ?? '', bases);
  if (study !== undefined) return study;
  throw invalid(
    asked.expression,
    "Parameter 'study' names no study of this server; send ImagingStudy/[id], or a Study Instance UID with or without urn:oid: before it.",
  );
}

function requestOf(
  parsed: ParsedParameters,
  context: { readonly timeZone: string; readonly bases: readonly string[]; readonly requestId: string },
): AskedPrediction['request'] {
  const asOf = only(parsed, 'asOf');
  const version = only(parsed, 'version')?.parameter.valueString;
  const encounter = referencedId(only(parsed, 'encounter'), 'Encounter', context.bases);
  return {
    requestId: context.requestId,
    entrance: 'fhir-operation',
    model: only(parsed, 'model')?.parameter.valueString ?? '',
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
