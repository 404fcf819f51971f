import type { DicomJson } from '../dicom/dicom-json.ts';
import { type Coding, codedEntry, cut, dcm } from './coded-entry.ts';
import { copiedAttributes } from './copied-attributes.ts';
import { dicomInstant } from './dicom-instant.ts';
import { type ObjectRole, roleSeriesUid } from './object-names.ts';
import type { ResultOrigin } from './result-origin.ts';
import { resultManufacturer, resultSeriesDescription } from './result-series.ts';
import { writtenDataset } from './written-dataset.ts';

/** PS3.16, CID 7005. */
const processingEquipment: Coding = { system: dcm, code: '109102', display: 'Processing Equipment' };
const longest = 64;

export interface ObjectKind {
  readonly sopClassUid: string;
  readonly modality: string;
  readonly role: ObjectRole;
  readonly sopInstanceUid: string;
  /** In its series, from 1: later versions of a report have greater ones. */
  readonly instanceNumber: number;
  readonly seriesNumber: number;
  /** When what it says was said. */
  readonly madeAt: Date;
}

/**
 * What every object of a result says (PS3.3: SOP Common, Patient, General Study, General Series, Enhanced General Equipment): whose
 * study, that a machine made it, and which model and version.
 */
export function objectFrame(origin: ResultOrigin, kind: ObjectKind): DicomJson {
  const { source, model, software } = origin;
  const stated = source['00080201']?.Value?.[0];
  const zone = typeof stated === 'string' && /^[+-]\d{4}$/.test(stated) ? stated : origin.timeZone;
  const [at, computed] = [dicomInstant(kind.madeAt, zone), dicomInstant(origin.computedAt, zone)];
  const study = String(source['0020000D']?.Value?.[0]);
  return {
    ...copiedAttributes(source),
    ...writtenDataset({
      SpecificCharacterSet: 'ISO_IR 192',
      InstanceCreationDate: at.date,
      InstanceCreationTime: at.time,
      SOPClassUID: kind.sopClassUid,
      SOPInstanceUID: kind.sopInstanceUid,
      ContentDate: at.date,
      ContentTime: at.time,
      // Dates of the study would mean another instant where the source states no offset.
      ...(zone === stated ? { TimezoneOffsetFromUTC: zone } : {}),
      Modality: kind.modality,
      SeriesDescription: resultSeriesDescription,
      SeriesInstanceUID: roleSeriesUid(origin.report, study, kind.role),
      SeriesNumber: String(kind.seriesNumber),
      InstanceNumber: String(kind.instanceNumber),
      Manufacturer: resultManufacturer,
      ManufacturerModelName: resultManufacturer,
      // The equipment of a series is one: which version of the model it was stands below.
      DeviceSerialNumber: cut(model.id, longest),
      SoftwareVersions: cut(software, longest),
      ContributingEquipmentSequence: writtenDataset({
        PurposeOfReferenceCodeSequence: codedEntry(processingEquipment),
        Manufacturer: resultManufacturer,
        ManufacturerModelName: cut(model.title, longest),
        DeviceSerialNumber: model.digest.slice(0, longest),
        SoftwareVersions: cut(`${model.id} ${model.version}`, longest),
        ContributionDateTime: computed.dateTime,
        ContributionDescription: 'Algorithm that read the images',
      }),
    }),
  };
}
