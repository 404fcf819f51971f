import type { ImageDefinition } from './image-schema.ts';
import { elementCount } from './tensor.ts';

/** Where the pixels of an image lie in its tensor: `outer` blocks of rows × columns × `inner` numbers, one after the other. */
export interface ImageLayout {
  readonly rows: number;
  readonly columns: number;
  readonly outer: number;
  readonly inner: number;
  readonly channels: number;
  /** The channel of a number, by its place outside of rows and columns and inside of them. */
  channelOf(outer: number, inner: number): number;
}

/** @param shape of the tensor, as `imageShape` says of the definition */
export function imageLayout(
  { preprocess }: Pick<ImageDefinition, 'preprocess'>,
  shape: readonly number[],
): ImageLayout {
  const place = preprocess.flatMap((step) => (step.step === 'channels' ? [step.place] : []))[0];
  const at = shape.length - (place === 'last' ? 3 : 2);
  const [rows = 1, columns = 1] = shape.slice(at, at + 2);
  const inner = place === 'last' ? (shape.at(-1) ?? 1) : 1;
  const outer = elementCount(shape.slice(0, at));
  const channels = place === 'first' ? (shape[0] ?? 1) : inner;
  const perChannel = place === 'first' ? outer / channels : outer;
  const channelOf = (block: number, within: number): number =>
    place === 'last' ? within : Math.floor(block / perChannel);
  return { rows, columns, outer, inner, channels, channelOf };
}
