import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import type { Parameters, ParametersParameter, Resource } from '@medplum/fhirtypes';
import { answerPrediction, predictRequestOf } from '../entrances/fhir-operation/predict-operation.ts';
import { describeError } from '../http/error-response.ts';
import { anyone } from '../http/principal.ts';
import { type Config, readConfigFromProcess } from '../platform/config.ts';
import { PredictionError } from '../platform/errors.ts';
import { predictOperationOf } from '../wire-predict-operation.ts';
import { askServer, commandHeaders, runningServer } from './running-server.ts';
import { withHouse } from './with-house.ts';

/** `fhirsight predict`: one prediction on standard output. @returns 0 for a result, 1 for an abstention or an error */
export async function predictCommand(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      model: { type: 'string' },
      version: { type: 'string' },
      patient: { type: 'string' },
      'as-of': { type: 'string' },
      'write-back': { type: 'boolean', default: false },
    },
  });
  const { model, version, patient } = values;
  if (model === undefined || patient === undefined) {
    throw new PredictionError(
      'PARAMETER_INVALID',
      'predict needs --model and --patient, for example: fhirsight predict --model prevent-base --patient sample-0001',
    );
  }
  const parameter: ParametersParameter[] = [{ name: 'model', valueString: model }];
  if (version !== undefined) parameter.push({ name: 'version', valueString: version });
  if (values['as-of'] !== undefined) parameter.push({ name: 'asOf', valueDateTime: values['as-of'] });
  if (values['write-back']) parameter.push({ name: 'writeBack', valueBoolean: true });
  return await ask({ resourceType: 'Parameters', parameter }, patient, readConfigFromProcess());
}

async function ask(body: Parameters, patient: string, config: Config): Promise<number> {
  const server = await runningServer(config);
  if (server === undefined) return await predictHere(body, patient, config);
  const path = `/fhir/R4/Patient/${encodeURIComponent(patient)}/$predict`;
  const { status, text } = await askServer(server, path, body, await commandHeaders(config));
  process.stdout.write(`${JSON.stringify(JSON.parse(text), null, 2)}\n`);
  return status === 200 ? 0 : 1;
}

async function predictHere(body: Parameters, patient: string, config: Config): Promise<number> {
  const requestId = randomUUID();
  return await withHouse(config, async (house) => {
    const operation = predictOperationOf(house, config, {
      // Whoever can open the data may do everything with it.
      authorise: () => undefined,
      predict: (request) => house.predict({ ...request, entrance: 'command-line' }),
    });
    try {
      const place = { type: 'Patient', id: patient } as const;
      const asked = await predictRequestOf(operation, { place, body, requestId, principal: anyone });
      print(await answerPrediction(operation.predict, asked));
      return 0;
    } catch (error) {
      if (!(error instanceof PredictionError)) throw error;
      print(describeError(error, requestId).outcome);
      return 1;
    }
  });
}

function print(resource: Resource): void {
  process.stdout.write(`${JSON.stringify(resource, null, 2)}\n`);
}
