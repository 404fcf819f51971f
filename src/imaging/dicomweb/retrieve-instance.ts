import { askServer } from './ask-server.ts';
import type { DicomwebServer } from './dicomweb-server.ts';
import type { ObjectAddress } from './image-sources.ts';
import { imagesUnreachable } from './images-unreachable.ts';
import { retrieveParts } from './retrieve-parts.ts';

/** Behind the preamble (PS3.10, section 7.1). */
const prefixAt = 128;

/**
 * Retrieves a whole object as a DICOM file (DW-13). Throws IMAGES_UNREACHABLE, also where it is no DICOM file, and ImageFault where it
 * is larger than allowed. Whether it is the object that was asked for is told by what stands in it.
 */
export async function retrieveInstance(
  server: DicomwebServer,
  { study, series, instance }: ObjectAddress,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const answer = await askServer(
    server,
    {
      name: 'retrieve an object',
      method: 'GET',
      base: server.wadoBase,
      path: `/studies/${study}/series/${series}/instances/${instance}`,
      accept: 'multipart/related; type="application/dicom"; transfer-syntax=*',
      statuses: [200],
    },
    signal,
  );
  let file: Uint8Array | undefined;
  for await (const { bytes } of retrieveParts(server, answer, 1, (essence) => essence === 'application/dicom')) {
    file = bytes;
  }
  if (file === undefined || Buffer.from(file.subarray(prefixAt, prefixAt + 4)).toString('latin1') !== 'DICM') {
    throw imagesUnreachable(answer.asked, 'sent something that is no DICOM file', 'See its log.');
  }
  return file;
}
