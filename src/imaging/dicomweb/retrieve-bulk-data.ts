import { askServer } from './ask-server.ts';
import { bulkAddress } from './bulk-address.ts';
import type { DicomwebServer } from './dicomweb-server.ts';
import { imagesUnreachable } from './images-unreachable.ts';
import { retrieveParts } from './retrieve-parts.ts';

/**
 * Retrieves the value that a BulkDataURI leads to (DW-15), only from below the server's own base. Throws IMAGES_UNREACHABLE, and ImageFault
 * where it is larger than allowed.
 */
export async function retrieveBulkData(server: DicomwebServer, uri: string, signal?: AbortSignal): Promise<Uint8Array> {
  const name = 'retrieve a value';
  const base = server.wadoBase;
  const address = bulkAddress(uri, base, `${base}/`);
  if (address === undefined) {
    throw imagesUnreachable(
      { server: server.name, base, name },
      'names a value that is not below its base, where nothing is asked',
      'Name the base that it believes to have in IMAGING_FILE.',
    );
  }
  const answer = await askServer(
    server,
    {
      name,
      method: 'GET',
      base,
      path: address.slice(base.length),
      accept: 'multipart/related; type="application/octet-stream"',
      statuses: [200],
    },
    signal,
  );
  const payloads = retrieveParts(server, answer, 1, (essence) => essence === 'application/octet-stream');
  let value: Uint8Array = new Uint8Array();
  for await (const { bytes } of payloads) value = bytes;
  return value;
}
