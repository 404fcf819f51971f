import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Ajv } from 'ajv';
import { PredictionError } from '../../platform/errors.ts';
import { settingsFile } from '../../platform/settings-file.ts';
import type { StudySubscription } from '../../runs/study-notices/study-subscription.ts';
import { type SubscriptionsFile, subscriptionsFileSchema } from './subscriptions-file-schema.ts';

/** A subscription and what proves that a notice comes from its server. */
export interface GuardedSubscription extends StudySubscription {
  /** Name of the header, in lower case. */
  readonly header: string;
  readonly secret: string;
}

export interface SubscriptionChecks {
  /** Throws where there is no such model, or one that reads no images. */
  readonly checkModel: (id: string) => void;
  /** Throws for a search on ImagingStudy that the record source is known to refuse. */
  readonly checkSearch: (criteria: StudySubscription['criteria']) => void;
  readonly readVariable: (name: string) => string | undefined;
}

/** What is shorter can be guessed. */
const leastSecret = 16;

/**
 * Reads SUBSCRIPTIONS_FILE; relative paths in it are relative to its folder. No file: nobody may tell of studies.
 * Throws CONFIG_INVALID with one issue per fault. No message quotes a secret.
 */
export async function readSubscriptions(
  file: string | undefined,
  checks: SubscriptionChecks,
): Promise<readonly GuardedSubscription[]> {
  if (file === undefined) return [];
  const settings = settingsFile({
    variable: 'SUBSCRIPTIONS_FILE',
    file,
    form: '{"subscriptions": [...]}',
    docs: 'docs/subscriptions.md',
    optional: true,
  });
  const value = await settings.read();
  const validate = new Ajv({ allErrors: true, useDefaults: true, strict: true }).compile<SubscriptionsFile>(
    subscriptionsFileSchema,
  );
  if (!validate(value)) throw settings.invalid(settings.faultsOf(validate.errors));
  const faults: string[] = [];
  const folder = path.dirname(path.resolve(file));
  const read: GuardedSubscription[] = [];
  for (const [index, declared] of value.subscriptions.entries()) {
    const at = `/subscriptions/${index}`;
    if (value.subscriptions.findIndex(({ name }) => name === declared.name) < index)
      faults.push(`${at}/name '${declared.name}' is used twice. Give each subscription a name of its own.`);
    const criteria = [...new URLSearchParams(declared.criteria.slice('ImagingStudy?'.length))];
    faults.push(...faultsOf(`${at}/criteria`, () => checks.checkSearch(criteria)));
    for (const model of declared.models) faults.push(...faultsOf(`${at}/models`, () => checks.checkModel(model)));
    const secret = await secretOf(declared, folder, checks.readVariable);
    if (typeof secret !== 'string') faults.push(`${at} ${secret.fault}`);
    read.push({
      name: declared.name,
      models: declared.models,
      criteria,
      header: declared.header.toLowerCase(),
      secret: typeof secret === 'string' ? secret : '',
      quietPeriodMs: declared.quietPeriodSeconds * 1_000,
      checkEveryMs: declared.checkEveryMinutes * 60_000,
      writeBack: declared.writeBack,
    });
  }
  if (faults.length > 0) throw settings.invalid(faults);
  return read;
}

async function secretOf(
  { secretFile, secretVariable }: SubscriptionsFile['subscriptions'][number],
  folder: string,
  readVariable: SubscriptionChecks['readVariable'],
): Promise<string | { readonly fault: string }> {
  if ((secretFile === undefined) === (secretVariable === undefined))
    return { fault: 'needs secretFile or secretVariable, and not both.' };
  let text: string | undefined;
  try {
    text =
      secretFile === undefined
        ? readVariable(secretVariable ?? '')
        : await readFile(path.resolve(folder, secretFile), 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    return { fault: `has a secretFile that cannot be read (${code}). Name a file this user may read.` };
  }
  const secret = text?.trim() ?? '';
  if (secret.length >= leastSecret && /^[\x21-\x7e]+$/.test(secret)) return secret;
  return {
    fault: `needs a secret of at least ${leastSecret} characters without spaces; \`openssl rand -hex 32\` makes one.`,
  };
}

function faultsOf(at: string, check: () => void): string[] {
  try {
    check();
    return [];
  } catch (error) {
    if (error instanceof PredictionError) return [`${at}: ${error.message}`];
    throw error;
  }
}
