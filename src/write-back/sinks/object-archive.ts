import type { DiagnosticReport } from '@medplum/fhirtypes';

/** What a sink can be asked to keep of a report. */
export type KeptKind = 'secondary-capture' | 'structured-report';

/** What an archive has of a version of a report after it was asked to keep it. */
export interface KeptObjects {
  /** Their UIDs by name: `secondary-capture/1`, `structured-report/2`. */
  readonly kept: Readonly<Record<string, string>>;
  /** What it does not keep, by name, with the failure reason of PS3.18 where it gives one. */
  readonly refused: readonly { readonly name: string; readonly reason?: number }[];
  /** UIDs of pictures that it has of earlier predictions of the report, and that say of no other that it has taken their place. */
  readonly outdated: readonly string[];
}

/**
 * An archive of images that keeps what is made of reports as objects of DICOM. It is given where the house is wired: this folder knows
 * nothing of images. Trouble with the archive is an IMAGES_UNREACHABLE whose cause is a RequestTrouble where it has one; RESULT_INVALID is
 * a report that no objects can be made of.
 */
export interface ObjectArchive {
  /** Base URL. */
  readonly at: string;
  /**
   * Sends what it does not have yet. A word where nothing was sent: `no-images`, it does not have all the images that the report is of;
   * `another-patient`, one of them is filed there under somebody else than when it was read.
   * @param version of the report that says what it says now, from 1
   */
  keep(
    report: DiagnosticReport,
    version: number,
    kinds: readonly KeptKind[],
    signal: AbortSignal,
  ): Promise<KeptObjects | 'no-images' | 'another-patient'>;
  /** How many objects it has of any version of the report. */
  count(report: DiagnosticReport, signal: AbortSignal): Promise<number>;
}
