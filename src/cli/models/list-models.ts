import { parseArgs } from 'node:util';
import { listModels } from '../../entrances/models/describe-model.ts';
import { askModels } from './ask-models.ts';

/** What is shown of the answer of `GET /models`. */
interface Listed {
  readonly models: readonly {
    readonly id: string;
    readonly version: string;
    readonly state: string;
    readonly disabled?: unknown;
    readonly title: string;
  }[];
  readonly refused: readonly { readonly folder: string; readonly reason: string }[];
}

/** `fhirsight models [list]`: every version with what it may do, and every refused folder with the reason. @returns 0 */
export async function listModelsCommand(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { json: { type: 'boolean', default: false } } });
  const listed = (await askModels('/models', (catalog) => listModels(catalog))) as Listed;
  process.stdout.write(values.json ? `${JSON.stringify(listed, null, 2)}\n` : linesOf(listed));
  return 0;
}

function linesOf({ models, refused }: Listed): string {
  const keys = models.map(({ id, version }) => `${id}@${version}`);
  const width = Math.max(0, ...keys.map(({ length }) => length));
  const lines = models.map(
    ({ state, disabled, title }, index) =>
      `${keys[index]?.padEnd(width)}  ${(disabled === undefined ? state : 'disabled').padEnd(9)}  ${title}`,
  );
  const refusals = refused.map(({ folder, reason }) => `${folder}  refused: ${reason}`);
  return [...lines, ...refusals].map((line) => `${line}\n`).join('');
}
