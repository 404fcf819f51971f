import type {
  Extension,
  OperationOutcome,
  ParametersParameter,
  Reference,
  Resource,
  RiskAssessment,
} from '@medplum/fhirtypes';
import { type Answer, send } from './fhir-test-server.ts';

/** What a test asks of `$predict`. */
export interface PredictCall {
  readonly model: string;
  readonly asOf?: string;
  readonly encounter?: string;
  readonly writeBack?: boolean;
  /** Numbers go as valueDecimal, texts as valueCode. */
  readonly inputs?: Readonly<Record<string, number | boolean | string>>;
  readonly resources?: readonly Resource[];
}

/** One feature of the answer. */
export interface ReadInput {
  readonly state: string;
  readonly value?: number | boolean | string;
  readonly unit?: string;
  readonly at?: string;
  readonly reason?: string;
  readonly sources: readonly Reference[];
}

/** One outcome of the answer: a probability (0..1), or the verdict that withholds it and the reasons in their order. */
export type ReadOutcome =
  | { readonly state: 'score'; readonly probability: number }
  | { readonly state: string; readonly reasons: readonly string[] };

/** `$predict` at instance level over HTTP. */
export async function predictOverHttp(fhir: string, patient: string, call: PredictCall): Promise<Answer> {
  const parameter: ParametersParameter[] = [{ name: 'model', valueString: call.model }];
  if (call.asOf !== undefined) parameter.push({ name: 'asOf', valueDateTime: call.asOf });
  if (call.encounter !== undefined) parameter.push({ name: 'encounter', valueString: call.encounter });
  if (call.writeBack !== undefined) parameter.push({ name: 'writeBack', valueBoolean: call.writeBack });
  for (const resource of call.resources ?? []) parameter.push({ name: 'resource', resource });
  for (const [name, value] of Object.entries(call.inputs ?? {})) {
    parameter.push({ name: 'input', part: [{ name: 'name', valueString: name }, valuePart(value)] });
  }
  return send(`${fhir}/Patient/${patient}/$predict`, 'POST', { resourceType: 'Parameters', parameter });
}

function valuePart(value: number | boolean | string): ParametersParameter {
  if (typeof value === 'number') return { name: 'value', valueDecimal: value };
  return typeof value === 'boolean' ? { name: 'value', valueBoolean: value } : { name: 'value', valueCode: value };
}

/** Every outcome of a 200 or of a 422, by id. Throws for any other answer. */
export function readOutcomes({ status, body, text }: Answer): Map<string, ReadOutcome> {
  if (status === 200) return outcomesOfResult(body as RiskAssessment);
  if (status === 422) return outcomesOfAbstention(body as OperationOutcome);
  throw new Error(`$predict answered ${status}: ${text}`);
}

/** Every feature of a result, by name. Throws for anything but a 200. */
export function readInputs({ status, body, text }: Answer): Map<string, ReadInput> {
  if (status !== 200) throw new Error(`$predict answered ${status}: ${text}`);
  return new Map(
    extensionsOf(body as RiskAssessment, 'prediction-input').map((extension) => {
      const part = (url: string): Extension | undefined => extension.extension?.find((one) => one.url === url);
      const value = part('value');
      return [
        part('name')?.valueString ?? '',
        {
          state: part('state')?.valueCode ?? '',
          value: value?.valueQuantity?.value ?? value?.valueBoolean ?? value?.valueCode,
          unit: value?.valueQuantity?.code,
          at: part('at')?.valueDateTime,
          reason: part('reason')?.valueCode,
          sources: (extension.extension ?? []).flatMap(({ url, valueReference }) =>
            url === 'source' && valueReference !== undefined ? [valueReference] : [],
          ),
        },
      ];
    }),
  );
}

function outcomesOfResult(result: RiskAssessment): Map<string, ReadOutcome> {
  const outcomes = new Map<string, ReadOutcome>();
  for (const prediction of result.prediction ?? []) {
    const id = prediction.extension?.find(({ url }) => url.endsWith('/prediction-outcome-id'))?.valueCode ?? '';
    if (prediction.probabilityDecimal === undefined) throw new Error(`${id} has no probabilityDecimal`);
    outcomes.set(id, { state: 'score', probability: prediction.probabilityDecimal / 100 });
  }
  for (const { extension = [] } of extensionsOf(result, 'prediction-abstention')) {
    const id = extension.find(({ url }) => url === 'outcome')?.valueCode ?? '';
    if (outcomes.has(id)) throw new Error(`${id} has a number although the model abstained`);
    outcomes.set(id, {
      state: extension.find(({ url }) => url === 'verdict')?.valueCode ?? '',
      reasons: extension.flatMap(({ url, valueString }) => (url === 'reason' ? [valueString ?? ''] : [])),
    });
  }
  return outcomes;
}

/** Each issue reads `verdict: reason: words [outcome, outcome]`. */
function outcomesOfAbstention(answer: OperationOutcome): Map<string, ReadOutcome> {
  const outcomes = new Map<string, { state: string; reasons: string[] }>();
  for (const { diagnostics = '' } of answer.issue ?? []) {
    const [, state = '', reason = '', ids = ''] = /^([a-z-]+): (\S+): .* \[([a-z0-9, -]+)\]$/s.exec(diagnostics) ?? [];
    if (reason === '') throw new Error(`an abstention that names no reason: ${diagnostics}`);
    for (const id of ids.split(', ')) {
      const known = outcomes.get(id);
      if (known === undefined) outcomes.set(id, { state, reasons: [reason] });
      else if (known.state === state) known.reasons.push(reason);
      else throw new Error(`${id} has two verdicts: ${known.state} and ${state}`);
    }
  }
  return outcomes;
}

function extensionsOf(result: RiskAssessment, name: string): Extension[] {
  return (result.extension ?? []).filter(({ url }) => url === `https://fhirsight.org/fhir/StructureDefinition/${name}`);
}
