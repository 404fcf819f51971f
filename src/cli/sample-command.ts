import { parseArgs } from 'node:util';
import type { Bundle, OperationOutcome, Resource } from '@medplum/fhirtypes';
import { type Clock, systemClock } from '../platform/clock.ts';
import { type Config, readConfigFromProcess } from '../platform/config.ts';
import { PredictionError } from '../platform/errors.ts';
import { defaultSampleSeed, loadSamplePatients, type SampleLoad } from './load-sample-patients.ts';
import { askServer, commandHeaders, type RunningServer, runningServer } from './running-server.ts';
import { generateSamplePatients } from './sample-patients/generate-sample-patients.ts';
import { writeSampleNdjson } from './sample-patients/write-sample-ndjson.ts';
import { withHouse } from './with-house.ts';

/** `fhirsight sample`: synthetic patients as NDJSON on standard output, or, with --load, into the store. */
export async function sampleCommand(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      patients: { type: 'string', default: '100' },
      seed: { type: 'string', default: String(defaultSampleSeed) },
      'reference-date': { type: 'string' },
      load: { type: 'boolean', default: false },
    },
  });
  const wanted: SampleLoad = {
    patients: wholeNumber('--patients', values.patients),
    seed: wholeNumber('--seed', values.seed),
    referenceDate: dayOf(values['reference-date'], systemClock),
  };
  if (!values.load) return await print(wanted);
  const { patients, resources } = await load(wanted, readConfigFromProcess());
  process.stderr.write(
    `${patients} synthetic patients loaded (${resources} new or replaced resources). Not for clinical use.\n`,
  );
  return 0;
}

async function print({ patients, seed, referenceDate }: SampleLoad): Promise<number> {
  try {
    await writeSampleNdjson({ patients, seed, referenceDate: new Date(referenceDate) }, process.stdout);
  } catch (error) {
    // The reader had enough (`| head`): that is no failure.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPIPE')) throw error;
  }
  return 0;
}

async function load(wanted: SampleLoad, config: Config): Promise<{ patients: number; resources: number }> {
  const server = await runningServer(config);
  if (server !== undefined) return await loadOverHttp(wanted, server, await commandHeaders(config));
  return await withHouse(config, (house) => loadSamplePatients(house, wanted));
}

/** One transaction per patient, so that none is ever stored by half. */
async function loadOverHttp(
  { patients, seed, referenceDate }: SampleLoad,
  server: RunningServer,
  headers: Readonly<Record<string, string>>,
): Promise<{ patients: number; resources: number }> {
  let resources = 0;
  for (const record of generateSamplePatients({ patients, seed, referenceDate: new Date(referenceDate) })) {
    const { status, text } = await askServer(server, '/fhir/R4', transactionOf(record), headers);
    if (status !== 200) throw refused(status, text);
    resources += record.length;
  }
  return { patients, resources };
}

function transactionOf(record: readonly Resource[]): Bundle {
  return {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: record.map((resource) => ({
      resource,
      request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
    })),
  };
}

function refused(status: number, text: string): PredictionError {
  const outcome = JSON.parse(text) as OperationOutcome;
  return new PredictionError(
    'WRITE_REJECTED',
    `The server refused the patients (${status}): ${outcome.issue[0]?.diagnostics ?? outcome.issue[0]?.details?.text ?? 'no reason given'}`,
  );
}

function wholeNumber(option: string, text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(number)) {
    throw new PredictionError('PARAMETER_INVALID', `${option} is a whole number, not '${text}'.`);
  }
  return number;
}

function dayOf(text: string | undefined, clock: Clock): string {
  const day = text ?? clock.now().toISOString().slice(0, 10);
  const read = new Date(`${day}T00:00:00Z`);
  // A day that the calendar does not have is read as one of the next month.
  if (Number.isNaN(read.getTime()) || read.toISOString().slice(0, 10) !== day) {
    throw new PredictionError('PARAMETER_INVALID', `--reference-date is a date such as 2026-03-01, not '${day}'.`);
  }
  return day;
}
