import type { DiagnosticReport } from '@medplum/fhirtypes';
import { PredictionError } from '../../platform/errors.ts';
import { archiveFailure, notKept, pauseAskedBy } from './archive-failure.ts';
import { skippedAsSuperseded } from './deliver-singly.ts';
import { type Delivery, type DeliveryOutcome, heldOf, isAsItIs, isSinkFault, type Sink } from './delivery.ts';
import type { ObjectArchive } from './object-archive.ts';
import type { DicomwebSink } from './sink-schema.ts';

/** Statuses of reports that a reader is not to find: their objects are not sent, and what was sent is to go. */
const taken: readonly string[] = ['cancelled', 'entered-in-error'];

/**
 * A PACS: reports of imaging studies as objects of DICOM in the studies that they are about, one report after the other. Nothing there is
 * ever changed or removed by this server: what gives way after it was sent is a dead letter, so that somebody tells its readers.
 */
export function createDicomwebSink(settings: DicomwebSink, archive: ObjectArchive): Sink {
  const { name, objects } = settings;
  const { at } = archive;

  /** Of a report that no objects can be made of, and that is not known to have been sent, there are none. */
  const countThere = async (report: DiagnosticReport, wasSent: boolean, stop: AbortSignal): Promise<number> => {
    try {
      return await archive.count(report, stop);
    } catch (error) {
      if (!wasSent && error instanceof PredictionError && error.code === 'RESULT_INVALID') return 0;
      throw error;
    }
  };

  const deliverOne = async ({ result, receipt, unsure }: Delivery, stop: AbortSignal): Promise<DeliveryOutcome> => {
    const { resource: report, made = 1, superseded } = result;
    if (report.resourceType !== 'DiagnosticReport')
      throw new RangeError(`The sink ${name} takes reports, and was given a ${report.resourceType}`);
    const held = receipt === undefined || receipt.skipped !== undefined ? undefined : receipt;
    if (superseded || taken.includes(report.status)) {
      // Asked always: an attempt that failed, or was ended by a stop, may have left objects there without a receipt.
      const there = await countThere(report, unsure || held !== undefined, stop);
      if (there === 0) return skippedAsSuperseded(at);
      // Should it stand again, the archive is asked what is left of them.
      return {
        ...keepsObjects(report.id, there),
        receipt: { at, ...heldOf(result), resources: held?.resources ?? {} },
      };
    }
    if (held?.at === at && isAsItIs(held, result) && !unsure) return { kind: 'delivered', receipt: held };
    const answer = await archive.keep(report, made, objects, stop);
    if (answer === 'no-images') return withoutImages();
    if (answer === 'another-patient') return ofAnother(report.id);
    if (answer.refused.length > 0) return notKept(answer);
    const resources = Object.fromEntries(
      Object.entries(answer.kept).map(([each, uid]) => [each, { reference: `urn:oid:${uid}` }]),
    );
    if (answer.outdated.length > 0) {
      // Without its version: should it be re-driven, the archive is asked whether they are gone.
      return { ...keepsPictures(report.id, answer.outdated), receipt: { at, superseded, resources } };
    }
    return { kind: 'delivered', receipt: { at, ...heldOf(result), resources } };
  };

  return {
    name,
    at,
    async deliver(_attempt, deliveries, stop, stopping) {
      const outcomes = new Map<string, DeliveryOutcome>();
      let faulty = false;
      let retryAfterMs = 0;
      for (const delivery of deliveries) {
        let outcome: DeliveryOutcome = { kind: 'unsent' };
        try {
          if (!faulty && !stopping()) outcome = await deliverOne(delivery, stop);
        } catch (error) {
          const failed = archiveFailure(error);
          // A request that is ended because the server stops says nothing of the archive.
          if (failed === undefined && !stopping()) throw error;
          if (failed !== undefined && !stop.aborted) outcome = failed;
          retryAfterMs = Math.max(retryAfterMs, pauseAskedBy(error));
        }
        faulty ||= isSinkFault(outcome);
        outcomes.set(delivery.result.identifier, outcome);
      }
      return { outcomes, retryAfterMs };
    },
    close: async () => undefined,
  };
}

function withoutImages(): DeliveryOutcome {
  const text =
    'The archive does not have all the images that the report is of, and objects about them would stand alone there. ' +
    'Bring the study back and re-drive; a study of another archive needs a sink of its own.';
  return { kind: 'dead', error: { reason: 'no-images', text } };
}

function ofAnother(id: string): DeliveryOutcome {
  const text =
    `The archive does not file the images that DiagnosticReport/${id} is of under the patient under whom they were read: PatientID (0010,0020) ` +
    'or IssuerOfPatientID (0010,0021) is another one. Nothing was sent. Where that is a mistake of the archive, put it right and re-drive. Where ' +
    'it is a new number of the same patient, delete the report and call $predict, which reads the study anew and checks whose it is. Where they ' +
    'are of somebody else, the report is of the wrong patient: reject it.';
  return { kind: 'dead', error: { reason: 'another-patient', text } };
}

function keepsPictures(id: string, uids: readonly string[]) {
  const text =
    `DiagnosticReport/${id} is there as it is now, and so are ${uids.length} pictures of what it said before, which this server cannot mark ` +
    `there: ${named(uids)}. Remove them there, and re-drive.`;
  return { kind: 'dead', error: { reason: 'keeps-objects', text } } as const;
}

const mostNamed = 10;

function named(uids: readonly string[]): string {
  const first = uids.slice(0, mostNamed).join(', ');
  return uids.length > mostNamed ? `${first} and ${uids.length - mostNamed} more` : first;
}

function keepsObjects(id: string, there: number) {
  const text =
    `DiagnosticReport/${id} has given way, and the archive has ${there} objects of it still, which this server cannot mark there. Tell its ` +
    'readers, remove them there, and re-drive.';
  return { kind: 'dead', error: { reason: 'keeps-objects', text } } as const;
}
