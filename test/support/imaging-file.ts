import { writeFile } from 'node:fs/promises';
import path from 'node:path';

/** Writes an IMAGING_FILE of one PACS that is asked at once, whose patients have numbers of NORTH in the given system. @returns where it lies */
export async function writeImagingFile(folder: string, base: string, system: string): Promise<string> {
  const file = path.join(folder, 'imaging.json');
  const imaging = {
    servers: { pacs: { url: base } },
    default: 'pacs',
    quietPeriodSeconds: 0,
    patientIdentifiers: [{ issuer: 'NORTH', system }],
  };
  await writeFile(file, JSON.stringify(imaging));
  return file;
}
