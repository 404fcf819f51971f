import type { DicomJson } from '../dicom/dicom-json.ts';
import { ImageFault } from '../image-fault.ts';
import { type Answer, askServer } from './ask-server.ts';
import { bulkAddress } from './bulk-address.ts';
import type { DicomwebServer } from './dicomweb-server.ts';
import { imagesUnreachable } from './images-unreachable.ts';
import { jsonObjects } from './json-objects.ts';
import { parseDataset } from './parse-dataset.ts';

const checkBase = 'Check that its base in IMAGING_FILE leads to a DICOMweb server.';
const studyTag = '0020000D';
const seriesTag = '0020000E';

/**
 * The data sets of all objects of a study or series (PS3.18, section 10.4; DW-10). None where the server does not know it (204, 404, 410).
 * Throws IMAGES_UNREACHABLE, also where an object is of another study or series; ImageFault where they are larger than allowed.
 */
export async function* retrieveMetadata(
  server: DicomwebServer,
  of: { readonly study: string; readonly series?: string },
  signal?: AbortSignal,
): AsyncGenerator<DicomJson, void, void> {
  const { study, series } = of;
  const path = `/studies/${study}${series === undefined ? '' : `/series/${series}`}/metadata`;
  const answer = await askServer(
    server,
    {
      name: `retrieve metadata of a ${series === undefined ? 'study' : 'series'}`,
      method: 'GET',
      base: server.wadoBase,
      path,
      accept: 'application/dicom+json',
      statuses: [200, 204, 404, 410],
    },
    signal,
  );
  for await (const dataset of datasetsOf(server, answer, `${server.wadoBase}${path}`)) {
    const isOfThem = isUid(dataset[studyTag], study) && (series === undefined || isUid(dataset[seriesTag], series));
    if (!isOfThem) {
      throw imagesUnreachable(answer.asked, 'answered with an object of another study or series', checkBase);
    }
    yield dataset;
  }
}

/**
 * The data sets of an answer in DICOM JSON; none where its status says that there are none.
 * @param url absolute URL that was asked, for relative addresses in it
 */
export async function* datasetsOf(
  server: DicomwebServer,
  answer: Answer,
  url: string,
): AsyncGenerator<DicomJson, void, void> {
  if (answer.status !== 200) {
    answer.drop();
    return;
  }
  const broken = (happened: string) => imagesUnreachable(answer.asked, happened, checkBase);
  const said = answer.type?.essence;
  if (said !== 'application/dicom+json' && said !== 'application/json') {
    answer.drop();
    throw broken(`answered ${said ?? 'no media type'}, not DICOM JSON`);
  }
  const bytes = server.limits.metadataBytes;
  const tooLarge = () =>
    new ImageFault('image-too-large', `The metadata are longer than the ${bytes} bytes that IMAGING_FILE allows.`);
  for await (const object of jsonObjects(answer.body, { bytes, tooLarge, broken })) {
    const dataset = parseDataset(object, (uri) => bulkAddress(uri, server.wadoBase, url));
    if (dataset === undefined) throw broken('answered JSON that is not of the DICOM model');
    yield dataset;
  }
}

function isUid(element: DicomJson[string] | undefined, uid: string): boolean {
  return element?.Value?.[0] === uid;
}
