import type { ElementReader } from './element-reader.ts';

/** Under which number of whom an object is filed: PatientID (0010,0020) and its issuer, as they stand. Throws ImageFault for what is no text. */
export function statedPatient(reader: ElementReader): {
  readonly patientId: string | undefined;
  readonly issuerOfPatientId: string | undefined;
} {
  return {
    patientId: reader.text('PatientID'),
    issuerOfPatientId: reader.text('IssuerOfPatientID') ?? issuerByQualifiers(reader),
  };
}

/** Empty, which nobody can have declared, where the issuer is named by qualifiers alone: it is some authority, and not the site's own. */
function issuerByQualifiers(reader: ElementReader): '' | undefined {
  return reader.items('IssuerOfPatientIDQualifiersSequence').length > 0 ? '' : undefined;
}
