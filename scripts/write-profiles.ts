/** Writes the snapshots of `fhir-profiles/StructureDefinition-*.json` from their differentials: `node scripts/write-profiles.ts`. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { StructureDefinition } from '@medplum/fhirtypes';
import { profilesFolder, readR4Definitions } from '../test/support/checked/r4-definitions.ts';
import { withSnapshot } from '../test/support/checked/with-snapshot.ts';

const definitions = readR4Definitions();
for (const name of readdirSync(profilesFolder).filter((each) => each.startsWith('StructureDefinition-'))) {
  const file = path.join(profilesFolder, name);
  const definition = JSON.parse(readFileSync(file, 'utf8')) as StructureDefinition;
  writeFileSync(file, `${JSON.stringify(withSnapshot(definition, definitions), null, 2)}\n`);
}
