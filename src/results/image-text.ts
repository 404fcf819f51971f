/** What a reader is told of an image that was read: its pixels are in the study. */
export function imageText({ value }: { readonly value: number | boolean | string }): string {
  return value === 1 ? 'one image' : `${value} images`;
}
