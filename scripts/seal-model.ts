/**
 * Writes the SHA-256 of every file of a model version folder into its manifest, as `fhirsight seal` does: for training scripts,
 * which run from the sources.
 *
 *     node scripts/seal-model.ts models/prevent-base/1.0.0
 */
import { sealCommand } from '../src/cli/seal-command.ts';

process.exitCode = await sealCommand(process.argv.slice(2));
