import { Ajv, type ErrorObject } from 'ajv';
import { PredictionError } from '../../platform/errors.ts';
import { settingsFile } from '../../platform/settings-file.ts';
import type { Cohort } from '../run.ts';
import { cronProblem, isTimeZone } from './compile-cron.ts';
import { type Schedule, schedulesSchema } from './schedule.ts';

export interface ScheduleChecks {
  /** Throws where there is no such model or version. One that does not answer now is none of its matter: `schedule.failed` says so when the schedule is due. */
  readonly checkModel: (id: string, version?: string) => void;
  /** Throws where a model that predicts about studies has a cohort of patients, or the other way round. */
  readonly checkFit: (schedule: Schedule) => void;
  /** Throws for a search that the record source is known to refuse. */
  readonly checkSearch: (cohort: Cohort) => Promise<void>;
}

/**
 * Reads the schedules that a file declares; none without a file.
 * Throws CONFIG_INVALID with everything that is wrong: the place in the file, what is there and what is allowed.
 */
export async function readSchedules(file: string | undefined, checks: ScheduleChecks): Promise<readonly Schedule[]> {
  if (file === undefined) return [];
  const settings = settingsFile({
    variable: 'SCHEDULES_FILE',
    file,
    form: '{"schedules": [...]}',
    docs: 'docs/runs.md',
    optional: true,
  });
  const parsed = await settings.read();
  const validate = new Ajv({ allErrors: true })
    .addVocabulary(['allowed'])
    .compile<{ schedules: Schedule[] }>(schedulesSchema);
  if (!validate(parsed)) throw settings.invalid(schemaProblems(validate.errors ?? [], parsed));
  const problems: string[] = [];
  for (const [index, schedule] of parsed.schedules.entries()) {
    const at = `schedules[${index}]`;
    const cron = cronProblem(schedule.cron);
    if (cron !== undefined)
      problems.push(
        `${at}.cron is ${JSON.stringify(schedule.cron)}, and ${cron}; allowed are five fields: minute, hour, day of month, month, day of week.`,
      );
    if (!isTimeZone(schedule.timeZone))
      problems.push(
        `${at}.timeZone is ${JSON.stringify(schedule.timeZone)}; allowed is an IANA time zone such as Europe/Berlin, America/New_York or UTC.`,
      );
    if (parsed.schedules.findIndex(({ name }) => name === schedule.name) < index)
      problems.push(
        `${at}.name is ${JSON.stringify(schedule.name)}, which an earlier schedule has; allowed is a name of its own.`,
      );
    problems.push(...(await refusalOf(`${at}.model`, async () => checks.checkModel(schedule.model, schedule.version))));
    problems.push(...(await refusalOf(`${at}.cohort`, async () => checks.checkFit(schedule))));
    if ('search' in schedule.cohort)
      problems.push(...(await refusalOf(`${at}.cohort.search`, () => checks.checkSearch(schedule.cohort))));
  }
  if (problems.length > 0) throw settings.invalid(problems);
  return parsed.schedules;
}

async function refusalOf(at: string, check: () => Promise<unknown>): Promise<string[]> {
  try {
    await check();
    return [];
  } catch (error) {
    if (error instanceof PredictionError) return [`${at}: ${error.message}`];
    throw error;
  }
}

/** One problem for each place; of a choice, only that none of it fits. */
function schemaProblems(errors: readonly ErrorObject[], parsed: unknown): string[] {
  const problems = new Map<string, string>();
  for (const { instancePath, keyword, params } of errors) {
    const unknown = keyword === 'additionalProperties' ? `/${params.additionalProperty}` : '';
    const missing = keyword === 'required' ? `/${params.missingProperty}` : '';
    const names = `${instancePath}${unknown}${missing}`.split('/').slice(1);
    // Inside a cohort every form of it complains; what is wrong is the cohort.
    const path = names[2] === 'cohort' ? names.slice(0, 3) : names;
    const place = path
      .map((name) => (/^\d+$/.test(name) ? `[${name}]` : `.${name}`))
      .join('')
      .replace(/^\./, '');
    const found = valueAt(parsed, path);
    const what = found === undefined ? 'is missing' : `is ${JSON.stringify(found).slice(0, 100)}`;
    const known = unknown === '' || path.length < names.length;
    problems.set(
      place,
      known ? `${place || 'the file'} ${what}; allowed is ${allowedAt(path)}.` : `${place} is unknown; leave it out.`,
    );
  }
  return [...problems.values()];
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, name) =>
      typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>)[name] : undefined,
    value,
  );
}

/** The words of the schema about a place. */
function allowedAt([, index, property]: readonly string[]): string {
  const list = schedulesSchema.properties.schedules as unknown as Described;
  if (index === undefined) return list.allowed;
  const item = list.items;
  return (property === undefined ? item?.allowed : item?.properties?.[property]?.allowed) ?? 'what docs/runs.md says';
}

interface Described {
  readonly allowed: string;
  readonly items?: Described;
  readonly properties?: Readonly<Record<string, Described>>;
}
