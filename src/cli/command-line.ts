import { PredictionError } from '../platform/errors.ts';

const usage = `fhirsight <command>

  serve                         serve on HOST:PORT (settings by environment; see .env.example)
  health                        whether the server with these settings is ready: exit 0, else 1
  sample                        synthetic patients as NDJSON on standard output, or into the store
    --patients N                how many (default 100)
    --seed S                    whole number; the same seed gives the same patients (default 1)
    --reference-date YYYY-MM-DD the day their histories end before (default today)
    --load                      load them into the store instead of printing them
  load FILE...                  the resources of NDJSON files into the store, each under its own id
  predict                       one prediction, as the RiskAssessment or the OperationOutcome it gives
    --model ID [--version V]    a model of MODELS_DIR
    --patient ID                logical id of the Patient
    --as-of WHEN                date or dateTime (default now)
    --write-back                store the result
  run                           predictions about a cohort; its tally as JSON
    --model ID [--version V]    a model of MODELS_DIR
    --all | --group Group/ID | --search 'Patient?…'   who is in the cohort
    --as-of WHEN                date or dateTime (default now)
    --no-write-back             do not store the results
  extract                       the training matrix of a model: one row for each subject and as-of
    --model ID[@VERSION]        a model of MODELS_DIR
    --draft FOLDER              or a version folder whose model is still to be trained: its manifest and feature map
    --cohort WHO                all, Group/ID, 'Patient?…', or a file: ids, or CSV with subject[,as_of][,encounter]
    --as-of WHEN                one as-of for all: date or dateTime
    --anchor WHICH              or a row for each encounter: encounter-start or encounter-end
    --class CODE                with --anchor: only encounters of this class, such as IMP; may be repeated
    --label-event FILE          also a column of what happened after as-of: a declaration in FHIR terms, as for evaluate
    --out FILE                  a name that ends with .csv or .parquet
    --force                     replace FILE
  evaluate                      how well a model does on rows whose truth is known: a report as JSON and HTML
    --model ID[@VERSION]        a model of MODELS_DIR
    --outcome ID                which of its outcomes, where it has several
    --file FILE --label COLUMN  a matrix (.csv, .parquet) as extract writes it, or with the x columns only, and its truth
    --cohort WHO                or a cohort, with --as-of or --anchor as for extract; its truth is
    --label-file FILE             CSV with subject[,as_of],label, or
    --label-event FILE            a declaration in FHIR terms: events, horizon, follow-up
    --threshold N               alerts at or above this score, beside bands and a grid; may be repeated
    --group COLUMN              of FILE: what rows are told apart by (default sex, age, race, ethnicity); may be repeated
    --fewest N                  events and others that a group needs to have figures (default 10)
    --seed N  --resamples N     of the bootstrap (default 1 and 1000)
    --out REPORT                a name that ends with .html (a .json is written beside it) or .json
    --force                     replace REPORT
  lint MODEL                    what is wrong with a model: every finding as file, place and reason
    MODEL                       a version folder, or the id of a model of MODELS_DIR
    --version V                 which version (default the highest)
    --site FILE                 a site file (SITE_FILE) that the model is read with, and checked too
    --format text|json          json for another program (default text)
    --strict                    warnings fail too
    --server-profile FILE       also the searches that a site has put in the place of those of the model
  seal FOLDER...                the checksums of a version folder into its manifest, after each wanted change
  describe MODEL...             what is made from the feature map of a model, for those who provide its data
    --as OUTPUT                 prefetch, bulk-export, scopes, library, input-schema or features
    --version V                 which version (default the highest)
  models                        every version with what it may do, and refused folders with the reason; --json
  models show ID@V              the tests by which a version came to be served, or was refused; --json
  models reload                 load what is new in MODELS_DIR into a running server
  models promote ID@V           make a version the default of its model; --because TEXT with each of these
  models rollback ID            make the default what was the default before
  models disable ID[@V]         switch off a model, a version or, with --service S, a CDS Hooks service
  models enable ID[@V]          switch it on again
  models shadow ID@V on|off     score a version beside the default, for the log only
  models history ID             who changed what of a model, when and why
    --json                      for another program
  feedback                      what clinicians answered to CDS Hooks cards, or found of reports (--reports)
    --from WHEN --to WHEN       days or instants; --to is exclusive
    --format csv|ndjson         (default csv)
    --comments                  also what they wrote: it may name a patient
    --rates                     or how often they accepted and overrode, as JSON
    --out FILE                  into a new file that only this user may read
  forget Patient/ID             remove what may be removed of a patient; what stays is said, with the reason
    --server BASE               FHIR base of its server, where that is not the record source
    --yes                       do it; without it, what would be removed is counted
  doctor                        what models can be run on here, what is missing, and what adds it; whether the
                                servers of IMAGING_FILE answer
    --policy POLICY             exit 1 where this cannot be met: cpu, prefer-gpu or require-gpu; may be repeated (default
                                those of ENGINES_FILE)
    --json                      for another program

A running server that holds DATA_DIR is asked; otherwise the command opens the data itself.
`;

type Command = (args: readonly string[]) => Promise<number>;

/** Each is loaded when it is asked for: help and a slip of the pen wait for no server to be loaded. */
const commands: ReadonlyMap<string, () => Promise<Command>> = new Map([
  ['serve', async () => (await import('./serve-command.ts')).serveCommand],
  ['health', async () => (await import('./health-command.ts')).healthCommand],
  ['sample', async () => (await import('./sample-command.ts')).sampleCommand],
  ['load', async () => (await import('./load-command.ts')).loadCommand],
  ['predict', async () => (await import('./predict-command.ts')).predictCommand],
  ['run', async () => (await import('./run-command.ts')).runCommand],
  ['describe', async () => (await import('./describe-command.ts')).describeCommand],
  ['extract', async () => (await import('./extract-command.ts')).extractCommand],
  ['evaluate', async () => (await import('./evaluate-command.ts')).evaluateCommand],
  ['feedback', async () => (await import('./feedback-command.ts')).feedbackCommand],
  ['doctor', async () => (await import('./doctor-command.ts')).doctorCommand],
  ['seal', async () => (await import('./seal-command.ts')).sealCommand],
  ['forget', async () => (await import('./forget-command.ts')).forgetCommand],
  ['models', async () => (await import('./models-command.ts')).modelsCommand],
  ['lint', async () => (await import('./lint-command.ts')).lintCommand],
]);

/** Runs one command of `fhirsight`. @returns the exit code: 0 done, 1 failed, 2 the command line was wrong */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  const [name = 'help', ...rest] = args;
  if (name === 'help' || name === '--help' || name === '-h') {
    process.stdout.write(usage);
    return 0;
  }
  const load = commands.get(name);
  if (load === undefined) {
    process.stderr.write(`fhirsight has no command '${name}'.\n\n${usage}`);
    return 2;
  }
  try {
    const command = await load();
    return await command(rest);
  } catch (error) {
    if (error instanceof PredictionError && error.code !== 'PARAMETER_INVALID') {
      process.stderr.write(`${error.code}: ${error.message}\n`);
      return 1;
    }
    if (isUsageError(error)) {
      process.stderr.write(`${error.message}\n\n${usage}`);
      return 2;
    }
    throw error;
  }
}

/** What is wrong with an option: its name, by a TypeError of node:util parseArgs, or its value, by PARAMETER_INVALID. */
function isUsageError(error: unknown): error is Error {
  if (error instanceof PredictionError) return error.code === 'PARAMETER_INVALID';
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}
