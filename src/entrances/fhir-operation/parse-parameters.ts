import type {
  OperationDefinition,
  OperationDefinitionParameter,
  Parameters,
  ParametersParameter,
} from '@medplum/fhirtypes';
import { PredictionError } from '../../platform/errors.ts';

/** One `in` parameter as it came, with its place in the message. */
export interface ParsedParameter {
  readonly parameter: ParametersParameter;
  readonly expression: string;
}

/** The `in` parameters by name; a name the caller did not send has no entry. */
export type ParsedParameters = ReadonlyMap<string, readonly ParsedParameter[]>;

/**
 * Checks a Parameters resource against the `in` parameters of an OperationDefinition: names, how often each may stand,
 * the type of its value, and its parts.
 * @throws PARAMETER_INVALID naming the parameter, what is allowed and where it stands
 * @see https://hl7.org/fhir/R4/operationdefinition.html
 */
export function parseParameters(definition: OperationDefinition, parameters: Parameters): ParsedParameters {
  const declared = (definition.parameter ?? []).filter(({ use }) => use === 'in');
  return parseLevel(declared, parameters.parameter ?? [], 'Parameters.parameter', `$${definition.code}`);
}

function parseLevel(
  declared: readonly OperationDefinitionParameter[],
  sent: readonly ParametersParameter[],
  path: string,
  owner: string,
): Map<string, ParsedParameter[]> {
  const byName = new Map<string, ParsedParameter[]>();
  for (const [index, parameter] of sent.entries()) {
    const expression = `${path}[${index}]`;
    const definition = declared.find(({ name }) => name === parameter.name);
    if (definition === undefined) {
      throw invalid(
        expression,
        `${owner} has no parameter '${parameter.name}'; it takes ${declared.map(({ name }) => name).join(', ')}.`,
      );
    }
    checkContent(definition, parameter, expression, owner);
    const parsed = byName.get(definition.name ?? '') ?? [];
    parsed.push({ parameter, expression });
    byName.set(definition.name ?? '', parsed);
  }
  for (const definition of declared) {
    const count = byName.get(definition.name ?? '')?.length ?? 0;
    if (count < (definition.min ?? 0)) {
      const message = `${owner} needs the parameter '${definition.name}' (${typeText(definition)}).`;
      throw new PredictionError('PARAMETER_INVALID', message, {
        issues: [{ code: 'required', message, expression: path }],
      });
    }
    if (definition.max !== '*' && count > Number(definition.max)) {
      throw invalid(path, `${owner} takes the parameter '${definition.name}' ${definition.max} time(s), not ${count}.`);
    }
  }
  return byName;
}

function checkContent(
  definition: OperationDefinitionParameter,
  parameter: ParametersParameter,
  expression: string,
  owner: string,
): void {
  const contents = contentKeys(parameter);
  if (contents.length !== 1) {
    throw invalid(
      expression,
      `Parameter '${parameter.name}' of ${owner} holds ${contents.length === 0 ? 'nothing' : contents.join(' and ')}; it takes exactly one ${typeText(definition)}.`,
    );
  }
  const [content = ''] = contents;
  if (!allowedContents(definition).includes(content)) {
    throw invalid(
      expression,
      `Parameter '${parameter.name}' of ${owner} holds ${content}; it takes ${typeText(definition)}.`,
    );
  }
  if (definition.part !== undefined)
    parseLevel(definition.part, parameter.part ?? [], `${expression}.part`, `parameter '${parameter.name}'`);
}

function contentKeys(parameter: ParametersParameter): string[] {
  return Object.keys(parameter).filter((key) => key.startsWith('value') || key === 'resource' || key === 'part');
}

/** The JSON property that may hold the parameter. A type `Element` is restricted by the extension operationdefinition-allowed-type. */
function allowedContents(definition: OperationDefinitionParameter): string[] {
  if (definition.part !== undefined) return ['part'];
  if (definition.type === 'Resource' || definition.type === undefined) return ['resource'];
  const allowed = allowedTypes(definition);
  const types: readonly string[] = allowed.length > 0 ? allowed : [definition.type];
  return types.map((type) => `value${type.charAt(0).toUpperCase()}${type.slice(1)}`);
}

function allowedTypes(definition: OperationDefinitionParameter): string[] {
  return (definition.extension ?? [])
    .filter(({ url }) => url === 'http://hl7.org/fhir/StructureDefinition/operationdefinition-allowed-type')
    .flatMap(({ valueUri, valueCode }) => [valueUri ?? valueCode ?? []].flat());
}

function typeText(definition: OperationDefinitionParameter): string {
  return allowedContents(definition).join(', ');
}

function invalid(expression: string, message: string): PredictionError {
  return new PredictionError('PARAMETER_INVALID', message, { issues: [{ code: 'invalid', message, expression }] });
}
