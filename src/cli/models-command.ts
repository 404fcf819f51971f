import { PredictionError } from '../platform/errors.ts';

type SubCommand = (args: readonly string[]) => Promise<number>;

/** By name; each is loaded when it is asked for. */
const subCommands: ReadonlyMap<string, () => Promise<SubCommand>> = new Map([]);

/** `fhirsight models …`: the versions of the models. @returns the exit code of the sub-command */
export async function modelsCommand(args: readonly string[]): Promise<number> {
  const [name = 'list', ...rest] = args;
  const load = subCommands.get(name);
  if (load !== undefined) return await (await load())(rest);
  throw new PredictionError(
    'PARAMETER_INVALID',
    `fhirsight models has no command '${name}'. There are: ${[...subCommands.keys()].join(', ')}.`,
  );
}
