import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Resource } from '@medplum/fhirtypes';
import type { SqlRepository } from './sql-repository.ts';

/**
 * Stores the FHIR definitions that come with the package (operations, extensions, code systems), so that their
 * canonicals resolve at the server itself. One that is there already and equal stays as it is.
 * @param folder holds one definition per JSON file, each with an id
 */
export async function publishDefinitions(repository: SqlRepository, folder: string): Promise<void> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.json')).sort();
  for (const file of files) {
    const definition = JSON.parse(await readFile(path.join(folder, file), 'utf8')) as Resource & { id: string };
    const { meta: _meta, ...stored } = (await repository.readCurrent(definition.resourceType, definition.id)) ?? {};
    const { meta: _ownMeta, ...wanted } = definition;
    if (!isDeepStrictEqual(stored, wanted)) await repository.update(definition);
  }
}
