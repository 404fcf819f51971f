import { PredictionError } from '../platform/errors.ts';

type SubCommand = (args: readonly string[]) => Promise<number>;

const change = (name: 'promote' | 'rollback' | 'disable' | 'enable' | 'shadow') => async (): Promise<SubCommand> => {
  const { changeVersion } = await import('./models/change-version.ts');
  return (args) => changeVersion(name, args);
};

/** By name; each is loaded when it is asked for. */
const subCommands: ReadonlyMap<string, () => Promise<SubCommand>> = new Map([
  ['list', async () => (await import('./models/list-models.ts')).listModelsCommand],
  ['show', async () => (await import('./models/show-version.ts')).showVersionCommand],
  ['reload', async () => (await import('./models/reload-models.ts')).reloadModels],
  ['promote', change('promote')],
  ['rollback', change('rollback')],
  ['disable', change('disable')],
  ['enable', change('enable')],
  ['shadow', change('shadow')],
  ['history', async () => (await import('./models/version-history.ts')).versionHistory],
]);

/** `fhirsight models …`: the versions of the models. @returns the exit code of the sub-command */
export async function modelsCommand(args: readonly string[]): Promise<number> {
  // Options alone are those of the list.
  const [name, rest] = args[0] === undefined || args[0].startsWith('-') ? ['list', args] : [args[0], args.slice(1)];
  const load = subCommands.get(name);
  if (load !== undefined) return await (await load())(rest);
  throw new PredictionError(
    'PARAMETER_INVALID',
    `fhirsight models has no command '${name}'. There are: ${[...subCommands.keys()].join(', ')}.`,
  );
}
